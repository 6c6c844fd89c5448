"""Contact details as an operator types them: held to what the public forms ask of them (C1, B2). Touches nothing."""

from collections.abc import Mapping
from typing import Any

from troth.core import contact_details
from troth.core.personal import TYPES
from troth.core.purpose import BASIC, Category
from troth.vault.records import Details


class DetailsRefused(Exception):
    """What to mend, for each detail; the sentences carry no value."""

    def __init__(self, problems: dict[Category, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def read(typed: Mapping[Category, str]) -> Details:
    """Return the details in what was typed. Raises `DetailsRefused`."""
    texts, problems = dict[Category, str](), dict[Category, str]()
    for category in BASIC:
        text = contact_details.tidy(typed.get(category, ""), category)
        try:
            texts[category] = contact_details.check(category, text) if text or category is Category.EMAIL else ""
        except ValueError as error:
            problems[category] = str(error) if text else "An email address is required: it identifies the person."
    if problems:
        raise DetailsRefused(problems)
    values: dict[str, Any] = {category.value: TYPES[category](text) for category, text in texts.items() if text}
    return Details(**values)
