"""Check licence keys and revocation lists, without a network (docs/licence-format.md describes both, byte by byte).

    verifier = Verifier(["<public key>"], product="editor")
    licence = verifier.verify(text)         # a `Licence`, or LicenceRefused with its `reason`
    if not licence.updates_cover(date(2026, 11, 30)): ...

This one file is also the package `troth-licence` (packages/licence-python), which vendors ship with their programs: it
imports nothing of Troth's, and needs `cryptography` alone. Touches neither files nor network.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

VERSION = 1
LICENCE_CONTEXT = b"troth licence 1\0"
REVOCATIONS_CONTEXT = b"troth revoked licences 1\0"
"""What each signature covers before the signed bytes, so that neither passes for the other."""
REVOCATIONS_KIND = "troth_revoked_licences"
DAY_ZERO = date(1970, 1, 1)
CODE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/+-]{0,38}[A-Za-z0-9.+])?")
"""Product, edition, order number: at most 40 characters of ASCII, as no two of which look alike by accident."""

_SIGNATURE = 64
_FIXED = 31
"""Bytes before the three texts."""
_LARGEST = _FIXED + 3 * 41 + _SIGNATURE
_LONGEST_TEXT = 64 * 1024
_LONGEST_LIST = 64 * 1024 * 1024
_BEGIN, _END = (
    re.compile(r"[\s>=]*".join(words), re.IGNORECASE)  # where a line may have been broken, and quoted
    for words in ("BEGINLICENCEKEY", "ENDLICENCEKEY")
)
# Base32 (RFC 4648) in either case; what is mistaken for a letter when it is typed; everything else is left out.
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_BASE_32 = b"0123456789abcdefghijklmnopqrstuv"
_TO_BASE_32 = bytes.maketrans(
    _ALPHABET + _ALPHABET[:26].lower() + b"018", _BASE_32 + _BASE_32[:26] + _BASE_32[14:15] + b"81"
)
_NO_SIGNS = bytes(code for code in range(256) if not chr(code).isalnum() or code > 127 or code == ord("9"))


class LicenceRefused(Exception):
    """A text that is no good licence key or revocation list. `reason` is one of `REASONS`, for programs."""

    def __init__(self, reason: str) -> None:
        super().__init__(REASONS[reason])
        self.reason = reason


REASONS = {
    "unreadable": "This is not a whole licence key. Copy all of it, from BEGIN to END.",
    "unknown-version": "This licence key is of a newer format. Update the program that checks it.",
    "unknown-key": "This licence key was signed with a key that this program does not know.",
    "altered": "This licence key was altered: its signature does not fit.",
    "other-product": "This licence key is for another product.",
    "expired": "This licence has expired.",
    "revoked": "This licence was revoked: its purchase was refunded or cancelled.",
    "list-unreadable": "This is not a whole revocation list.",
    "list-unknown-key": "This revocation list was signed with a key that this program does not know.",
    "list-altered": "This revocation list was altered: its signature does not fit.",
    "list-older": "This revocation list is older than one that was seen before.",
}


@dataclass(frozen=True, slots=True)
class Licence:
    """What a licence key says, its signature checked. It names nobody."""

    id: str
    """Sixteen hexadecimal digits, by which it may be revoked."""
    key: str
    """The id of the key that signed it: eight hexadecimal digits."""
    product: str
    edition: str
    order: str
    seats: int
    """0: any number."""
    issued: date
    valid_until: date | None
    """The last day; None: it does not expire."""
    updates_until: date | None
    """Versions released until this day are included; None: all."""
    upgrade_of: str
    """The id of the licence that this one replaces, or nothing."""

    def updates_cover(self, released: date) -> bool:
        """Return whether a version that was released on this day is included."""
        return self.updates_until is None or released <= self.updates_until


@dataclass(frozen=True, slots=True)
class Revocations:
    """A revocation list whose signature is good. Keep `number`: an older list is refused by it."""

    number: int
    issued: date
    licences: frozenset[str]


class Verifier:
    """Checks licence keys of one vendor. Make it once: it holds the parsed public keys."""

    def __init__(self, keys: Iterable[str], *, product: str | None) -> None:
        """`keys`: public keys as `troth licence keys` prints them, in base64; old ones stay, for the licences they
        signed. `product`: the only one that is accepted; None: any, and the caller looks. Raises `ValueError`."""
        raw = [base64.b64decode(key, validate=True) for key in keys]
        self._keys = {key_id(key): Ed25519PublicKey.from_public_bytes(key) for key in raw}
        self._product = product

    def verify(self, text: str, *, today: date | None = None, revocations: Revocations | None = None) -> Licence:
        """Return the licence in `text`, such as an email with a licence key in it. `today`: default: today, UTC.
        Raises `LicenceRefused`."""
        raw = from_text(text)
        if raw[0] != VERSION:
            raise LicenceRefused("unknown-version")
        licence = parse(raw[:-_SIGNATURE])
        self._check(licence.key, raw[-_SIGNATURE:], LICENCE_CONTEXT + raw[:-_SIGNATURE], "")
        if self._product is not None and licence.product != self._product:
            raise LicenceRefused("other-product")
        if revocations is not None and licence.id in revocations.licences:
            raise LicenceRefused("revoked")
        if licence.valid_until is not None and (today or datetime.now(UTC).date()) > licence.valid_until:
            raise LicenceRefused("expired")
        return licence

    def revocations(self, text: str, *, at_least: int = 0) -> Revocations:
        """Return the revocation list in `text`. `at_least`: the number of the newest one seen so far. Raises
        `LicenceRefused`."""
        try:
            shell: Any = json.loads(text) if len(text) <= _LONGEST_LIST else None
            signed = shell["signed"].encode()
            signatures = [(entry["key"], base64.b64decode(entry["signature"])) for entry in shell["signatures"]]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise LicenceRefused("list-unreadable") from None
        known = next((pair for pair in signatures if isinstance(pair[0], str) and pair[0] in self._keys), None)
        if known is None:
            raise LicenceRefused("list-unknown-key")
        self._check(*known, REVOCATIONS_CONTEXT + signed, "list-")
        revocations = _revocations(signed)
        if revocations.number < at_least:
            raise LicenceRefused("list-older")
        return revocations

    def _check(self, key: str, signature: bytes, message: bytes, prefix: str) -> None:
        if key not in self._keys:
            raise LicenceRefused(f"{prefix}unknown-key")
        try:
            self._keys[key].verify(signature, message)
        except InvalidSignature:
            raise LicenceRefused(f"{prefix}altered") from None


def key_id(public: bytes) -> str:
    """Return by what a licence names the key that signed it: the first four bytes of the key's SHA-256, as hex."""
    return sha256(public).hexdigest()[:8]


