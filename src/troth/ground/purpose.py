"""The closed sets: why personal data may be used, what kinds of it exist, and for which reasons it is opened.

Promises: `contact.basic` (C1) lives in `Category`, `contact.purpose` (C2) in `Purpose` and `Reason`.
Standard library only: the front, the worker and the office read the same list.
"""

from enum import StrEnum


class Purpose(StrEnum):
    """Why a stored record may be opened. There is no third purpose, and no way to add one by a setting."""

    ADMINISTRATION = "administration"
    """Do what the person asked: send the newsletter, answer, deliver."""
    IDENTIFICATION = "identification"
    """Make sure who is asking, and be able to show that they asked."""

    @property
    def code(self) -> int:
        """The purpose as one byte on the wire (1 or 2)."""
        return _PURPOSE_CODES[self]

    @classmethod
    def of_code(cls, code: int) -> "Purpose":
        """The purpose with this wire code; `ValueError` if there is none."""
        for purpose, known in _PURPOSE_CODES.items():
            if known == code:
                return purpose
        raise ValueError(f"no purpose has the code {code}")


_PURPOSE_CODES = {Purpose.ADMINISTRATION: 1, Purpose.IDENTIFICATION: 2}


class Category(StrEnum):
    """The basic contact details, all of them. A form asks for some of these and can ask for nothing else."""

    EMAIL = "email"
    NAME = "name"
    TELEPHONE = "telephone"
    POSTAL_ADDRESS = "postal_address"
    COMPANY = "company"


class Reason(StrEnum):
    """What an opening is for, as the ledger names it; each reason belongs to one purpose."""

    FILE_SUBMISSION = "file_submission"
    """Intake files what a person sent."""
    SEND_CONFIRMATION = "send_confirmation"
    """Mail a person the link by which they confirm."""
    LIST_PEOPLE = "list_people"
    """An operator looks at a page of the list."""
    FIND_PERSON = "find_person"
    """An operator looks for a person by a detail they know."""
    SHOW_PERSON = "show_person"
    """An operator looks at one person's details."""
    SHOW_CONSENT = "show_consent"
    """An operator looks at what a person agreed to, and when."""

    @property
    def purpose(self) -> Purpose:
        """The purpose this reason serves."""
        return Purpose.IDENTIFICATION if self is Reason.SHOW_CONSENT else Purpose.ADMINISTRATION
