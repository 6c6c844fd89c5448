"""The blind index: which person a detail belongs to, found without being able to read the detail back (WALL 2).

    digest = HMAC-SHA256(index key of the purpose, kind | 0 | normalised value)

It lies in `keys/people/index.sqlite3`, beside the key store and outside the data's backups, and can be rebuilt from the
records. Written before the database commits: a frame that is filed again finds the same person.
"""

import hmac
import sqlite3
import threading
import unicodedata
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import idna

from troth.ground.personal import EmailAddress, Personal
from troth.ground.purpose import Purpose
from troth.vault.errors import KeyStoreError

EMAIL = "email"
_CHUNK = 500
_TABLE = """CREATE TABLE IF NOT EXISTS blind (
    digest BLOB PRIMARY KEY, purpose INTEGER NOT NULL, kind TEXT NOT NULL, person BLOB NOT NULL, slot INTEGER NOT NULL
) WITHOUT ROWID"""


def normalise_email(address: EmailAddress) -> str:
    """The form by which addresses are compared, never the one that is written to.

    Trimmed, NFC, the domain by IDNA (UTS 46) in lower case. The local part is case-folded for matching only: RFC 5321
    lets a host tell `Anna` from `anna`, but none that people use does, and one person twice on a list is worse.
    """
    text = unicodedata.normalize("NFC", address.reveal().strip())
    local, _, domain = text.rpartition("@")
    return f"{local.casefold()}@{_domain(domain)}"


def _domain(domain: str) -> str:
    try:
        return idna.encode(domain, uts46=True).decode("ascii").lower()
    except idna.IDNAError:
        return domain.casefold()


def _normalised(kind: str, value: Personal) -> str:
    if kind == EMAIL and isinstance(value, EmailAddress):
        return normalise_email(value)
    raise ValueError(f"nothing is found by {kind}")


class BlindIndex:
    """An open index. Each thread has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "index.sqlite3"
        self._keys = {purpose: _read_key(folder / f"index-{purpose.value}.key") for purpose in Purpose}
        self._local = threading.local()

    def _connection(self) -> sqlite3.Connection:
        made: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if made is None:
            made = sqlite3.connect(self._path, isolation_level=None, timeout=5)
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
                made.execute(f"PRAGMA {pragma}")
            made.execute(_TABLE)
            made.execute("CREATE INDEX IF NOT EXISTS blind_person ON blind (person)")
            self._local.connection = made
        return made

    def close(self) -> None:
        """Close this thread's connection."""
        made = getattr(self._local, "connection", None)
        if made is not None:
            made.close()
            self._local.connection = None

    def digest(self, purpose: Purpose, kind: str, value: Personal) -> bytes:
        """The digest by which `value` is found for `purpose`: 32 bytes."""
        return hmac.digest(self._keys[purpose], f"{kind}\0{_normalised(kind, value)}".encode(), "sha256")

    def domain_mark(self, address: EmailAddress) -> bytes:
        """A keyed hash of the address's domain, 16 bytes: to count mails by."""
        domain = normalise_email(address).rpartition("@")[2]
        return hmac.digest(self._keys[Purpose.ADMINISTRATION], f"domain\0{domain}".encode(), "sha256")[:16]

    def look_up(self, digests: Sequence[bytes]) -> dict[bytes, tuple[uuid.UUID, int]]:
        """(person, slot) of those digests that are known."""
        found: dict[bytes, tuple[uuid.UUID, int]] = {}
        for start in range(0, len(digests), _CHUNK):
            some = digests[start : start + _CHUNK]
            marks = ",".join("?" * len(some))
            query = f"SELECT digest, person, slot FROM blind WHERE digest IN ({marks})"  # noqa: S608 - marks only
            for digest, person, slot in self._connection().execute(query, some):
                found[digest] = (uuid.UUID(bytes=person), slot)
        return found

    def add(self, purpose: Purpose, kind: str, rows: Iterable[tuple[bytes, uuid.UUID, int]]) -> None:
        """Add (digest, person, slot) rows, all or none, synced on return."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.executemany(
                "INSERT OR REPLACE INTO blind (digest, purpose, kind, person, slot) VALUES (?, ?, ?, ?, ?)",
                [(digest, purpose.code, kind, person.bytes, slot) for digest, person, slot in rows],
            )
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def forget(self, people: Iterable[uuid.UUID]) -> None:
        """Remove everything by which these people could be found."""
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("DELETE FROM blind WHERE person = ?", [(person.bytes,) for person in people])
        connection.execute("COMMIT")
        # secure_delete cleans the pages; the log still has the old ones until it is cut (RESEARCH: erasure).
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def clear(self) -> None:
        """Empty the index, before it is rebuilt."""
        self._connection().execute("DELETE FROM blind")


def _read_key(path: Path) -> bytes:
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
