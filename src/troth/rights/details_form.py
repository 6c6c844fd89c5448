"""Contact details as an operator types them: held to what the public forms ask of them (C1, B2). Touches nothing."""

from collections.abc import Mapping

from troth.core import contact_details
from troth.core.contact_details import LONGEST as LONGEST
from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import BASIC, Category
from troth.vault.records import Details

LABELS = {
    Category.EMAIL: "Email",
    Category.NAME: "Name",
    Category.TELEPHONE: "Telephone",
    Category.POSTAL_ADDRESS: "Postal address",
    Category.COMPANY: "Company",
}


class DetailsRefused(Exception):
    """What to mend, for each detail; the sentences carry no value."""

    def __init__(self, problems: dict[Category, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = problems


def read(typed: Mapping[Category, str]) -> Details:
    """The details in what was typed. Raises `DetailsRefused`."""
    texts, problems = dict[Category, str](), dict[Category, str]()
    for category in BASIC:
        text = contact_details.tidy(typed.get(category, ""), category)
        try:
            texts[category] = contact_details.check(category, text) if text or category is Category.EMAIL else ""
        except ValueError as error:
            problems[category] = str(error) if text else "An email address is required: it identifies the person."
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
