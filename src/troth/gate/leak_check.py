"""The leak check: whether outgoing content has a complete detail of somebody other than its recipient (WALL 3, C3).

It catches mistakes that the types of email allow: another person's address pasted into a reply, an export of the wrong
person. It finds complete details only (email address, phone number, full name, postal address), in plain or hashed
(SHA-256, SHA-1, MD5), in any encoding that `gate.decode` undoes. The recipient's own details, what they entered, and
common text (`gate.common_words`) pass. What cannot be decoded does not.

It tells Admin alone what it found: the categories, not whose. May touch: `keys/people/marks.sqlite3`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from troth.core.personal import MessageText
from troth.core.purpose import Category
from troth.gate import common_words
from troth.gate.common_words import Public
from troth.gate.decode import TooDeep, Unwrapped, unwrap
from troth.gate.export import ExportDocument
from troth.gate.message import LetterError, Mail
from troth.vault.leak_marks import (
    LEAST_DIGITS,
    LEAST_LETTERS,
    LEAST_WORDS_OF_ADDRESS,
    MOST_WORDS_OF_ADDRESS,
    MOST_WORDS_OF_NAME,
    Marks,
    email_value,
    fold,
    folded_email,
    words_of,
)

_EMAIL = re.compile(r"[^\s<>\"'(),;:\\\[\]@|]{1,64}@[^\W_](?:[\w-]|\.(?=\w)){2,252}")
_LOCAL_END = re.compile(r"[\w.+-]+$")
_NUMBER = re.compile(r"(?<![\w.])\+?\(?[0-9](?:[ ()./\u2010-\u2015\u00a0-]{0,3}[0-9]){6,24}(?!\w)")
_GROUP = re.compile(r"\+?[0-9]+")
_WRITTEN_WORD = re.compile(r"\w+")
_BARE_DIGITS = 11
"""Digits without plus, zero or a gap are a telephone number from so many on: shorter ones are in every table."""
_NATIONAL_DIGITS = 9


ALSO_WORDS = frozenset(
    "art bell best bill black bond brown case chance chase cook cross day dawn dean drew faith field fields fox "
    "frank grace grant gray green guy hall hill hope hunt hunter joy june king knight lane long love major mark "
    "marsh max may miles mills noble page park pat price ray reed rice rich rob rose stone sue summer victor ward "
    "way white will wise wood woods wright young".split()
)
"""Names that are English words: a full name of these alone (Will Fields) counts where it is written with capitals."""


@dataclass(frozen=True, slots=True, repr=False)
class LeakFinding:
    """What of others a content carries."""

    causes: frozenset[tuple[int, Category]] = frozenset()
    """Whose: slot in the key store, and which kind of detail."""
    unchecked: bool = False
    """It could not be looked at whole."""

    @property
    def others(self) -> frozenset[int]:
        """Return the slots of the people whose details were found."""
        return frozenset(slot for slot, _ in self.causes)

    @property
    def categories(self) -> tuple[Category, ...]:
        """Return the categories of the details found."""
        kinds = {category for _, category in self.causes}
        return tuple(category for category in Category if category in kinds)

    @property
    def clear(self) -> bool:
        """Whether it may be sent."""
        return not (self.causes or self.unchecked)


type _Hits = dict[int, list[tuple[int, Category]]]
"""Whose a mark is: slot and category."""
type _Spared = set[int | tuple[int, Category]]
"""What is nobody's detail: marks; and a telephone number, whichever way it is written."""


