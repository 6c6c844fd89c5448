"""What a visitor typed becomes a typed entry, or a few sentences about what to mend (C1, B2).

Each value is made tidy, searched for card numbers, and checked; only then does it get its personal type. An error never
repeats a value. What makes a value right is in `ground.details`. Touches nothing.

A message is prose, and people paste prose: where a detail with a control character in it is refused, a message loses it
and is taken. What steers the direction of text goes too, for it can make a text read as another (Unicode UTR 36,
section 2.5; the marks that only help right-to-left text along stay).
"""

import re
from collections.abc import Mapping
from typing import Any

from troth.front.shape import Form
from troth.ground import details
from troth.ground.entry import Entry
from troth.ground.normal import normal
from troth.ground.personal import TYPES
from troth.ground.purpose import Category

LONGEST = details.LONGEST
_LINE_END = re.compile("\r\n?|[\u0085\u2028\u2029]")


class WordingUnknown(Exception):
    """The form is about a sentence that never stood beside it."""


class FieldsRefused(Exception):
    """What to mend, for each field; the sentences carry no value."""

    def __init__(self, problems: dict[Category, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def tidy(typed: str, category: Category) -> str:
    """The value as it is searched, checked and shown again: NFC, edges trimmed, line ends as one newline, masked."""
    if category is Category.MESSAGE:
        return details.searched(_prose(normal("NFC", typed)), category)
    return details.tidy(typed, category)


def _prose(text: str) -> str:
    """The text with its lines and their indentation, without what no reader sees."""
    kept = "".join(char for char in _LINE_END.sub("\n", text) if char in "\n\t" or not details.steers(char))
    return "\n".join(line.rstrip() for line in kept.split("\n")).strip("\n")


def showable(text: str) -> str:
    """The value without what a page cannot carry (control characters)."""
    return "".join(char for char in text if char in "\n\t" or char in details.MARKS or not details.unwelcome(char))


def read(form: Form, typed: Mapping[str, str]) -> Entry:
    """The entry in what was typed. Raises `FieldsRefused`, `WordingUnknown`."""
    problems: dict[Category, str] = {}
    values: dict[str, Any] = {}
    for category in form.fields:
        text = tidy(typed.get(category, ""), category)
        try:
            checked = _check(category, text, form)
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
    return form.entry(values)


def _check(category: Category, text: str, form: Form) -> str:
    if not text:
        if form.needs(category):
            raise ValueError(_MISSING[category].format(why=form.why_address))
        return ""
    if category is Category.MESSAGE and len(text) <= LONGEST[category]:
        return text
    return details.check(category, text)


_MISSING = {
    Category.EMAIL: "Please give your e-mail address: {why}.",
    Category.NAME: "Please give your name.",
    Category.TELEPHONE: "Please give your telephone number.",
    Category.POSTAL_ADDRESS: "Please give your postal address.",
    Category.COMPANY: "Please give your company.",
    Category.MESSAGE: "Please write your message.",
}
