"""A contact detail as it comes in, from a form or a file: made tidy, searched for card numbers, checked (C1, B2).

What is wrong is said in a sentence that never repeats the value. Touches nothing.

Names in other scripts are welcome: an e-mail domain may be written in any one script (IDNA 2008; what travels on is its
ASCII form). A label that mixes scripts is how one domain is dressed up as another and is refused, by Unicode's "highly
restrictive" profile (UTS 39, section 5.2). A label wholly in a look-alike script is accepted: it may be honest, and in
its ASCII form nobody mistakes it. Letters beyond ASCII before the @ are refused: few relays carry them.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from troth.core.lazy import lazy
from troth.core.purpose import Category
from troth.core.text.card_numbers import MASK, mask
from troth.core.text.pasted import clean

if TYPE_CHECKING:
    import email_validator
else:  # its patterns take long to compile, and most processes never check an address
    email_validator = lazy("email_validator")


@dataclass(frozen=True, slots=True)
class ContactField:
    """How one contact detail is named, limited and asked for."""

    label: str
    """On visitors' and operators' pages."""
    longest: int
    """Characters at most."""
    control: str = "text"
    """The form control: an `input` of this type, or a `textarea` for `lines`."""
    autocomplete: str = "off"
    """For browsers that fill it in (WCAG 2.2, section 7)."""

    @property
    def words(self) -> str:
        """Return its name within a sentence: `email address`."""
        return self.label.removeprefix("Your ").lower()


FIELDS = {
    Category.EMAIL: ContactField("Email address", 254, "email", "email"),  # RFC 5321, section 4.5.3.1.3, less < and >
    Category.NAME: ContactField("Name", 120, autocomplete="name"),
    Category.TELEPHONE: ContactField("Phone number", 40, "tel", "tel"),
    Category.POSTAL_ADDRESS: ContactField("Postal address", 500, "lines", "street-address"),
    Category.COMPANY: ContactField("Company", 160, autocomplete="organization"),
    # In the widest letters still below what the spool and the vendor's web server accept.
    Category.MESSAGE: ContactField("Your message", 6_000, "lines"),
}
"""Every contact detail, described once: forms, pages, exports, imports and the policy derive from this table."""
LONGEST = {category: field.longest for category, field in FIELDS.items()}
"""Characters of each field at most."""
LABELS: dict[str, str] = {category: field.label for category, field in FIELDS.items()}
"""What each field is called on pages."""
WORDS: dict[str, str] = {category: field.words for category, field in FIELDS.items()}
"""What each field is called within a sentence."""
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
MARKS = frozenset("\u061c\u200e\u200f")
"""Of these the ones that only help right-to-left text along (Unicode UTR 36, section 2.5)."""
LOST = "\ufffd"
"""Stands for what could not be read (Unicode, section 5.22). A detail that has it is not what the person meant."""
_TELEPHONE = re.compile(
    r"\+?[0-9 ()./x*#•-]{4,39}"
    r"(?:[ ,;]*(?:ext(?:n|ension)?|x|app|dw|durchwahl|poste|int|interno|anexo|ramal)[.:]? ?[0-9]{1,7})?",
    re.IGNORECASE,
)
_FEW_DIGITS = 4


def tidy(typed: str, category: Category) -> str:
    """Return the value as it is checked and shown again: NFC, without what a paste brought along, masked."""
    return searched(trimmed(typed, category), category)


def trimmed(typed: str, category: Category) -> str:
    """Return the value as it is searched for card numbers."""
    return clean(typed, category) if len(typed) <= 4 * LONGEST[category] else typed.strip()


def searched(text: str, category: Category) -> str:
    """Return `text` with card numbers masked, where it may still be taken.

    What is more than twice too long is refused whatever is in it, and a search of it would cost the front up to a
    second: it stays as it was typed, for whoever typed it to shorten.
    """
    return mask(text) if len(text) <= 2 * LONGEST[category] else text


def check(category: Category, text: str) -> str:
    """Return a tidy value that is not empty, as it is kept. Raises `ValueError`, which says what to mend."""
    if len(text) > LONGEST[category]:
        raise ValueError(f"Please use at most {LONGEST[category]:,} characters.")
    if not text.isprintable() and any(
        unwelcome(char) and not (char == "\n" and category is Category.POSTAL_ADDRESS) for char in text
    ):
        raise ValueError("This contains an invisible or control character. Please type it again.")
    if LOST in text and category is not Category.MESSAGE:
        raise ValueError("A character in this was lost and shows as a question mark. Please type it again.")
    return _CHECKS.get(category, str)(text)


def check_sealed(category: Category, text: str) -> None:
    """Whether a front of ours can have sealed this: raises `ValueError` where it would have refused or changed it."""
    if not text.strip():
        raise ValueError("This is empty.")
    if len(text) > LONGEST[category]:
        raise ValueError("This is too long.")
    if mask(text) != text:
        raise ValueError("This contains a card number.")
    if category is Category.MESSAGE:
        if any(steers(char) for char in text if char not in "\n\t"):
            raise ValueError("This contains a character that changes how text is displayed.")
    else:
        check(category, text)


def steers(char: str) -> bool:
    """Whether it is a control character, or turns the direction of text; the marks that only help it along are not."""
    return unicodedata.category(char) in {"Cc", "Cs"} or char in BIDI - MARKS


def unwelcome(char: str) -> bool:
    """Whether nobody can see it, or it turns the direction of text."""
    return unicodedata.category(char) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"} or char in BIDI


def _email(text: str) -> str:
    if MASK.strip() in text:
        raise ValueError("This looks like a card number. Please enter your email address.")
    try:
        address = email_validator.validate_email(text, check_deliverability=False, allow_smtputf8=False, strict=True)
    except email_validator.EmailNotValidError:
        # Its own message quotes what was typed.
        raise ValueError(_email_help(text)) from None
    if any(_mixes_scripts(label) for label in address.domain.split(".")):
        raise ValueError("The part after the @ mixes alphabets in one word, which we do not accept. Please check it.")
    if address.ascii_email is None or len(address.ascii_email) > LONGEST[Category.EMAIL]:
        raise ValueError(f"Please use at most {LONGEST[Category.EMAIL]} characters.")
    return address.ascii_email


def _email_help(text: str) -> str:
    local, at, domain = text.rpartition("@")
    if not at:
        return "Enter an email address with an @, such as name@example.com."
    if "@" in local.strip('"'):
        return "Enter one email address only."
    if not local.isascii():
        return "We cannot send email to an address with accented or non-Latin letters before the @."
    if "." not in domain:
        return "Enter a full domain after the @, such as example.com."
    return "This is not a valid email address. Please check for typos."


def _telephone(text: str) -> str:
    masked = MASK.strip() in text
    if not _TELEPHONE.fullmatch(text) or (not masked and sum(char.isdigit() for char in text) < _FEW_DIGITS):
        raise ValueError("Enter a phone number with digits, such as +49 30 901820.")
    return text


_SCRIPTS_TOGETHER: Sequence[frozenset[str]] = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
)


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(char, "?").split(" ", 1)[0] for char in label if char.isalpha()}
    return len(scripts) > 1 and not any(scripts <= together for together in _SCRIPTS_TOGETHER)


_CHECKS: dict[Category, Callable[[str], str]] = {Category.EMAIL: _email, Category.TELEPHONE: _telephone}
