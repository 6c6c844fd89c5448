"""How the form's fields are named, in pages and for browsers that fill them in. Touches nothing."""

from dataclasses import dataclass

from troth.front.fields import LONGEST
from troth.front.shape import Form
from troth.ground.purpose import Category
from troth.letters.entry import wording_digest


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
