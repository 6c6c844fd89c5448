"""Sign licences and revocation lists with the site's licence keys, and make such keys. Worker and command line only.

    keys/licence/1.key      32 bytes, an Ed25519 private key (RFC 8032); the highest number signs licences
    keys/licence/2.next     the key after it: told to programs, not used yet

Revocation lists are signed with every key, so that a program which knows any of them can read the list. May touch:
`keys/licence/`.
"""

import base64
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.core.disk import sync_folder, write_synced
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.shop.licences.verifier import (
    CODE,
    DAY_ZERO,
    LICENCE_CONTEXT,
    REVOCATIONS_CONTEXT,
    REVOCATIONS_KIND,
    VERSION,
    key_id,
)
from troth.supervisor.safe_write import acting_as, owner_of

BEGIN, END = "-----BEGIN LICENCE KEY-----", "-----END LICENCE KEY-----"
_GROUP, _GROUPS_IN_A_LINE = 6, 8
MOST_SEATS = 2**32 - 1
_LAST_DAY = 2**16 - 1


class LicenceKeyError(TrothError):
    """A licence key or its signing key cannot be made or used."""


@dataclass(frozen=True, slots=True)
class LicenceTerms:
    """What a licence is to say. Product, edition and order number are codes (`verifier.CODE`); edition may be empty."""

    product: str
    order: str
    issued: date
    edition: str = ""
    seats: int = 1
    """0: any number."""
    valid_until: date | None = None
    updates_until: date | None = None
    upgrade_of: str = ""
    """The id of the licence that this one replaces."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One of the site's licence keys. `in_use`: whether licences may be signed with it, or it is the next."""

    number: int
    key: Ed25519PrivateKey
    in_use: bool

    @property
    def public(self) -> bytes:
        """The public half, 32 bytes."""
        return self.key.public_key().public_bytes_raw()

    @property
    def id(self) -> str:
        """By what licences name it."""
        return key_id(self.public)

    @property
    def text(self) -> str:
        """The public half as programs that check licences carry it."""
        return base64.b64encode(self.public).decode()


def new_id() -> str:
    """Return the id of a new licence: eight random bytes as hexadecimal digits."""
    return secrets.token_hex(8)


def sign(ident: str, terms: LicenceTerms, key: SigningKey) -> str:
    """Return the licence key's text. The same id, terms and key give the same text. Raises `LicenceKeyError`."""
    payload = _payload(ident, terms, key)
    return to_text(payload + key.key.sign(LICENCE_CONTEXT + payload))


def _payload(ident: str, terms: LicenceTerms, key: SigningKey) -> bytes:
    if not (CODE.fullmatch(terms.product) and CODE.fullmatch(terms.order)):
        raise LicenceKeyError("A licence needs a product and an order number of at most 40 plain characters each.")
    if terms.edition and not CODE.fullmatch(terms.edition):
        raise LicenceKeyError("The edition in a licence has at most 40 plain characters.")
    if not 0 <= terms.seats <= MOST_SEATS:
        raise LicenceKeyError("The number of seats in a licence is too large.")
    return b"".join(
        (
            bytes([VERSION]),
            bytes.fromhex(key.id),
            _ident(ident),
            *(_day(day) for day in (terms.issued, terms.valid_until, terms.updates_until)),
            terms.seats.to_bytes(4),
            _ident(terms.upgrade_of) if terms.upgrade_of else bytes(8),
            *(bytes([len(text)]) + text.encode("ascii") for text in (terms.product, terms.edition, terms.order)),
        )
    )


def _ident(text: str) -> bytes:
    try:
        raw = bytes.fromhex(text)
    except ValueError:
        raw = b""
    if len(raw) != 8 or not any(raw):
        raise LicenceKeyError("A licence's id has sixteen hexadecimal digits, not all of them 0.")
    return raw


def _day(day: date | None) -> bytes:
    number = (day - DAY_ZERO).days if day else 0
    if (day and number == 0) or not 0 <= number <= _LAST_DAY:
        raise LicenceKeyError("The days in a licence lie between 1970-01-02 and 2149-06-06.")
    return number.to_bytes(2)


