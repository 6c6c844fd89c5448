"""What a mail may contain, decided by its type, and the mail as bytes.

`ConfirmationMail` has no field for anything that a visitor typed but the address it goes to: whoever signs up a victim
cannot say a word to them (list bombing). No picture, no script, no tracking, nothing loaded from anywhere.

Sources: RFC 5322, RFC 2369 and 8058 (leaving by one click), RFC 3834 (`Auto-Submitted`), RFC 6531 (SMTPUTF8).
May touch: nothing; it turns values into bytes.
"""

import html
import re
import unicodedata
from dataclasses import dataclass, replace
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

import idna

from troth.gate.doors import is_loopback
from troth.ground import clock
from troth.ground.errors import TrothError
from troth.ground.personal import EmailAddress

_ATOM = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]+)*")
_URL = re.compile(r"https?://[A-Za-z0-9\[\]][A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*")
_MESSAGE_ID = re.compile(r"<[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,100}@[^\s<>@]{1,255}>")
_WHOLE_LINES = frozenset({"list-unsubscribe", "message-id", "to", "from"})
_LONGEST_LINE = 900  # RFC 5322, 2.1.1 allows 998


class LetterError(TrothError):
    """A mail that cannot be made. Says what is wrong with it, never for whom it was."""


class _Policy(EmailPolicy):
    """`SMTP`, but links and addresses stay whole: the standard library would turn a long link into an encoded word."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() in _WHOLE_LINES and (self.utf8 or str(value).isascii()):
            return f"{name}: {value}\r\n"
        return str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("utf-8" if self.utf8 else "ascii", "surrogateescape")


_PLAIN = _Policy(**{name: getattr(SMTP, name) for name in ("linesep", "raise_on_defect")}, max_line_length=76)
_WIDE = _PLAIN.clone(utf8=True)


@dataclass(frozen=True, slots=True)
class Recipient:
    """An address as SMTP and the header carry it. `repr` shows nothing."""

    local: str
    domain: str

    @property
    def needs_utf8(self) -> bool:
        """Whether the part before the @ goes beyond ASCII, so that the relay must offer SMTPUTF8."""
        return not self.local.isascii()

    def envelope(self) -> str:
        """`local@domain`, the domain in A-labels."""
        return f"{self.local}@{self.domain}"

    def __repr__(self) -> str:
        return "<Recipient>"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationMail:
    """The mail that asks one person whether they meant to sign up. Raises `LetterError` where a link is none."""

    to: EmailAddress
    confirm_url: str
    site_name: str
    form_title: str
    privacy_url: str
    message_id: str
    """With its angle brackets."""
    unsubscribe_url: str
    maybe_twice: bool = False
    """An earlier try may have arrived: the mail says so."""

    def __post_init__(self) -> None:
        _check_link(self.confirm_url, "the link to confirm")
        _check_link(self.unsubscribe_url, "the link to leave")
        if self.privacy_url:
            _check_link(self.privacy_url, "the privacy policy's address")
        if _origin(self.confirm_url) != _origin(self.unsubscribe_url):
            raise LetterError("A mail's links lead to two different sites.", mend="Mint both from `url` under [site].")
        if not _MESSAGE_ID.fullmatch(self.message_id):
            raise LetterError("The Message-ID is not of the form <id@domain>.")


@dataclass(frozen=True, slots=True)
class Sender:
    """Whom mails are from."""

    address: Recipient
    name: str = ""
    """Empty: the vendor's name."""


