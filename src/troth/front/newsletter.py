"""The newsletter's form (the first walk). Touches nothing."""

from troth.front.published import Published
from troth.front.shape import Form
from troth.front.words import wording
from troth.letters.entry import Signup, wording_digest


def form(published: Published) -> Form:
    """The form as the operator set it; the hash of its consent sentence goes into each entry."""
    set_to = published.form
    digest = wording_digest(set_to.consent)
    return Form(
        name="newsletter",
        path="newsletter",
        title=set_to.title,
        intro=set_to.intro,
        fields=tuple(set_to.fields),
        required=frozenset(set_to.required),
        entry=lambda values: Signup(wording=digest, **values),
        why_address="the newsletter comes there",
        button="Sign up",
        note=set_to.consent,
        wording=wording(set_to.consent),
        thanks="signup",
        back=tuple(set_to.back),
        back_setting="[newsletter]",
    )
