"""What a form must show before it is taken: work done by the visitor's browser, or, without JavaScript, time spent
waiting. Both are signed with the launcher's key, so any front accepts what another issued, and spent at the clerk, once
for all fronts. The work is ALTCHA's version 2 challenge with SHA-256."""

import base64
import binascii
import hmac
import math
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

import altcha
import msgspec

from troth.core import clock
from troth.core.errors import TrothError

WORK_SECONDS = 20 * 60
"""How long a challenge may be answered."""
TICKET_SECONDS = 2 * 60 * 60
"""How long a waiting ticket is good for."""
_LONGEST = 2_000
_TICKET_VERSION = 1
_TICKET_SIZE = 33


class WorkRefused(TrothError):
    """The proof is not ours, is wrong or has run out. A new one helps."""

    retry = True


class TooEarly(WorkRefused):
    """The waiting ticket is good, but its time has not come. `seconds` are left."""

    def __init__(self, seconds: int) -> None:
        unit = "second" if seconds == 1 else "seconds"
        super().__init__(f"Please wait {seconds} more {unit}.", mend="Then press the button again.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class SolvedWork:
    """A good proof, as the clerk spends it: `once` may not come again before `until` (seconds since 1970)."""

    once: bytes
    until: int


class _Parameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    algorithm: Literal["SHA-256"]
    nonce: str
    salt: str
    cost: Literal[1]
    keyLength: Literal[32]
    keyPrefix: str
    expiresAt: int


class _Challenge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    parameters: _Parameters
    signature: str


class _Solution(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    counter: int
    derivedKey: str
    time: float | None = None


class _Payload(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    challenge: _Challenge
    solution: _Solution


class ProofOfWork:
    """`mean`: guesses a browser makes on average, 0 asks for none. `wait`: seconds of waiting instead."""

    def __init__(self, secret: bytes, mean: int, wait: int) -> None:
        self.mean, self.wait, self._secret = mean, wait, secret
        self._ticket_key = hmac.digest(secret, b"troth waiting ticket v1", "sha256")

    def challenge(self) -> dict[str, Any]:
        """Return a fresh challenge, as JSON has it."""
        until = int(clock.now().timestamp()) + WORK_SECONDS
        challenge = altcha.create_challenge(
            "SHA-256",
            1,
            counter=secrets.randbelow(max(1, 2 * self.mean)),
            expires_at=until,
            hmac_secret=self._secret,
        )
        return dict(challenge.to_dict())

    def redeem_work(self, text: str) -> SolvedWork:
        """Return the proof in a solved challenge (base64 of JSON). Raises `WorkRefused`."""
        payload = _decode(text)
        # Its `expired` asks the machine's clock; ours is the one that tests hold.
        if clock.now().timestamp() > payload.challenge.parameters.expiresAt:
            raise WorkRefused("The bot check timed out.", mend="Press the button again.")
        fields = msgspec.to_builtins(payload)
        solved = altcha.Payload.from_dict(fields)
        if not altcha.verify_solution(solved, self._secret).verified:
            raise WorkRefused("The bot check failed.", mend="Press the button again.")
        return SolvedWork(
            sha256(payload.challenge.signature.encode()).digest()[:16], payload.challenge.parameters.expiresAt + 1
        )

    def ticket(self) -> str:
        """Return a waiting ticket that begins now."""
        head = bytes([_TICKET_VERSION]) + int(clock.now().timestamp()).to_bytes(4) + os.urandom(12)
        return base64.urlsafe_b64encode(head + self._mac(head)).decode()

    def redeem_ticket(self, text: str) -> SolvedWork:
        """Return the proof in a waiting ticket. Raises `TooEarly` or `WorkRefused`."""
        raw = _ticket_bytes(text)
        if (
            len(raw) != _TICKET_SIZE
            or raw[0] != _TICKET_VERSION
            or not hmac.compare_digest(self._mac(raw[:17]), raw[17:])
        ):
            raise WorkRefused("This form was not issued by this site.", mend="Press the button again.")
        issued, now = int.from_bytes(raw[1:5]), clock.now().timestamp()
        if not issued <= now <= issued + TICKET_SECONDS:
            raise WorkRefused("This form was open too long.", mend="Press the button again.")
        if now < issued + self.wait:
            raise TooEarly(math.ceil(issued + self.wait - now))
        return SolvedWork(sha256(raw).digest()[:16], issued + TICKET_SECONDS + 1)

    def ticket_lives(self, text: str) -> bool:
        """Whether the ticket is ours and not too old: then its waiting time goes on counting."""
        try:
            self.redeem_ticket(text)
        except TooEarly:
            return True
        except WorkRefused:
            return False
        return True

    def _mac(self, head: bytes) -> bytes:
        return hmac.digest(self._ticket_key, head, "sha256")[:16]


def _ticket_bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text.encode("ascii"), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return b""


def _decode(text: str) -> _Payload:
    try:
        if len(text) > _LONGEST:
            raise ValueError
        return _payloads.decode(base64.b64decode(text.encode("ascii"), validate=True))
    except (ValueError, msgspec.MsgspecError):
        raise WorkRefused("The bot check failed.", mend="Press the button again.") from None


_payloads = msgspec.json.Decoder(_Payload)