def to_text(raw: bytes) -> str:
    """Return these bytes as base32 in groups, between a BEGIN and an END line."""
    signs = base64.b32encode(raw).decode().rstrip("=")
    groups = [signs[place : place + _GROUP] for place in range(0, len(signs), _GROUP)]
    lines = ["-".join(groups[place : place + _GROUPS_IN_A_LINE]) for place in range(0, len(groups), _GROUPS_IN_A_LINE)]
    return "\n".join((BEGIN, *lines, END)) + "\n"


def sign_revocations(number: int, issued: date, licences: Iterable[str], keys: Iterable[SigningKey]) -> str:
    """Return the revocation list with these licences' ids, signed with each of these keys."""
    content = {REVOCATIONS_KIND: 1, "number": number, "issued": issued.isoformat(), "licences": sorted(set(licences))}
    signed = json.dumps(content, separators=(",", ":"))
    signatures = [
        {"key": key.id, "signature": base64.b64encode(key.key.sign(REVOCATIONS_CONTEXT + signed.encode())).decode()}
        for key in keys
    ]
    return json.dumps({"signed": signed, "signatures": signatures}, indent=1) + "\n"


# -- the site's keys --------------------------------------------------------------------------------------------------


def load(site: Site) -> list[SigningKey]:
    """Return the site's licence keys, lowest number first; none before the first was made. Raises `LicenceKeyError`."""
    paths = [path for path in site.licence_keys.glob("*") if path.suffix in (".key", ".next") and path.stem.isdigit()]
    by_number = {int(path.stem): path for path in sorted(paths, key=lambda path: path.suffix, reverse=True)}
    return [_load(by_number[number]) for number in sorted(by_number)]  # a backup may bring back a `next` that is used


def _load(path: Path) -> SigningKey:
    try:
        key = Ed25519PrivateKey.from_private_bytes(path.read_bytes())
    except ValueError:
        raise LicenceKeyError(
            f"keys/licence/{path.name} is not whole.", mend="Restore keys/licence/ from your backup."
        ) from None
    return SigningKey(int(path.stem), key, path.suffix == ".key")


def current(keys: Iterable[SigningKey]) -> SigningKey:
    """Return the key that signs licences now. Raises `LicenceKeyError` where there is none."""
    usable = [key for key in keys if key.in_use]
    if not usable:
        raise LicenceKeyError("There is no key to sign licences with.", mend="Create it: troth licence new-key")
    return usable[-1]


def make(site: Site) -> SigningKey:
    """Make the next key; the very first is in use at once. Returns it. Raises `LicenceKeyError`."""
    keys = load(site)
    if any(not key.in_use for key in keys):
        raise LicenceKeyError(
            "There is a key already that is not in use yet.", mend="Put it to use first: troth licence use-key"
        )
    folder = site.licence_keys
    number, suffix = (keys[-1].number + 1, "next") if keys else (1, "key")
    with _writing(folder):
        _make_folder(folder, site.sign_keys)
        with acting_as(owner_of(folder)):
            write_synced(folder / f".{number}.new", Ed25519PrivateKey.generate().private_bytes_raw(), mode=0o600)
            (folder / f".{number}.new").rename(folder / f"{number}.{suffix}")
            sync_folder(folder)
    return _load(folder / f"{number}.{suffix}")


def use(site: Site) -> SigningKey:
    """Sign licences with the next key from now on. Returns it. Raises `LicenceKeyError`."""
    waiting = next((key for key in load(site) if not key.in_use), None)
    if waiting is None:
        raise LicenceKeyError("There is no key that waits to be used.", mend="Create it: troth licence new-key")
    folder = site.licence_keys
    with _writing(folder), acting_as(owner_of(folder)):
        (folder / f"{waiting.number}.next").rename(folder / f"{waiting.number}.key")
        sync_folder(folder)
    return _load(folder / f"{waiting.number}.key")


def _make_folder(folder: Path, beside: Path) -> None:
    """Make the folder, where it is missing, for the user whose `beside` is."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700)
    if os.geteuid() == 0:
        status = beside.stat()
        os.chown(folder, status.st_uid, status.st_gid, follow_symlinks=False)
    sync_folder(folder.parent)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LicenceKeyError(
            f"{folder} cannot be written to: {os.strerror(error.errno or 0)}.", mend="Run this as the site's owner."
        ) from None
