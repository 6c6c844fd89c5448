"""The leak index: keyed hashes by which the gate finds people's details in outgoing email (WALL 3).

    mark = BLAKE2b-64(key, hash of the value), its last three bits replaced by the category

The hash is SHA-256, SHA-1 or MD5 of a value, so that the value and its common hashes are found; plain text has the mark
of its SHA-256. Marked are email address, phone number (E.164 and national), full name (two words or more) and complete
postal address of people who confirmed, were answered or were imported. The marks are in `keys/people/marks.sqlite3`,
outside the data's backups; they refer to slots only, are deleted with the person, and are rebuilt from the records.

A second table has 32 bits of each word of a name or postal address: text is looked up only if all its words may be
somebody's. Size: about 160 bytes for a person with email address and name.
"""

import hmac
import re
import sqlite3
import struct
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from hashlib import blake2b, md5, sha1, sha256
from itertools import batched
from pathlib import Path
from typing import TYPE_CHECKING

from troth.core.lazy import lazy
from troth.core.personal import EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Category, Purpose
from troth.core.text.normal_forms import normal
from troth.vault import wal_truncate
from troth.vault.blind_index import normalise_domain, normalise_email, normalise_telephone, read_key
from troth.vault.records import Details
from troth.vault.sidecar_db import Besides

if TYPE_CHECKING:
    import phonenumbers
else:
    phonenumbers = lazy("phonenumbers")

LEAST_DIGITS = 7
"""Telephone numbers with fewer digits are not marked: they occur in every list of numbers."""
LEAST_LETTERS = 5
"""Full names with fewer letters are not marked: `al li` occurs in half of all texts."""
LEAST_WORDS_OF_ADDRESS, MOST_WORDS_OF_ADDRESS = 3, 24
MOST_WORDS_OF_NAME = 6
_CODES = {Category.EMAIL: 1, Category.NAME: 2, Category.TELEPHONE: 3, Category.POSTAL_ADDRESS: 4}
_OF_CODE = {code: category for category, code in _CODES.items()}
_ADDRESS_BIT = {Category.NAME: 0, Category.POSTAL_ADDRESS: 1}
_WORD = re.compile(r"[^\W_]+")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_ACCENT = re.compile("[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]")
_CHUNK = 500
_STRETCH = 50_000
"""Rows in one transaction where there are very many: some tenths of a second."""
_ADD = "INSERT OR IGNORE INTO mark (mark, slot) VALUES (?, ?)"
_HEARD = "NOT EXISTS (SELECT 1 FROM quiet WHERE quiet.mark = mark.mark)"
_NO_LONGER = (
    "DELETE FROM quiet WHERE slot = ? "
    "AND NOT EXISTS (SELECT 1 FROM mark WHERE mark.mark = quiet.mark AND mark.slot = quiet.slot)"
)
_AT_ONCE = 1000
"""People in one transaction: what SQLite's log takes beside the file grows with it, to 26 MB at this number."""
_LOG = "journal_size_limit=8388608"
_VERSION = 1
"""Of the file. Before it, whoever had filled in a form was marked, too."""
_TABLES = """
CREATE TABLE IF NOT EXISTS mark (mark INTEGER, slot INTEGER, PRIMARY KEY (mark, slot)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS word (word INTEGER PRIMARY KEY, people INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS holder (slot INTEGER PRIMARY KEY, tops BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS quiet (mark INTEGER, slot INTEGER, PRIMARY KEY (mark, slot)) WITHOUT ROWID;
"""


def fold(text: str) -> str:
    """Return `text` normalised for comparison: NFKC, case-folded, without accents and invisible characters."""
    if text.isascii():
        return text.lower()
    text = normal("NFKD", _INVISIBLE.sub("", text)).casefold()
    return normal("NFC", _ACCENT.sub("", text))


def words_of(folded: str) -> list[str]:
    """Return the words of folded text: letters and digits."""
    return _WORD.findall(folded)


def email_value(address: EmailAddress) -> str:
    """Return an address as it is marked."""
    return normalise_email(address)


def folded_email(text: str) -> str:
    """Return an address from folded text as it is marked."""
    local, _, domain = text.rpartition("@")
    return f"{local}@{normalise_domain(domain)}"


