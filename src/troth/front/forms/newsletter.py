"""The newsletter form, as the settings make it. Touches nothing."""

from troth.core.purpose import BASIC
from troth.front.forms.form import Form
from troth.front.forms.labels import wording
from troth.front.published import Published
from troth.newsletter.entry import Signup


def form(published: Published) -> Form:
    """The form as the operator set it; the hash of the sentence that stood beside the button goes into each entry."""
    set_to, policy = published.form, published.policy_number
    return Form(
        name="newsletter",
        path="newsletter",
        title=set_to.title,
        intro=set_to.intro,
        fields=tuple(set_to.fields),
        required=frozenset(set_to.required),
        settable=frozenset(BASIC),
        entry=lambda values: Signup(**values, policy=policy),
        why_address="we send the newsletter there",
        button="Sign up",
        note=set_to.consent,
        wording=wording(set_to.consent),
        wordings_before=frozenset(digest.hex() for digest in set_to.consents_before),
        language=set_to.language,
        translations=tuple(set_to.translations),
        thanks="signup",
        topics=tuple(set_to.topics),
        back=tuple(set_to.return_urls),
        back_setting="[newsletter]",
    )
