"""How the form's fields are named, in pages and for browsers that fill them in, and what is said when it was sent.

Touches nothing.
"""

from dataclasses import dataclass

from troth.core import facts
from troth.core.purpose import Category
from troth.front.forms.fields import LONGEST
from troth.front.forms.form import Form
from troth.newsletter.entry import wording_digest


@dataclass(frozen=True, slots=True)
class Field:
    """One field as a template needs it. `autocomplete` from WCAG 2.2, section 7."""

    name: str
    label: str
    kind: str
    autocomplete: str
    longest: int
    required: bool
    rows: int = 4
    """How high it is, where it has lines."""


_LABELS = {
    Category.EMAIL: ("E-mail address", "email", "email"),
    Category.NAME: ("Name", "text", "name"),
    Category.TELEPHONE: ("Telephone", "tel", "tel"),
    Category.POSTAL_ADDRESS: ("Postal address", "lines", "street-address"),
    Category.COMPANY: ("Company", "text", "organization"),
    Category.MESSAGE: ("Your message", "lines", "off"),
}


def described(form: Form) -> list[Field]:
    """The form's fields in the operator's order."""
    return [
        Field(
            category.value,
            *_LABELS[category],
            LONGEST[category],
            form.needs(category),
            rows=10 if category is Category.MESSAGE else 4,
        )
        for category in form.fields
    ]


def label(category: Category) -> str:
    """What a field is called."""
    return _LABELS[category][0]


def wording(consent: str) -> str:
    """The sentence's hash as a form carries it, so that what is kept is what the visitor saw."""
    return wording_digest(consent).hex()


MASKED = (
    "We removed a number that looks like a card number, and kept only its last four digits: we never keep card "
    "numbers. If it was something else, such as an order number, send it again with a word between its digits."
)
"""To whoever typed it, on the page that follows."""
THANKS = {
    "signup": (
        "Look into your mail",
        "We will try to send a mail with a link to that address. Press the button behind that link. "
        + facts.ONLY_CONFIRMED,
        "Nothing there after some minutes? Look into the folder for unwanted mail. Only a few such mails go to one "
        "mailbox in a day; the link in an earlier one still works.",
    ),
    "message": (
        "Thank you",
        "Your message is here. A person reads it and answers by mail, to the address that you gave.",
        "",
    ),
    "rights": (
        "Look into your mail",
        "If something is kept under that address, we will try to send a link to it. Behind that link you see what is "
        "kept, take it along, or have it erased.",
        "No mail after some minutes? Then nothing is kept under that address, or two such mails went there within a "
        "day, or it cannot be reached, or a person here looks at it first. Look into the folder for unwanted mail, "
        "too.",
    ),
    "export": (
        "Look into your mail",
        "We will try to send what is kept of you by mail, once for each link.",
        "No mail after some minutes? Look into the folder for unwanted mail. A person here may have to look at it "
        "first.",
    ),
    "confirmed": ("Thank you", facts.CONFIRMED, "Every issue carries a link to unsubscribe."),
    "left": ("You have left", facts.UNSUBSCRIBED, ""),
}
"""Heading, text and hint of each thanks page. The same whether or not an address is known."""