def telephone_forms(number: Telephone) -> set[str]:
    """Return a phone number's values: E.164 with and without plus, national digits with and without a leading zero, and
    the digits as entered if the country's rules would drop some."""
    plain = normalise_telephone(number)
    if not plain.startswith("+"):
        forms = {plain, "0" + plain}
    else:
        national = str(phonenumbers.parse(plain, None).national_number)
        typed = _typed_digits(number)
        forms = {plain, plain[1:], national, "0" + national, "+" + typed, typed}
    return {form for form in forms if len(form.lstrip("+0")) >= LEAST_DIGITS}


def _typed_digits(number: Telephone) -> str:
    text = normal("NFKC", number.reveal()).replace("(0)", "")
    return "".join(char for char in text if char.isdigit()).lstrip("0")


def name_forms(name: PersonName) -> set[str]:
    """Return a full name's values: its words, and its lower-case spelling. Empty for a name of one word."""
    typed = " ".join(name.reveal().split())
    words = words_of(fold(typed))
    is_full_name = len(typed.split()) > 1 and 1 < len(words) <= MOST_WORDS_OF_NAME
    return {" ".join(words), typed.lower()} if is_full_name and sum(map(len, words)) >= LEAST_LETTERS else set()


def address_forms(address: PostalAddress) -> set[str]:
    """Return a postal address's value: its words. Empty if it is too short to be complete."""
    words = words_of(fold(address.reveal()))
    return {" ".join(words)} if LEAST_WORDS_OF_ADDRESS <= len(words) <= MOST_WORDS_OF_ADDRESS else set()


def _values(details: Details) -> Iterator[tuple[Category, set[str]]]:
    plain = normalise_email(details.email)
    # The local part folded as text is: full-width letters and accents are compared like that in what leaves.
    yield Category.EMAIL, {plain, details.email.reveal().strip(), folded_email(fold(plain))}
    if details.name is not None:
        yield Category.NAME, name_forms(details.name)
    if details.telephone is not None:
        yield Category.TELEPHONE, telephone_forms(details.telephone)
    if details.postal_address is not None:
        yield Category.POSTAL_ADDRESS, address_forms(details.postal_address)


