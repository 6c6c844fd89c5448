"""The form by which anybody asks what is kept of them (the fifth walk). Touches nothing."""

from troth.core.purpose import Category
from troth.front.forms.form import Form
from troth.front.published import Published
from troth.rights.entry import RightsAsked


def form(published: Published) -> Form:
    """It asks for the address and nothing else; the same on every site."""
    return Form(
        name="rights",
        path="privacy/me",
        title="What we keep of you",
        intro="Give your e-mail address, and a mail brings you a link. Behind it you see what is kept of you, take it "
        "along, or have it erased.",
        fields=(Category.EMAIL,),
        required=frozenset(),
        entry=lambda values: RightsAsked(**values),
        why_address="the link goes there",
        button="Send me the link",
        note="The address serves to make sure that it is you, and is not kept.",
        thanks="rights",
    )
