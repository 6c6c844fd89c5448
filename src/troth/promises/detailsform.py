"""Contact details as an operator types them: tidied, searched for card numbers, checked (C1, B2). Touches nothing."""

import unicodedata
from collections.abc import Mapping

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from troth.ground.cardnumbers import MASK, mask
from troth.ground.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.ground.purpose import BASIC, Category
from troth.vault.records import Details

LABELS = {
    Category.EMAIL: "E-mail",
    Category.NAME: "Name",
    Category.TELEPHONE: "Telephone",
    Category.POSTAL_ADDRESS: "Postal address",
    Category.COMPANY: "Company",
}
LONGEST = {
    Category.EMAIL: 254,
    Category.NAME: 120,
    Category.TELEPHONE: 40,
    Category.POSTAL_ADDRESS: 500,
    Category.COMPANY: 160,
}
"""Characters of each at most, as in the public forms."""


class DetailsRefused(Exception):
    """What to mend, for each detail; the sentences carry no value."""

    def __init__(self, problems: dict[Category, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def read(typed: Mapping[Category, str]) -> Details:
    """The details in what was typed. Raises `DetailsRefused`."""
    texts = {category: _tidy(typed.get(category, ""), category) for category in BASIC}
    found = {category: _problem(category, text) for category, text in texts.items()}
    problems = {category: problem for category, problem in found.items() if problem}
    if problems:
        raise DetailsRefused(problems)
    name, telephone = texts[Category.NAME], texts[Category.TELEPHONE]
    postal, company = texts[Category.POSTAL_ADDRESS], texts[Category.COMPANY]
    return Details(
        EmailAddress(texts[Category.EMAIL]),
        PersonName(name) if name else None,
        Telephone(telephone) if telephone else None,
        PostalAddress(postal) if postal else None,
        Company(company) if company else None,
    )


def _tidy(typed: str, category: Category) -> str:
    text = unicodedata.normalize("NFC", typed).replace("\r\n", "\n").strip()
    if category is Category.POSTAL_ADDRESS:
        text = "\n".join(line.strip() for line in text.split("\n"))
    return mask(text)


def _problem(category: Category, text: str) -> str:
    if len(text) > LONGEST[category]:
        return f"At most {LONGEST[category]} characters."
    allowed = "\n" if category is Category.POSTAL_ADDRESS else ""
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} and char not in allowed for char in text):
        return "There is an invisible or control character in here."
    return _email_problem(text) if category is Category.EMAIL else ""


def _email_problem(text: str) -> str:
    if not text:
        return "An e-mail address is needed: it is how a person is found."
    if MASK.strip() in text:
        return "This looks like a card number."
    try:
        validate_email(text)
    except ValidationError:
        return "This is not an e-mail address as mail servers know it."
    return ""
