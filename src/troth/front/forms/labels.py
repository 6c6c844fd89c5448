"""How the form's fields are named, in pages and for browsers that fill them in, and what is said when it was sent."""

from dataclasses import dataclass

from troth.core import facts
from troth.core.contact_details import FIELDS
from troth.core.purpose import Category
from troth.front.forms.form import Form
from troth.newsletter.entry import wording_digest


@dataclass(frozen=True, slots=True)
class FormField:
    """One field as a template needs it."""

    name: str
    label: str
    kind: str
    autocomplete: str
    longest: int
    required: bool
    rows: int = 4
    """How high it is, where it has lines."""


def described(form: Form) -> list[FormField]:
    """Return the form's fields in the operator's order."""
    return [
        FormField(
            category.value,
            FIELDS[category].label,
            FIELDS[category].control,
            FIELDS[category].autocomplete,
            FIELDS[category].longest,
            form.needs(category),
            rows=10 if category is Category.MESSAGE else 4,
        )
        for category in form.fields
    ]


def wording(consent: str) -> str:
    """Return the sentence's hash as a form carries it, so that what is kept is what the visitor saw."""
    return wording_digest(consent).hex()


MASKED = (
    "We removed a number that looks like a card number and kept only its last four digits: we never store card "
    "numbers. If it was something else, such as an order number, send it again with a word between its digits."
)
"""To whoever typed it, on the page that follows."""
THANKS = {
    "signup": (
        "Check your inbox",
        "We’ll try to email a link to that address. Open the link and press the button to confirm. "
        + facts.ONLY_CONFIRMED,
        "Nothing after a few minutes? Check your spam folder. We send only a few of these emails to one mailbox in a "
        "day; the link in an earlier one still works.",
    ),
    "message": (
        "Thank you",
        "We’ve received your message. A person reads it and replies by email, to the address that you gave.",
        "",
    ),
    "rights": (
        "Check your inbox",
        "If we store data under that address, we’ll try to email a link to it. With that link you can view, export or "
        "delete your data.",
        "No email after a few minutes? Then either we store nothing under that address, it got two of these emails "
        "within a day, it can’t be reached, or a person here reviews the email first. Please check your spam folder, "
        "too.",
    ),
    "export": (
        "Check your inbox",
        "We’ll try to email your data to you, once per link.",
        "No email after a few minutes? Check your spam folder. A person here may have to review the email first.",
    ),
    "confirmed": ("Thank you", facts.CONFIRMED, "Every issue contains a link to unsubscribe."),
    "left": ("You’re unsubscribed", facts.UNSUBSCRIBED, ""),
}
"""Heading, text and hint of each thanks page. The same whether or not an address is known."""
