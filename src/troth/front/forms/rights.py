"""The form with which people ask for their data. Touches nothing."""

from troth.core.purpose import Category
from troth.front.forms.form import Form
from troth.front.published import Published
from troth.rights.entry import RightsAsked


def form(published: Published) -> Form:
    """It asks for the address and nothing else; the same on every site."""
    return Form(
        name="rights",
        path="privacy/me",
        title="Your data",
        intro="Enter your email address. If we store data under it, we email you a link to view, export or delete "
        "that data.",
        fields=(Category.EMAIL,),
        required=frozenset(),
        entry=lambda values: RightsAsked(**values),
        why_address="we send the link there",
        button="Email me a link",
        note="We use the address you enter here only to verify that it’s you, and don’t store it.",
        thanks="rights",
    )