def recipient(address: EmailAddress | str) -> Recipient:
    """The address, taken apart and its domain in A-labels (UTS 46). `LetterError` where nothing can be sent to it."""
    text = address.reveal() if isinstance(address, EmailAddress) else address
    local, at, domain = text.rpartition("@")
    try:
        ascii_domain = idna.encode(domain, uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        ascii_domain = ""
    good = at and _ATOM.fullmatch(local) and len(local.encode()) <= 64
    if not good or not ascii_domain or len(ascii_domain) > 253 or _has_controls(local):
        raise LetterError("This is not an address that mail can be sent to.")
    return Recipient(local, ascii_domain)


def write(mail: ConfirmationMail, to: Recipient, sender: Sender) -> bytes:
    """The whole mail, lines ending with CRLF, unsigned. `to` is the mail's own recipient, taken apart."""
    message = EmailMessage(policy=_WIDE if to.needs_utf8 or sender.address.needs_utf8 else _PLAIN)
    site, title = one_line(mail.site_name), one_line(mail.form_title)
    message["From"] = _shown(sender.address, one_line(sender.name) or site)
    message["To"] = to.envelope()
    message["Subject"] = f"Please confirm: {title} ({site})"
    message["Date"] = format_datetime(clock.now())
    message["Message-ID"] = _plain_message_id(mail.message_id)
    message["Auto-Submitted"] = "auto-generated"
    message["List-Unsubscribe"] = f"<{mail.unsubscribe_url}>"
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    shown = replace(mail, site_name=site, form_title=title)
    _set_text(message, _text(shown))
    page = _page(shown).encode("ascii", "xmlcharrefreplace").decode("ascii")
    message.add_alternative(page, subtype="html", charset="us-ascii", cte="7bit")
    # Made here: the standard library's boundaries come from `random`, and are the only thing in a mail that varies.
    message.set_boundary(f"=_{mail.message_id[1:].partition('@')[0][:60].translate(_FOR_BOUNDARY)}")
    return message.as_bytes()


_FOR_BOUNDARY = {ord(char): "_" for char in "!#$%&'*/^`{|}~?+="}


def one_line(text: str) -> str:
    """`text` with every control, line and paragraph separator turned into a space, and no space twice."""
    return " ".join("".join(" " if unicodedata.category(c) in _NOT_SHOWN else c for c in text).split())


_NOT_SHOWN = ("Cc", "Cf", "Cs", "Zl", "Zp")


def _has_controls(text: str) -> bool:
    return any(unicodedata.category(char) in (*_NOT_SHOWN, "Zs", "Cn", "Co") for char in text)


def _shown(address: Recipient, name: str) -> Address:
    return Address(display_name=name, username=address.local, domain=address.domain)


def _plain_message_id(text: str) -> str:
    left, _, domain = text[1:-1].partition("@")
    try:
        return f"<{left}@{idna.encode(domain, uts46=True).decode('ascii')}>"
    except (idna.IDNAError, UnicodeError):
        raise LetterError("The Message-ID's domain is none.", mend="Set `sender` under [mail].") from None


def _check_link(url: str, what: str) -> None:
    if not _URL.fullmatch(url) or len(url) > 800:
        raise LetterError(f"A mail's link is not a web address: {what}.", mend="Check `url` under [site].")
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "http" and not (is_loopback(host) or host.endswith(".localhost")):
        raise LetterError(f"A mail's link is not encrypted: {what}.", mend="Use https:// in `url` under [site].")


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _set_text(message: EmailMessage, text: str) -> None:
    if text.isascii() and max(map(len, text.split("\n"))) < _LONGEST_LINE:
        message.set_content(text, charset="us-ascii", cte="7bit")
    else:
        message.set_content(text, charset="utf-8", cte="quoted-printable")


_TWICE = "You may get this mail twice: the connection broke while it was being sent. Either copy works."


def _text(mail: ConfirmationMail) -> str:
    parts = [
        f"Someone, most likely you, asked for this: {mail.form_title}, by {mail.site_name}.",
        f"If it was you, open this page and press the button there:\n\n{mail.confirm_url}",
        "If it was not you, do nothing: nobody is on the list who has not confirmed.",
        *([_TWICE] if mail.maybe_twice else []),
        f"To leave, now or later, open this page:\n\n{mail.unsubscribe_url}",
        *([f"What happens to what you give us:\n\n{mail.privacy_url}"] if mail.privacy_url else []),
        f"-- \n{mail.site_name}",
    ]
    return "\n\n".join(parts) + "\n"


_STYLE = (
    ":root{color-scheme:light dark}"
    "@media (prefers-color-scheme:dark){body,.sheet{background:#16191c!important;color:#e8eaed!important}"
    "a{color:#8fc7ff!important}.button{background:#e8eaed!important;color:#16191c!important}}"
)


def _page(mail: ConfirmationMail) -> str:
    site, title = html.escape(mail.site_name), html.escape(mail.form_title)
    confirm, leave = html.escape(mail.confirm_url), html.escape(mail.unsubscribe_url)
    more = f'<p style="margin:0 0 16px">{_TWICE}</p>\n' if mail.maybe_twice else ""
    privacy = (
        f' · <a href="{html.escape(mail.privacy_url)}" style="color:#0b57a4">What happens to what you give us</a>'
        if mail.privacy_url
        else ""
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="us-ascii"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Please confirm</title><style>{_STYLE}</style></head>
<body style="margin:0;padding:24px;background:#ffffff;color:#1b1f23;font:17px/1.5 system-ui,sans-serif">
<div class="sheet" style="max-width:560px;margin:0 auto">
<h1 style="font-size:22px;line-height:1.3;margin:0 0 16px">{title}, by {site}</h1>
<p style="margin:0 0 16px">Someone, most likely you, asked for this. If it was you, please confirm:</p>
<p style="margin:0 0 24px"><a class="button" href="{confirm}" style="{_BUTTON}">Go to the page that confirms</a></p>
<p style="margin:0 0 16px">If it was not you, do nothing: nobody is on the list who has not confirmed.</p>
{more}<p style="margin:24px 0 0;font-size:14px">
<a href="{leave}" style="color:#0b57a4">Leave, now or later</a>{privacy}</p>
</div></body></html>
"""


_BUTTON = (
    "display:inline-block;padding:12px 20px;border-radius:8px;background:#1b1f23;color:#ffffff;"
    "font-weight:600;text-decoration:none"
)
