"""What a form is: where it stands, what it asks for, the entry it becomes, its words. A room's form is one of these.

`newsletter.form` and its like make them from what was published; `submission` shows and takes any of them. Touches
nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from troth.front.forms import BODY_LIMIT
from troth.ground.entry import Entry
from troth.ground.purpose import Category

HONEYPOT = "website"
"""A field that no person sees; robots fill it in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form as the operator set it."""

    name: str
    """`newsletter`: names its fields in pages, and marks the `back` page's address: `?newsletter=thanks`."""
    path: str
    """Under the front's address, without a slash before it."""
    title: str
    intro: str
    fields: tuple[Category, ...]
    required: frozenset[Category]
    """Besides the e-mail address, which every form asks for."""
    entry: Callable[[Mapping[str, Any]], Entry]
    """Makes the entry of the checked values: by category, None for what was left empty."""
    why_address: str
    """What the address is for, as one is told who left it out."""
    button: str
    note: str
    """The sentence beside the button."""
    wording: str = ""
    """Hash of a sentence to which one agrees by sending; the form must carry it. Empty: there is none."""
    thanks: str
    """Which thanks page."""
    back: tuple[str, ...] = ()
    """Whole URLs of the vendor's pages to which the form may return."""
    back_setting: str = ""
    """Where in `troth.toml` they are listed."""
    limit: int = BODY_LIMIT
    """Bytes at most."""

    @property
    def allowed(self) -> frozenset[str]:
        """The names of all fields that may come."""
        return frozenset({*self.fields, "back", "wording", "altcha", "ticket", HONEYPOT})

    def needs(self, category: Category) -> bool:
        """Whether it must be filled in."""
        return category is Category.EMAIL or category in self.required
