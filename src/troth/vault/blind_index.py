"""The blind index: finds the person whom a detail belongs to, without storing the detail (WALL 2).

    digest = HMAC-SHA256(index key of the purpose, kind | 0 | normalised value), its first 16 bytes

It has digests of email address, its domain, full name, each word of the name, and phone number, and slots of the key
store; of what a law requires to be kept, a digest of the record's number only. It is `keys/people/index.sqlite3`,
outside the data's backups, and is rebuilt from the records. It is written before the database commits: a frame that is
processed again finds the same person; a transaction that never commits leaves a slot without a person.
"""

import hmac
import os
import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

import idna

from troth.core.lazy import lazy
from troth.core.personal import EmailAddress, Personal, PersonName, Telephone
from troth.core.purpose import Purpose
from troth.core.text import mailboxes
from troth.core.text.normal_forms import normal
from troth.vault import wal_truncate
from troth.vault.errors import KeyStoreError
from troth.vault.records import Details
from troth.vault.sidecar_db import Besides

if TYPE_CHECKING:
    import phonenumbers
else:
    phonenumbers = lazy("phonenumbers")

EMAIL, DOMAIN, NAME, NAME_WORD, TELEPHONE = "email", "domain", "name", "word", "telephone"
_CHUNK = 500
_STRETCH = 50_000
"""Rows in one transaction during bulk writes: a quarter of a second."""
_MOST_WORDS = 12
"""Words of one name that are indexed; a longer name is found by these."""
_TABLES = """
CREATE TABLE IF NOT EXISTS blind (digest BLOB, slot INTEGER, PRIMARY KEY (digest, slot)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS blind_slot ON blind (slot);
CREATE TABLE IF NOT EXISTS suppressed (mark BLOB PRIMARY KEY, day TEXT NOT NULL) WITHOUT ROWID;
"""


def normalise_email(address: EmailAddress) -> str:
    """Normalise an address for comparison; emails go to the address as it was entered.

    Trimmed, NFC, the domain in IDNA (UTS 46) and lower case. The local part is case-folded: RFC 5321 lets a host
    distinguish `Anna` from `anna`, but no common one does, and one person twice on a list is worse.
    """
    text = normal("NFC", address.reveal().strip())
    local, _, domain = text.rpartition("@")
    return f"{local.casefold()}@{normalise_domain(domain)}"