def from_text(text: str) -> bytes:
    """Return the bytes that stand in `text` as base32, between the BEGIN and END lines if it has them. Whatever email
    programs, quoting and typing put between the letters is left out. Raises `LicenceRefused`."""
    if len(text) > _LONGEST_TEXT:
        raise LicenceRefused("unreadable")
    if begin := _BEGIN.search(text):
        end = _END.search(text, begin.end())
        if end is None:
            raise LicenceRefused("unreadable")
        text = text[begin.end() : end.start()]
    signs = text.encode("ascii", "ignore").translate(_TO_BASE_32, _NO_SIGNS)
    size, spare = divmod(5 * len(signs), 8)
    if not _FIXED + _SIGNATURE < size <= _LARGEST or spare > 4:
        raise LicenceRefused("unreadable")
    value = int(signs, 32)
    if value & ((1 << spare) - 1):  # one licence has one spelling
        raise LicenceRefused("unreadable")
    return (value >> spare).to_bytes(size, "big")


def parse(payload: bytes) -> Licence:
    """Return what these bytes say, without a look at any signature. Raises `LicenceRefused`."""
    texts, place = list[str](), _FIXED
    for _ in range(3):
        length = payload[place] if place < len(payload) else 0
        texts.append(payload[place + 1 : place + 1 + length].decode("latin-1"))
        place += 1 + length
    product, edition, order = texts
    good = CODE.fullmatch(product) and CODE.fullmatch(order) and (not edition or CODE.fullmatch(edition))
    if place != len(payload) or not good:
        raise LicenceRefused("unreadable")
    upgrade_of = payload[23:31]
    return Licence(
        key=payload[1:5].hex(),
        id=payload[5:13].hex(),
        product=product,
        edition=edition,
        order=order,
        seats=int.from_bytes(payload[19:23], "big"),
        issued=DAY_ZERO + timedelta(int.from_bytes(payload[13:15], "big")),
        valid_until=_day(payload[15:17]),
        updates_until=_day(payload[17:19]),
        upgrade_of=upgrade_of.hex() if any(upgrade_of) else "",
    )


def _day(raw: bytes) -> date | None:
    number = int.from_bytes(raw, "big")
    return DAY_ZERO + timedelta(number) if number else None


def _revocations(signed: bytes) -> Revocations:
    try:
        content: Any = json.loads(signed)
        if content[REVOCATIONS_KIND] != 1 or type(content["number"]) is not int:
            raise ValueError
        licences = frozenset(content["licences"])
        if not all(re.fullmatch("[0-9a-f]{16}", ident) for ident in licences):
            raise ValueError
        return Revocations(content["number"], date.fromisoformat(content["issued"]), licences)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise LicenceRefused("list-unreadable") from None