class Marks:
    """An open file of marks. Each thread has a connection of its own."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "marks.sqlite3"
        self._connection = Besides(self.path, _TABLES, ("cache_size=-16384", _LOG))
        index_key = read_key(folder / f"index-{Purpose.ADMINISTRATION.value}.key")
        # Keys of its own, drawn from the index's: marks match nothing of the index, and no further file is needed.
        self._key = hmac.digest(index_key, b"troth leak marks v1", "sha256")
        self._word_key = hmac.digest(index_key, b"troth leak words v1", "sha256")

    def close(self) -> None:
        """Close this thread's connection."""
        self._connection.close()

    # -- marks ----------------------------------------------------------------------------------------------------

    def mark(self, digest: bytes) -> int:
        """Return the mark of a value by its raw SHA-256, SHA-1 or MD5; signed 64 bits, without category."""
        return int.from_bytes(blake2b(digest, digest_size=8, key=self._key).digest(), signed=True) & ~7

    def mark_of(self, value: str) -> int:
        """Return the mark of a value in plain text."""
        return self.mark(sha256(value.encode("utf-8", "surrogatepass")).digest())

    def _word(self, word: str) -> int:
        """Return 31 bits of a word; the last bit distinguishes postal addresses (1) from names (0)."""
        return int.from_bytes(blake2b(word.encode("utf-8", "replace"), digest_size=4, key=self._word_key).digest()) & ~1

    def marks(self, details: Details) -> set[int]:
        """Return all marks of one person, with their categories."""
        marks = set[int]()
        for category, values in _values(details):
            for value in values:
                data = value.encode("utf-8", "surrogatepass")
                for digest in (
                    sha256(data).digest(),
                    sha1(data, usedforsecurity=False).digest(),
                    md5(data, usedforsecurity=False).digest(),
                ):
                    marks.add(self.mark(digest) | _CODES[category])
        return marks

    def _words(self, details: Details) -> set[int]:
        return {
            self._word(word) | _ADDRESS_BIT[category]
            for category, values in _values(details)
            if category in _ADDRESS_BIT
            for value in values
            for word in words_of(value)
        }

    # -- looking up -----------------------------------------------------------------------------------------------

    def look_up(self, marks: Iterable[int]) -> dict[int, list[tuple[int, Category]]]:
        """Return (slot, category) by mark, without quiet ones. Marks are given without their category."""
        matches: dict[int, list[tuple[int, Category]]] = {}
        for mark, slot in self._rows_of(marks, f"WHERE {_HEARD}"):
            matches.setdefault(mark & ~7, []).append((slot, _OF_CODE[mark & 7]))
        return matches

    def _rows_of(self, marks: Iterable[int], where: str = "") -> Iterator[tuple[int, int]]:
        """Yield (mark with its category, slot) of these marks, given without it."""
        connection = self._connection()
        for batch in batched(marks, _CHUNK):
            low_marks = ",".join(["(?)"] * len(batch))
            yield from connection.execute(
                f"WITH wanted (low) AS (VALUES {low_marks}) SELECT mark, slot FROM wanted "  # noqa: S608
                f"CROSS JOIN mark ON mark BETWEEN low AND low + 7 {where}",
                batch,
            )

    def slots_of(self, mark: int) -> set[int]:
        """Return the slots with this mark, quiet or not."""
        return self.slots_of_each([mark])[mark]

    def slots_of_each(self, marks: Collection[int]) -> dict[int, set[int]]:
        """Return the same for each of these marks."""
        slots = {mark: set[int]() for mark in marks}
        for mark, slot in self._rows_of(slots):
            slots[mark & ~7].add(slot)
        return slots

    def known_words(self, words: Collection[str]) -> tuple[set[str], set[str]]:
        """Return which words may be part of somebody's name, and which of somebody's postal address."""
        connection, hash_of, matches = self._connection(), self._word, (set[str](), set[str]())
        for batch in batched(words, _CHUNK):
            by_hash = {hash_of(word): word for word in batch}
            hashes = (*by_hash, *(number | 1 for number in by_hash))
            query = f"SELECT word FROM word WHERE word IN ({','.join('?' * len(hashes))})"  # noqa: S608
            for (number,) in connection.execute(query, hashes):
                matches[number & 1].add(by_hash[number & ~1])
        return matches

    # -- writing --------------------------------------------------------------------------------------------------

    def hush(self, slot: int, category: Category) -> None:
        """Ignore this detail of this person, and the same words for anybody, until it changes or is deleted."""
        with self._connection.writing() as connection:
            rows = [(mark, slot) for mark in _marks_of(connection, slot) if mark & 7 == _CODES[category]]
            connection.executemany("INSERT OR IGNORE INTO quiet (mark, slot) VALUES (?, ?)", rows)

    def unhush(self, slot: int, category: Category) -> None:
        """Stop ignoring it."""
        with self._connection.writing() as connection:
            connection.execute("DELETE FROM quiet WHERE slot = ? AND mark & 7 = ?", (slot, _CODES[category]))

    def put(self, details_by_slot: Mapping[int, Details]) -> None:
        """Replace the marks of these slots with those of the details. Synced on return."""
        prepared = {slot: (self.marks(details), self._words(details)) for slot, details in details_by_slot.items()}
        with self._connection.writing() as connection:
            _remove(connection, list(details_by_slot))
            _hold(connection, prepared)
            connection.executemany(_ADD, _rows(prepared))
            connection.executemany(_NO_LONGER, [(slot,) for slot in details_by_slot])

    def put_many(self, details_by_slot: Mapping[int, Details]) -> None:
        """Replace the marks of many slots in several transactions, so that other writers need not wait long.

        The marks of each slot are written first, so that a killed try can be undone or repeated.
        """
        prepared = {slot: (self.marks(details), self._words(details)) for slot, details in details_by_slot.items()}
        with self._connection.writing() as connection:
            _remove(connection, list(details_by_slot))
            _hold(connection, prepared)
        for batch in batched(_rows(prepared), _STRETCH):
            with self._connection.writing() as connection:
                connection.executemany(_ADD, batch)

    def forget(self, slots: Iterable[int]) -> None:
        """Remove all marks of these people, from the file's log too."""
        removed = list(slots)
        with self._connection.writing() as connection:
            _remove(connection, removed)
            connection.executemany("DELETE FROM quiet WHERE slot = ?", [(slot,) for slot in removed])
        self.cut()

    def cut(self, patience_ms: int = wal_truncate.PATIENCE_MS) -> bool:
        """Truncate the file's write-ahead log; False while somebody reads it."""
        return self._connection.cut(patience_ms)

    def armed(self, slots: Iterable[int]) -> set[int]:
        """Return those of these slots that have marks."""
        connection, armed = self._connection(), set[int]()
        for batch in batched(slots, _CHUNK):
            query = f"SELECT slot FROM holder WHERE slot IN ({','.join('?' * len(batch))})"  # noqa: S608
            armed.update(slot for (slot,) in connection.execute(query, batch))
        return armed

    def all_armed(self) -> list[int]:
        """Return every slot that has marks."""
        return [slot for (slot,) in self._connection().execute("SELECT slot FROM holder")]

    @property
    def only_dealt_with(self) -> bool:
        """Whether the file has only people who confirmed, were answered or were imported."""
        (version,) = self._connection().execute("PRAGMA user_version").fetchone()
        return int(version) >= _VERSION

    def note_only_dealt_with(self) -> None:
        """Record that."""
        self._connection().execute(f"PRAGMA user_version={_VERSION:d}")

    def clear(self) -> None:
        """Remove all marks before they are rebuilt."""
        with self._connection.writing() as connection:
            for table in ("mark", "word", "holder", "quiet"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608


type _Made = Mapping[int, tuple[Collection[int], Collection[int]]]


def _rows(prepared: _Made) -> list[tuple[int, int]]:
    return sorted((mark, slot) for slot, (marks, _) in prepared.items() for mark in marks)


def _hold(connection: sqlite3.Connection, prepared: _Made) -> None:
    """Write down the words, and who holds which marks."""
    words = Counter(word for _, person_words in prepared.values() for word in person_words)
    more = "ON CONFLICT (word) DO UPDATE SET people = people + excluded.people"
    rows = sorted(words.items())
    connection.executemany(f"INSERT INTO word (word, people) VALUES (?, ?) {more}", rows)  # noqa: S608
    holders = [(slot, _packed(marks, person_words)) for slot, (marks, person_words) in prepared.items()]
    connection.executemany("INSERT INTO holder (slot, tops) VALUES (?, ?)", holders)


def _packed(marks: Collection[int], words: Collection[int]) -> bytes:
    """Pack the upper halves of the marks, which lead back to them with the slot, and the words."""
    tops = [(mark >> 32) & 0xFFFFFFFF for mark in sorted(marks)]
    return struct.pack(f">B{len(tops) + len(words)}I", len(tops), *tops, *sorted(words))


def _marks_of(connection: sqlite3.Connection, slot: int) -> Iterator[int]:
    for (packed,) in connection.execute("SELECT tops FROM holder WHERE slot = ?", (slot,)).fetchall():
        for low in _lows(packed):
            query = "SELECT mark FROM mark WHERE mark BETWEEN ? AND ? AND slot = ?"
            yield from (mark for (mark,) in connection.execute(query, (low, low + 0xFFFFFFFF, slot)).fetchall())


def _lows(packed: bytes) -> list[int]:
    """Yield the lowest mark of each upper half that a slot has."""
    numbers = struct.unpack(f">{(len(packed) - 1) // 4}I", packed[1:])
    return [(top << 32) - ((top >> 31) << 64) for top in numbers[: packed[0]]]


def _remove(connection: sqlite3.Connection, slots: list[int]) -> None:
    tops, words = list[tuple[int, int, int]](), Counter[int]()
    for batch in batched(slots, _CHUNK):
        query = f"SELECT slot, tops FROM holder WHERE slot IN ({','.join('?' * len(batch))})"  # noqa: S608
        for slot, packed in connection.execute(query, batch):
            numbers = struct.unpack(f">{(len(packed) - 1) // 4}I", packed[1:])
            tops += [(low, low + 0xFFFFFFFF, slot) for low in _lows(packed)]
            words.update(numbers[packed[0] :])
    if not tops and not words:
        return
    connection.executemany("DELETE FROM mark WHERE mark BETWEEN ? AND ? AND slot = ?", tops)
    less = [(people, word) for word, people in words.items()]
    connection.executemany("UPDATE word SET people = people - ? WHERE word = ?", less)
    connection.executemany("DELETE FROM word WHERE people <= 0 AND word = ?", [(word,) for word in words])
    connection.executemany("DELETE FROM holder WHERE slot = ?", [(slot,) for slot in slots])