class Leaks:
    """Looks through what leaves. `public`: what the vendor says to everybody."""

    def __init__(self, marks: Marks, public: Public | None = None) -> None:
        self._marks, self._public = marks, public or Public()

    def close(self) -> None:
        """Close what this thread has open."""
        self._marks.close()

    def found(self, mail: Mail, content: bytes, rewrite: Callable[[Mail], bytes]) -> LeakFinding:
        """Check an email, as `content`, and the data behind its link, for details of anybody but its recipient.
        `rewrite` renders another email as this one was: same sender, recipient and time.
        """
        if mail.looked_at_apart() is not None:
            return self.found_apart([mail])[0]
        own = self._marks.slots_of(self._marks.mark_of(email_value(mail.to)))
        words = mail.own_words() + "\n" + mail.to.reveal()

        def spared(hits: _Hits) -> _Spared:
            common = self._hits(*(unwrap(rewrite(copy), mail=True) for copy in common_words.copies(mail, self._public)))
            return _spared(common) | spared_beside(hits)

        def spared_beside(hits: _Hits) -> _Spared:
            return self._told_to_all(mail.said) | self._split_names(hits, common_words.varying(mail, self._public))

        ready = (
            self.search(document.reveal().encode(), words, own, spared=spared_beside) for document in mail.beside()
        )
        return _together([self.search(content, words, own, mail=True, spared=spared), *ready])

    def found_apart(self, mails: Sequence[Mail]) -> list[LeakFinding]:
        """Check what is a recipient's alone of each of these emails (`Mail.looked_at_apart`): a few short values, plain
        text that the program itself put there. The index is asked once for all of them."""
        mark_of = self._marks.mark_of
        texts = [mail.looked_at_apart() or "" for mail in mails]
        folded = [fold(text) for text in texts]
        known_words = self._marks.known_words({word for text in folded for word in words_of(text)})
        marks = [
            {mark_of(value) for value in set(self._values(text, written, known_words))}
            for text, written in zip(folded, texts, strict=True)
        ]
        hits = self._marks.look_up(set[int]().union(*marks))
        if not hits:
            return [LeakFinding()] * len(mails)
        recipients = [mark_of(email_value(mail.to)) for mail in mails]
        own = self._marks.slots_of_each(set(recipients))
        return [
            LeakFinding(frozenset(_of_others((hits[mark] for mark in present if mark in hits), own[to])))
            for present, to in zip(marks, recipients, strict=True)
        ]

    def check_campaign(self, texts: Sequence[str]) -> LeakFinding:
        """Return what the words of a campaign, the same for all its recipients, carry of anybody."""
        content = "\n".join(texts).encode("utf-8", "surrogatepass")
        return self.search(content, spared=lambda _hits: self._told_to_all(()))

    def check_export(self, export: ExportDocument, slot: int, public_texts: Sequence[MessageText] = ()) -> LeakFinding:
        """Check an export for the person in `slot` for anybody else's details. `said`: common text."""

        def spared(hits: _Hits) -> _Spared:
            return self._told_to_all((export.said, *public_texts)) | self._split_names(hits, export.values.reveal())

        typed, documents = export.typed.reveal(), (document.reveal().encode() for document in export.documents)
        return _together([self.search(document, typed, {slot}, spared=spared) for document in documents])

    def search(
        self,
        content: bytes,
        own_words: str = "",
        own: Iterable[int] = (),
        *,
        mail: bool = False,
        spared: "Callable[[_Hits], _Spared]" = lambda _hits: set(),
    ) -> LeakFinding:
        """Check any content, ignoring details of the slots `own` and those in `own_words`.

        `spared`: of what was found, what is nobody's detail here. What a person entered is decoded like the rest:
        otherwise somebody could enter the hash of an address, request their export, and learn from its absence that
        the address is stored.
        """
        try:
            typed = unwrap(own_words.encode("utf-8", "surrogatepass"))
            hits = self._hits(unwrap(content, mail=mail))
            if not hits:
                return LeakFinding()
            spares = _spared(self._hits(typed)) | spared(hits)
        except (TooDeep, LetterError):
            return LeakFinding(unchecked=True)  # also for what was typed: else whether it is held tells what is inside
        mine = frozenset(own)
        present = {
            hit
            for mark, owners in hits.items()
            if mark not in spares
            for hit in owners
            if hit not in spares and not mine & {slot for slot, _ in owners}
        }
        return LeakFinding(frozenset(present))

    def _told_to_all(self, public_texts: Sequence[MessageText]) -> "_Spared":
        """Return the marks of common text, each text by itself: a detail across two of them does not count."""
        texts = (*self._public.texts(), *(text.reveal() for text in public_texts))
        return _spared(self._hits(*(unwrap(text.encode("utf-8", "surrogatepass")) for text in texts)))

    def _split_names(self, hits: _Hits, varying: str) -> "_Spared":
        """Return names that are complete only with words of the email's type: the varying part is less than a full
        name.

        The varying part of an email address, number or postal address is enough to identify somebody.
        """
        names = {mark for mark, owners in hits.items() if all(category is Category.NAME for _, category in owners)}
        return set(names - self._hits(unwrap(varying.encode("utf-8", "surrogatepass"))).keys()) if names else set()

    def _hits(self, *unwrapped: Unwrapped) -> _Hits:
        mark = self._marks.mark
        marks = {mark(digest) for piece in unwrapped for digest in piece.digests}
        for text in {text for piece in unwrapped for text in piece.texts}:
            for value in self._values(fold(text), text):
                marks.add(mark(sha256(value.encode("utf-8", "surrogatepass")).digest()))
        return self._marks.look_up(marks)

    def _values(self, text: str, written: str, known_words: tuple[set[str], set[str]] | None = None) -> Iterator[str]:
        """Yield everything in a folded text that may be a complete detail. `written`: the text before folding.
        `known_words`: which of its words are somebody's, where that is known already."""
        if "@" in text:
            yield from _addresses(text)
        yield from _numbers(text)
        words = words_of(text)
        of_names, of_addresses = known_words or self._marks.known_words(set(words))
        addressed = set(_meant(written))
        for run in _runs(words, of_names, 2):
            yield from (name for name in _names(run) if not ALSO_WORDS.issuperset(name.split()) or name in addressed)
        for run in _runs(words, of_addresses, LEAST_WORDS_OF_ADDRESS):
            yield from _stretches(run, LEAST_WORDS_OF_ADDRESS, MOST_WORDS_OF_ADDRESS)


