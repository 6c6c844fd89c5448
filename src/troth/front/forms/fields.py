"""Turn what a visitor typed into a typed entry, or into sentences about what to mend, which never repeat a value (C1,
B2).

Each value is made tidy, searched for card numbers and checked (`core.contact_details`) before it gets its personal
type. A control character makes a detail refused; a message, which people paste, loses it, and also what changes the
direction of text so that it reads as another (Unicode UTR 36, section 2.5).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from troth.core import contact_details
from troth.core.entry import Entry
from troth.core.personal import TYPES
from troth.core.purpose import Category
from troth.core.text.normal_forms import normal
from troth.front.forms.form import Form, ticked

LONGEST = contact_details.LONGEST
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")


class WordingUnknown(Exception):
    """The form is about a sentence that never stood beside it."""


class FieldsRefused(Exception):
    """What to mend, for each field; the sentences carry no value."""

    def __init__(self, problems: dict[Category, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True, repr=False)
class Tidied:
    """What was typed as it is checked and shown again: NFC, edges trimmed, line ends as one newline, masked."""

    texts: Mapping[Category, str]
    masked: bool
    """Whether a card number was taken out."""


def tidied(form: Form, typed: Mapping[str, str]) -> Tidied:
    """Return the values of the form's own fields."""
    before = {category: _trimmed(typed.get(category, ""), category) for category in form.fields}
    texts = {category: contact_details.searched(text, category) for category, text in before.items()}
    return Tidied(texts, masked=texts != before)


def _trimmed(typed: str, category: Category) -> str:
    return _prose(normal("NFC", typed)) if category is Category.MESSAGE else contact_details.trimmed(typed, category)


def _prose(text: str) -> str:
    """The text with its lines and their indentation, without what no reader sees."""
    cleaned = "".join(char for char in _LINE_END.sub("\n", text) if char in "\n\t" or not contact_details.steers(char))
    return "\n".join(line.rstrip() for line in cleaned.split("\n")).strip("\n")


def showable(text: str) -> str:
    """Return the value without what a page cannot carry (control characters)."""
    return "".join(
        char for char in text if char in "\n\t" or char in contact_details.MARKS or not contact_details.unwelcome(char)
    )


def read(form: Form, typed: Mapping[str, str], texts: Mapping[Category, str]) -> Entry:
    """Return the entry in what was typed. `texts`: its fields, tidied. Raises `FieldsRefused`, `WordingUnknown`."""
    problems: dict[Category, str] = {}
    values: dict[str, Any] = {}
    for category in form.fields:
        try:
            checked = _check(category, texts[category], form)
        except ValueError as error:
            problems[category] = str(error)
        else:
            values[category] = TYPES[category](checked) if checked else None
    if problems:
        raise FieldsRefused(problems)
    if form.wording:
        values["wording"] = form.agreed(typed)
        if values["wording"] is None:
            raise WordingUnknown
    if form.topics is not None:
        values["topics"] = ticked(typed)
    return form.entry(values)


def _check(category: Category, text: str, form: Form) -> str:
    if not text:
        if form.needs(category):
            raise ValueError(_missing(category, form))
        return ""
    if category is Category.MESSAGE and len(text) <= LONGEST[category]:
        return text
    return contact_details.check(category, text)


def _missing(category: Category, form: Form) -> str:
    name = contact_details.WORDS[category]
    return f"Enter your {name}: {form.why_address}." if category is Category.EMAIL else f"Enter your {name}."