def normalise_domain(domain: str) -> str:
    """Return a domain in IDNA (UTS 46), in lower case."""
    text = "".join(domain.split()).strip(".")
    if text.isascii():
        return text.lower()  # what IDNA would say, thirty times as fast
    try:
        return idna.encode(text, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return text.casefold()


def name_words(name: str) -> list[str]:
    """Return the words of a name, normalised: folded, without accents or punctuation at the edges."""
    plain = normal("NFKD", name).casefold()
    bare = "".join(char for char in plain if not unicodedata.combining(char))
    words = (word.strip(".,;:!?'\"()[]{}<>-–—") for word in bare.split())
    return [word for word in words if word][:_MOST_WORDS]


def normalise_telephone(number: Telephone) -> str:
    """Return a normalised number: E.164 with a country code, else its digits without leading zeros."""
    text = number.reveal()
    if text.lstrip().startswith(("+", "00")):
        try:
            parsed = phonenumbers.parse("+" + text.lstrip().removeprefix("00").lstrip("+"), None)
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
        except phonenumbers.NumberParseException:
            pass
    return "".join(char for char in normal("NFKC", text) if char.isdigit()).lstrip("0")


def _normalised(kind: str, value: Personal) -> str:
    if kind == EMAIL and isinstance(value, EmailAddress):
        return normalise_email(value)
    if kind == NAME and isinstance(value, PersonName):
        return " ".join(name_words(value.reveal()))
    if kind == TELEPHONE and isinstance(value, Telephone):
        return normalise_telephone(value)
    raise ValueError(f"nothing is found by {kind}")


class BlindIndex:
    """An open index. Each thread has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "index.sqlite3"
        self._connection = Besides(self.path, _TABLES, ("temp_store=MEMORY",))
        self._keys = {purpose: read_key(folder / f"index-{purpose.value}.key") for purpose in Purpose}
        self._passing = os.urandom(32)

    def close(self) -> None:
        """Close this thread's connection."""
        self._connection.close()

    # -- digests --------------------------------------------------------------------------------------------------

    def _digest(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._keys[Purpose.ADMINISTRATION], f"{kind}\0{text}".encode(), "sha256")[:16]

    def digest(self, purpose: Purpose, kind: str, value: Personal) -> bytes:
        """Return the 16-byte digest by which `value` is found for `purpose`."""
        text = f"{kind}\0{_normalised(kind, value)}"
        return hmac.digest(self._keys[purpose], text.encode(), "sha256")[:16]

    def word_digest(self, word: PersonName) -> bytes | None:
        """Return the digest of one word of a name; None for anything but a single word."""
        words = name_words(word.reveal())
        return self._digest(NAME_WORD, words[0]) if len(words) == 1 else None

    def domain_digest(self, domain: str) -> bytes:
        """Return the digest of the part after the @."""
        return self._digest(DOMAIN, normalise_domain(domain.rpartition("@")[2]))

    def domain_mark(self, address: EmailAddress) -> bytes:
        """Return a hash of the address's domain, for counting mails, under a key that ends with this process: rows in a
        backup can't be traced to a domain with today's keys."""
        domain = normalise_email(address).rpartition("@")[2]
        return hmac.digest(self._passing, b"domain " + domain.encode(), "sha256")[:16]

    def mailbox_mark(self, address: EmailAddress) -> bytes:
        """Return a hash of the mailbox, whatever its spelling, under a key that ends with this process."""
        return hmac.digest(self._passing, mailboxes.mailbox(normalise_email(address)).encode(), "sha256")[:16]

    def skeleton_mark(self, address: EmailAddress) -> bytes:
        """Return the same for the address without digits and punctuation; empty if nothing is left."""
        bare = mailboxes.skeleton(normalise_email(address))
        return hmac.digest(self._passing, b"looks like " + bare.encode(), "sha256")[:16] if bare else b""

    def digests(self, details: Details) -> set[bytes]:
        """Return all digests by which a person with these details is found."""
        email = normalise_email(details.email)
        digests = {self._digest(EMAIL, email), self._digest(DOMAIN, email.rpartition("@")[2])}
        if details.name is not None and (words := name_words(details.name.reveal())):
            digests |= {self._digest(NAME_WORD, word) for word in words}
            digests.add(self._digest(NAME, " ".join(words)))
        if details.telephone is not None and (number := normalise_telephone(details.telephone)):
            digests.add(self._digest(TELEPHONE, number))
        return digests

    def number_digest(self, number: str) -> bytes:
        """Return the digest by which a record that a law requires to be kept is found: by its number alone."""
        return self._digest("number", "".join(normal("NFKC", number).split()).casefold())

    # -- looking up -----------------------------------------------------------------------------------------------

    def look_up(self, digests: Sequence[bytes]) -> dict[bytes, int]:
        """Return the slot of each known digest; the lowest if there are several."""
        slots: dict[bytes, int] = {}
        for batch in batched(digests, _CHUNK):
            marks = ",".join("?" * len(batch))
            query = f"SELECT digest, min(slot) FROM blind WHERE digest IN ({marks}) GROUP BY digest"  # noqa: S608
            slots.update(self._connection().execute(query, batch))
        return slots

    def look_up_all(self, digest: bytes, limit: int) -> list[int]:
        """Return up to `limit` slots of one digest, newest first."""
        query = "SELECT slot FROM blind WHERE digest = ? ORDER BY slot DESC LIMIT ?"
        return [slot for (slot,) in self._connection().execute(query, (digest, limit))]

    def leads_to(self, slots: Iterable[int], digests: Collection[bytes]) -> bool:
        """Return whether any of these digests leads to any of these slots."""
        query = "SELECT digest FROM blind WHERE slot = ?"
        return any(digest in digests for slot in slots for (digest,) in self._connection().execute(query, (slot,)))

    # -- writing --------------------------------------------------------------------------------------------------

    def add(self, rows: Iterable[tuple[bytes, int]]) -> None:
        """Add (digest, slot) rows, all or none, synced on return."""
        self._write([("INSERT OR IGNORE INTO blind (digest, slot) VALUES (?, ?)", sorted(rows))])

    def add_many(self, rows: Iterable[tuple[bytes, int]]) -> None:
        """Add many rows in several transactions, so that other writers need not wait long."""
        for batch in batched(sorted(rows), _STRETCH):
            self._write([("INSERT OR IGNORE INTO blind (digest, slot) VALUES (?, ?)", batch)])

    def put(self, digests_by_slot: Mapping[int, set[bytes]]) -> None:
        """Replace the digests of these slots."""
        rows = sorted((digest, slot) for slot, digests in digests_by_slot.items() for digest in digests)
        self._write(
            [
                ("DELETE FROM blind WHERE slot = ?", [(slot,) for slot in digests_by_slot]),
                ("INSERT OR IGNORE INTO blind (digest, slot) VALUES (?, ?)", rows),
            ]
        )

    def forget(self, slots: Iterable[int]) -> None:
        """Remove everything by which these people could be found, from the file's log too."""
        self._write([("DELETE FROM blind WHERE slot = ?", [(slot,) for slot in slots])])
        self.cut()

    def cut(self, patience_ms: int = wal_truncate.PATIENCE_MS) -> bool:
        """Truncate the file's write-ahead log; False while somebody reads it."""
        return self._connection.cut(patience_ms)

    def clear(self) -> None:
        """Empty the index before it is rebuilt."""
        self._connection().execute("DELETE FROM blind")

    def _write(self, steps: Sequence[tuple[str, Sequence[tuple[object, ...]]]]) -> None:
        with self._connection.writing() as connection:
            for statement, rows in steps:
                connection.executemany(statement, rows)

    # -- suppression ----------------------------------------------------------------------------------------------

    def suppression_mark(self, address: EmailAddress) -> bytes:
        """Return the keyed hash that is kept of a deleted address, 16 bytes, to prevent its import.

        Its key is derived from the identification index's, so that it matches no digest of the index.
        """
        key = hmac.digest(self._keys[Purpose.IDENTIFICATION], b"troth suppression v1", "sha256")
        return hmac.digest(key, normalise_email(address).encode(), "sha256")[:16]

    def suppress(self, marks: Iterable[bytes], day: str) -> None:
        """Store that these must not be imported again. `day`: ISO date."""
        self._write([("INSERT OR REPLACE INTO suppressed (mark, day) VALUES (?, ?)", [(mark, day) for mark in marks])])

    def restore_suppressed(self, marks: Iterable[tuple[bytes, str]]) -> None:
        """Restore suppression hashes, each with its day."""
        self._write([("INSERT OR REPLACE INTO suppressed (mark, day) VALUES (?, ?)", list(marks))])

    def any_suppressed(self) -> bool:
        """Return whether there is any mark."""
        return self._connection().execute("SELECT 1 FROM suppressed LIMIT 1").fetchone() is not None

    def suppressed_among(self, marks: Iterable[bytes]) -> set[bytes]:
        """Return those of these marks that an import must leave out."""
        suppressed = set[bytes]()
        for batch in batched(marks, _CHUNK):
            query = f"SELECT mark FROM suppressed WHERE mark IN ({','.join('?' * len(batch))})"  # noqa: S608
            suppressed.update(mark for (mark,) in self._connection().execute(query, batch))
        return suppressed

    def suppressed(self) -> set[bytes]:
        """Return all marks; 16 bytes each, so a million take some 80 MB of memory."""
        return {mark for (mark,) in self._connection().execute("SELECT mark FROM suppressed")}


def read_key(path: Path) -> bytes:
    """Return a key of 32 bytes. Raises `KeyStoreError` if it is missing or incomplete."""
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        key = b""
    if len(key) != 32:
        raise KeyStoreError(
            f"The index key keys/people/{path.name} is missing or not whole.",
            mend="Put keys/people/ back from the key store's own backup.",
        )
    return key
