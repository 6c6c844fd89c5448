"""The emails that the test mail server keeps in memory, and how each is shown."""

import email
import email.policy
import logging
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Literal, get_args

import dkim

from troth.core import clock

type Verdict = Literal["good", "bad", "unsigned", "unknown"]
type Mode = Literal["ok", "refuse", "tempfail", "slow", "die-after-data", "die-before-data", "down"]
MODES: tuple[Mode, ...] = get_args(Mode.__value__)
MOST = 2_000
_SILENT = logging.getLogger("troth.demo.dkim")
_SILENT.disabled = True


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """One email as received. `number` counts from 1 and is never reused."""

    number: int
    recipient: str
    content: bytes
    at: datetime
    dkim: Verdict
    """`unknown`: signed with a key that this server does not have."""

    @property
    def raw(self) -> str:
        """Return the whole email as text; invalid UTF-8 is replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def message(self) -> EmailMessage:
        """Return the parsed email."""
        message = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    @property
    def subject(self) -> str:
        """Return the decoded subject."""
        return str(self.message.get("Subject", "(no subject)"))

    def part(self, kind: Literal["plain", "html"]) -> str:
        """Return the text of the first part of this kind; empty if there is none."""
        body = self.message.get_body((kind,))
        if body is None:
            return ""
        try:
            return str(body.get_content())
        except (LookupError, ValueError, KeyError):  # an encoding that does not exist
            return str(body.get_payload())


class Mailbox:
    """The last 2,000 emails, oldest first. `records` holds DKIM's DNS records by name."""

    def __init__(self, records: dict[str, str] | None = None, most: int = MOST) -> None:
        self._mails: deque[ReceivedMail] = deque(maxlen=most)
        self._records = {name.rstrip("."): value.encode() for name, value in (records or {}).items()}
        self._count = 0

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[ReceivedMail]:
        return iter(self._mails)

    def keep(self, recipient: str, content: bytes) -> None:
        """Add an email; the oldest one is dropped if there are too many."""
        self._count += 1
        self._mails.append(ReceivedMail(self._count, recipient, content, clock.now(), self._judge(content)))

    def get(self, number: int) -> ReceivedMail | None:
        """Return the email with this number, if it is still kept."""
        return next((mail for mail in self._mails if mail.number == number), None)

    def clear(self) -> None:
        """Delete all emails."""
        self._mails.clear()

    def _judge(self, content: bytes) -> Verdict:
        if b"\r\ndkim-signature:" not in b"\r\n" + content.partition(b"\r\n\r\n")[0].lower():
            return "unsigned"
        is_known = True

        def look_up(name: bytes, timeout: int = 5) -> bytes | None:
            nonlocal is_known
            records = self._records.get(name.decode("ascii", "replace").rstrip("."))
            is_known = records is not None
            return records

        try:
            good = dkim.verify(content, logger=_SILENT, dnsfunc=look_up)
        except Exception:  # dkimpy raises whatever a strange mail makes it meet; all of it means: not good
            good = False
        return "good" if good else "bad" if is_known else "unknown"
