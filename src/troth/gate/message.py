"""Emails as bytes: what all types share. Each package's `mails.py` declares its own.

No images, scripts or tracking; nothing is loaded from anywhere.

Sources: RFC 5322, RFC 2369 and 8058 (one-click unsubscribe), RFC 3834 (`Auto-Submitted`), RFC 6531 (SMTPUTF8).
May touch: nothing.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from functools import lru_cache
from typing import Any, ClassVar
from urllib.parse import urlsplit

import idna

from troth.core import clock
from troth.core.errors import TrothError
from troth.core.networks import is_local_site
from troth.core.personal import EmailAddress, MessageText
from troth.gate import email_html

# RFC 5322's `atext` and anything beyond ASCII, told by what it is not: Python takes long to compile the long range.
_ATEXT = r'[^\x00- "(),.:;<>@\[\\\]\x7f]'
_ATOM = re.compile(rf"{_ATEXT}+(\.{_ATEXT}+)*")
_URL = re.compile(r"https?://[A-Za-z0-9\[\]][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,100}@[^\s<>@]{1,255}>")
_WHOLE_LINES = frozenset(
    {
        "list-id",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "message-id",
        "references",
        "in-reply-to",
        "to",
        "from",
        "reply-to",
    }
)
MAY_ADD = ("List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Reply-To", "References")
_OF_IDS, _OF_ADDRESSES = ("References",), ("Reply-To",)
_LONGEST_LINE = 900  # RFC 5322, 2.1.1 allows 998


TWICE = "You may get this email twice: the connection broke while it was being sent. Either copy works."


class LetterError(TrothError):
    """A mail that cannot be made. Says what is wrong with it, never for whom it was."""


class _Policy(EmailPolicy):
    """`SMTP`, but links and addresses stay whole: the standard library would turn a long link into an encoded word."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _WHOLE_LINES and (self.utf8 or str(value).isascii()):
            return f"{name}: {value}\r\n"
        if name.lower() == "from":  # a name beyond ASCII: encoded by itself, so that the address stays whole
            (address,) = value.addresses
            encoded_name = Header(address.display_name, "utf-8", maxlinelen=75, header_name=name).encode(linesep="\r\n")
            return f"{name}: {encoded_name}\r\n <{address.addr_spec}>\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


PLAIN = _Policy(**{name: getattr(SMTP, name) for name in ("linesep", "raise_on_defect")}, max_line_length=76)
_WIDE = PLAIN.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address as SMTP and the header carry it. `repr` shows nothing."""

    local: str
    domain: str

    @property
    def needs_utf8(self) -> bool:
        """Whether the part before the @ is not ASCII, so that the relay must offer SMTPUTF8."""
        return not self.local.isascii()

    def envelope(self) -> str:
        """Return `local@domain`, the domain in A-labels."""
        return f"{self.local}@{self.domain}"

    def __repr__(self) -> str:
        return "<Recipient>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """What every mail has. Its type decides what else it may carry (WALL 3)."""

    to: EmailAddress
    site_name: str
    message_id: str
    """With its angle brackets."""
    maybe_twice: bool = False
    """An earlier try may have arrived: the mail says so."""
    said: Sequence[MessageText] = ()
    """For the leak index alone: what of this mail, or of what lies behind its link, is said to everybody."""

    OWN: ClassVar = frozenset({"to", "said"})
    """Fields that hold the recipient's own words, or do not stand in the mail."""
    FIGURES: ClassVar = frozenset[str]()
    """Fields that hold figures, periods and names of things, and could hold nobody's."""
    WORDED: ClassVar = frozenset[str]()
    """Fields in which the program's words and somebody's stand together; `values` has the latter."""
    TEMPLATE: ClassVar = ""
    """The template of its HTML part, such as `newsletter/emails/confirmation.html`; empty: it is plain text alone."""

    def __post_init__(self) -> None:
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise LetterError("The Message-ID does not have the form <id@domain>.")

    def subject(self) -> str:
        """Return the subject, on one line."""
        raise NotImplementedError

    def text(self) -> str:
        """Return the plain text, lines separated by a newline."""
        raise NotImplementedError

    def page(self) -> str | None:
        """Return the same as HTML, whole; None for an email that is text alone."""
        if not self.TEMPLATE:
            return None
        site = one_line(self.site_name)
        return email_html.render(self.TEMPLATE, mail=self, site=site, one_line=one_line, twice=TWICE)

    def headers(self) -> dict[str, str]:
        """Return further header fields, such as `List-Unsubscribe`."""
        return {}

    def own_words(self) -> str:
        """Return what the recipient had entered: the leak check lets it pass, whatever it contains."""
        return ""

    def looked_at_apart(self) -> str | None:
        """Of a mail whose words are the same for many and were looked through once: what is this recipient's alone.
        None: the whole mail is to be looked through."""
        return None

    def beside(self) -> Sequence[MessageText]:
        """Return what the link in this email leads to: the leak check examines it like the email itself."""
        return ()


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails are from."""

    address: Recipient
    name: str = ""
    """Empty: the vendor's name."""


def recipient(address: EmailAddress | str) -> Recipient:
    """Parse an address, its domain into A-labels (UTS 46). Raises `LetterError` if no email can be sent to it."""
    text = address.reveal() if isinstance(address, EmailAddress) else address
    local, at, domain = text.rpartition("@")
    ascii_domain = _a_labels(domain)
    good = at and _ATOM.fullmatch(local) and len(local.encode()) <= 64
    if not good or not ascii_domain or len(ascii_domain) > 253 or _has_controls(local):
        raise LetterError("Email cannot be sent to this address.")
    return Recipient(local, ascii_domain)