def _of_others(owners_of_each: Iterable[list[tuple[int, Category]]], own: set[int]) -> Iterator[tuple[int, Category]]:
    """Yield whose details these are, where they are not the recipient's, too."""
    for owners in owners_of_each:
        if not own & {slot for slot, _ in owners}:
            yield from owners


def _together(findings: Sequence[LeakFinding]) -> LeakFinding:
    causes = frozenset(cause for finding in findings for cause in finding.causes)
    return LeakFinding(causes, any(finding.unchecked for finding in findings))


def _spared(hits: _Hits) -> _Spared:
    numbers = (hit for owners in hits.values() for hit in owners if hit[1] is Category.TELEPHONE)
    return {*hits, *numbers}


def _addresses(text: str) -> Iterator[str]:
    for match in _EMAIL.finditer(text):
        candidate = match.group()
        local, _, domain = candidate.rpartition("@")
        shorter = _LOCAL_END.search(local)
        for form in {local, shorter.group() if shorter else local, local.strip("._*~-=/?!#&")}:
            if form:
                yield folded_email(f"{form}@{domain.rstrip('.-_')}")


def _numbers(text: str) -> Iterator[str]:
    """Yield the digits of possible phone numbers: with a plus if the country is given, else without leading zeros."""
    for match in _NUMBER.finditer(text):
        groups = _GROUP.findall(match.group().replace("(0)", ""))
        for start, first in enumerate(groups):
            if start and not first.startswith(("+", "0")):
                continue
            digits = first
            yield from _number(digits, len(groups) > 1)
            for group in groups[start + 1 :]:
                digits += group.lstrip("+")
                yield from _number(digits, True)
                if len(digits) > 17:
                    break


def _number(digits: str, parted: bool) -> Iterator[str]:
    bare = digits.lstrip("+0")
    if not LEAST_DIGITS <= len(bare) <= 15:
        return
    if digits.startswith(("+", "00")):
        yield f"+{bare}"
    elif len(bare) >= _BARE_DIGITS or (len(bare) >= _NATIONAL_DIGITS and (parted or digits.startswith("0"))):
        yield bare


def _runs(words: list[str], known_words: set[str], least: int) -> Iterator[list[str]]:
    """Yield runs of at least `least` known words."""
    if len(known_words) < 2:
        return
    run = list[str]()
    for word in words:
        if word in known_words:
            run.append(word)
        elif run:
            if len(run) >= least:
                yield run
            run = []
    if len(run) >= least:
        yield run


def _names(run: list[str]) -> Iterator[str]:
    yield from _stretches(run, 2, MOST_WORDS_OF_NAME)
    for last, first in pairwise(run):  # as lists have it: Lovelace, Ada
        yield f"{first} {last}"


def _meant(written: str) -> Iterator[str]:
    """Return runs of English words that are meant as a name, by their capitals."""
    row = list[str]()
    for word in [*_WRITTEN_WORD.findall(written), ""]:
        plain = word.lower()
        if plain in ALSO_WORDS and word in (plain.title(), plain.upper()):
            row.append(plain)
        else:
            yield from _stretches(row, 2, MOST_WORDS_OF_NAME)
            row = []


def _stretches(words: list[str], least: int, most: int) -> Iterator[str]:
    for start in range(len(words) - least + 1):
        for end in range(start + least, min(start + most, len(words)) + 1):
            value = " ".join(words[start:end])
            if len(value) > LEAST_LETTERS:
                yield value
