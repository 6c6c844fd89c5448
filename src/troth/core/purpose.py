"""The closed sets: why personal data may be used (`Purpose`, C2), what kinds of it exist (`Category`, C1), and for
which reasons it is opened (`Reason`, C2). Standard library only."""

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
        """Return the purpose with this wire code; `ValueError` if there is none."""
        for purpose, purpose_code in _PURPOSE_CODES.items():
            if purpose_code == code:
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
    MESSAGE = "message"
    """What a person writes to us. The contact form has it, and no other form can."""


BASIC: tuple[Category, ...] = tuple(category for category in Category if category is not Category.MESSAGE)
"""The contact details proper: what a form may be set to ask for."""


class Reason(StrEnum):
    """What an opening is for, as the ledger names it; each reason belongs to one purpose."""

    FILE_SUBMISSION = "file_submission"
    """Intake files what a person sent."""
    SEND_CONFIRMATION = "send_confirmation"
    """Mail a person the link by which they confirm."""
    SEND_CAMPAIGN = "send_campaign"
    """Mail subscribers a campaign."""
    SEND_MAIL = "send_mail"
    """Mail a person what the operator's own program or shop sends them."""
    SEND_ANSWER = "send_answer"
    """Mail a person the answer to what they wrote."""
    SEND_RIGHTS_LINK = "send_rights_link"
    """Mail a person the link by which they see or erase what is kept of them."""
    SEND_EXPORT = "send_export"
    """Mail a person what is kept of them, as they asked."""
    LIST_PEOPLE = "list_people"
    """An operator looks at a page of the list."""
    FIND_PERSON = "find_person"
    """An operator looks for a person by a detail they know."""
    SHOW_PERSON = "show_person"
    """An operator looks at one person's details."""
    LIST_MESSAGES = "list_messages"
    """An operator looks at a page of the messages."""
    READ_MESSAGES = "read_messages"
    """An operator reads what a person wrote, and what was answered."""
    CORRECT_PERSON = "correct_person"
    """An operator corrects a person's details."""
    EXPORT_PERSON = "export_person"
    """What is kept of a person is put together for them."""
    EXPORT_PEOPLE = "export_people"
    """The operator takes the list along, as a file."""
    IMPORT_PEOPLE = "import_people"
    """People come in from a file, with their consent recorded."""
    ERASE_PERSON = "erase_person"
    """Everything of a person is found, to be destroyed."""
    SHOW_RETAINED = "show_retained"
    """An operator shows a record that a law requires to be kept to who may demand it."""
    KEEP_RETAINED = "keep_retained"
    """A record that a law requires to be kept is kept longer."""
    REBUILD_INDEX = "rebuild_index"
    """After a restore, what finds people is made anew."""
    LIST_HELD = "list_held"
    """An owner looks at the mails that were held, and for whom they are."""
    LIST_RECIPIENTS = "list_recipients"
    """An operator looks at those whom a campaign did not reach, or maybe did not."""
    SHOW_CONSENT = "show_consent"
    """An operator looks at what a person agreed to, and when."""
    EXPORT_CONSENT = "export_consent"
    """What a person agreed to is put together for them."""

    @property
    def purpose(self) -> Purpose:
        """The purpose this reason serves."""
        identifying = self in (Reason.SHOW_CONSENT, Reason.EXPORT_CONSENT)
        return Purpose.IDENTIFICATION if identifying else Purpose.ADMINISTRATION
