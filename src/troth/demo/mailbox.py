"""The mails that the demo's mail company keeps, in memory, and how each is shown.

May touch: nothing.
"""

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
class Mail:
    """One mail as it came over the wire. `number` counts from 1 and is never used again."""

    number: int
    recipient: str
    content: bytes
    at: datetime
    dkim: Verdict
    """`unknown`: signed, by a key that this mail company was not shown."""

    @property
    def raw(self) -> str:
        """The whole mail as text; bytes that are no UTF-8 are replaced."""
        return self.content.decode("utf-8", "replace")

    @property
    def message(self) -> EmailMessage:
        """The mail taken apart."""
        made = email.message_from_bytes(self.content, policy=email.policy.default)
        assert isinstance(made, EmailMessage)
        return made

    @property
    def subject(self) -> str:
        """The subject as people read it."""
        return str(self.message.get("Subject", "(no subject)"))

    def part(self, kind: Literal["plain", "html"]) -> str:
        """The text of the first part of this kind; empty where there is none."""
        found = self.message.get_body((kind,))
        if found is None:
            return ""
        try:
            return str(found.get_content())
        except (LookupError, ValueError, KeyError):  # an encoding that does not exist
            return str(found.get_payload())


class Mailbox:
    """The last 2,000 mails, oldest first. `records` holds DKIM's DNS records by name."""

    def __init__(self, records: dict[str, str] | None = None, most: int = MOST) -> None:
        self._mails: deque[Mail] = deque(maxlen=most)
        self._records = {name.rstrip("."): value.encode() for name, value in (records or {}).items()}
        self._count = 0

    def __len__(self) -> int:
        return len(self._mails)

    def __iter__(self) -> Iterator[Mail]:
        return iter(self._mails)

    def keep(self, recipient: str, content: bytes) -> None:
        """File a mail; the oldest one makes room."""
        self._count += 1
        self._mails.append(Mail(self._count, recipient, content, clock.now(), self._judge(content)))

    def get(self, number: int) -> Mail | None:
        """The mail with this number, if it is still here."""
        return next((mail for mail in self._mails if mail.number == number), None)

    def clear(self) -> None:
        """Throw all mails away."""
        self._mails.clear()

    def _judge(self, content: bytes) -> Verdict:
        if b"\r\ndkim-signature:" not in b"\r\n" + content.partition(b"\r\n\r\n")[0].lower():
            return "unsigned"
        known = True

        def look_up(name: bytes, timeout: int = 5) -> bytes | None:
            nonlocal known
            found = self._records.get(name.decode("ascii", "replace").rstrip("."))
            known = found is not None
            return found

        try:
            good = dkim.verify(content, logger=_SILENT, dnsfunc=look_up)
        except Exception:  # dkimpy raises whatever a strange mail makes it meet; all of it means: not good
            good = False
        return "good" if good else "bad" if known else "unknown"