def _a_labels(domain: str) -> str:
    """The domain in A-labels (UTS 46), in lower case; empty where it is none."""
    if _PLAIN_DOMAIN.fullmatch(domain):
        return domain.lower()  # what `idna` would say, which takes ten times as long as all else here
    try:
        return idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return ""


_PLAIN_DOMAIN = re.compile(
    r"(?:(?![^.]{2}--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}", re.ASCII | re.IGNORECASE
)


def write(mail: Mail, to: Recipient, sender: Sender, at: datetime | None = None) -> bytes:
    """Return the complete email with CRLF line ends, unsigned. `to`: its recipient, parsed. `at`: its date, by default
    now."""
    headers = {name: _in_ascii(name, value) for name, value in mail.headers().items()}
    answered_to = [header for name in _OF_ADDRESSES if (header := headers.get(name)) and not header.isascii()]
    wide = to.needs_utf8 or sender.address.needs_utf8 or bool(answered_to)
    message = EmailMessage(policy=_WIDE if wide else PLAIN)
    message["From"] = shown_sender(sender, mail.site_name)
    message["To"] = to.envelope()
    message["Subject"] = one_line(mail.subject())
    message["Date"] = format_datetime(at or clock.now())
    message["Message-ID"] = plain_message_id(mail.message_id)
    message["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        if name not in MAY_ADD:
            raise LetterError(f"An email may not have the header {name}.")  # such as Bcc: nobody but `to` gets it
        message[name] = value
    _set_text(message, mail.text())
    page = mail.page()
    if page is not None:
        plain = page.encode("ascii", "xmlcharrefreplace").decode("ascii")
        cte = "7bit" if max(map(len, plain.split("\n"))) < _LONGEST_LINE else "quoted-printable"
        message.add_alternative(plain, subtype="html", charset="us-ascii", cte=cte)
        message.set_boundary(boundary(mail.message_id))
    return message.as_bytes()


def boundary(message_id: str) -> str:
    """Return what parts the parts of an email: the standard library's would come from `random`, and vary."""
    return f"=_{message_id[1:].partition('@')[0][:60].translate(_FOR_BOUNDARY)}"


_FOR_BOUNDARY = {ord(char): "_" for char in "!#$%&'*/^`{|}~?+="}


def letter(paragraphs: Sequence[str], signature: str) -> str:
    """Return a plain text of these paragraphs, signed."""
    return "\n\n".join([*paragraphs, f"-- \n{signature}"]) + "\n"


def one_line(text: str) -> str:
    """Return `text` with controls, line and paragraph separators as single spaces."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(" " if unicodedata.category(c) in _NOT_SHOWN else c for c in text).split())


_NOT_SHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def _has_controls(text: str) -> bool:
    if text.isascii():
        return not text.isprintable() or " " in text
    return any(unicodedata.category(char) in (*_NOT_SHOWN, "Zs", "Cn", "Co") for char in text)


def shown_sender(sender: Sender, site_name: str) -> Address:
    """Return whom an email is from: the sender's name, or the vendor's."""
    name = one_line(sender.name) or one_line(site_name)
    return Address(display_name=name, username=sender.address.local, domain=sender.address.domain)


def _in_ascii(name: str, value: str) -> str:
    """Return a header's value with the domains of its addresses and ids in A-labels."""
    if name in _OF_ADDRESSES:
        return recipient(value).envelope()
    if name in _OF_IDS:
        return " ".join(plain_message_id(message_id) for message_id in value.split())
    return value


def plain_message_id(text: str) -> str:
    """Return a Message-ID with its domain in A-labels. Raises `LetterError`."""
    local, _, domain = text[1:-1].partition("@")
    try:
        return f"<{local}@{_encoded(domain)}>"
    except (idna.IDNAError, UnicodeError):
        raise LetterError("The Message-ID's domain is not valid.", mend="Set `sender` under [mail].") from None


@lru_cache(maxsize=16)
def _encoded(domain: str) -> str:
    return idna.encode(domain, uts46=True).decode("ascii")


def check_link(url: str, name: str) -> None:
    """Check that `url` is a complete web address, encrypted unless on this machine. Raises `LetterError`, which has
    `name`."""
    if not _URL.fullmatch(url) or len(url) > 800:
        raise LetterError(f"A link in an email is not a web address: {name}.", mend="Check `url` under [site].")
    if not url.startswith("https:") and _is_open(url[: _AFTER_HOST.search(url, len("http://")).start()]):  # type: ignore[union-attr]
        raise LetterError(f"A link in an email is not encrypted: {name}.", mend="Use https:// in `url` under [site].")


_AFTER_HOST = re.compile(r"[/?#]|$")


@lru_cache(maxsize=16)
def _is_open(start: str) -> bool:
    """Return whether what an address without encryption begins with leads over a network."""
    return not is_local_site(urlsplit(start).hostname or "")


def origin(url: str) -> tuple[str, str]:
    """Return the scheme and host of a web address."""
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _set_text(message: EmailMessage, text: str) -> None:
    if text.isascii() and max(map(len, text.split("\n"))) < _LONGEST_LINE:
        message.set_content(text, charset="us-ascii", cte="7bit")
    else:
        message.set_content(text, charset="utf-8", cte="quoted-printable")
