"""The leak index's eye: does what is about to leave carry a whole detail of somebody whom it is not for (WALL 3, C3)?

A tripwire behind the types of mail, for mistakes: the wrong address pasted into an answer, an export of the wrong
person. It finds whole details only (an e-mail address, a telephone number, a full name, a postal address), in plain or
hashed (SHA-256, SHA-1, MD5), however `gate.decode` can undo their wrapping. What is the recipient's own, what they
typed themselves, and what is said to everybody (`gate.common_words`), passes. What cannot be looked at does not.

It never tells what it found but to the office: the categories, and not whose. May touch: `keys/people/marks.sqlite3`.
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
        """The slots of those whose details it carries."""
        return frozenset(slot for slot, _ in self.causes)

    @property
    def categories(self) -> tuple[Category, ...]:
        """The kinds of their details."""
        kinds = {category for _, category in self.causes}
        return tuple(category for category in Category if category in kinds)

    @property
    def clear(self) -> bool:
        """Nothing speaks against it."""
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
        """What a mail, written out as `content`, carries of anybody but its recipient; what lies ready behind a link in
        it, too. `rewrite` writes out another mail as this one was: with the same sender, to the same, at the same time.
        """
        own = self._marks.slots_of(self._marks.mark_of(email_value(mail.to)))
        apart = mail.looked_at_apart()
        if apart is not None:
            return self.search(apart.encode("utf-8", "surrogatepass"), mail.to.reveal(), own)
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

    def check_campaign(self, texts: Sequence[str]) -> LeakFinding:
        """What the words of a campaign, the same for all its recipients, carry of anybody."""
        content = "\n".join(texts).encode("utf-8", "surrogatepass")
        return self.search(content, spared=lambda _hits: self._told_to_all(()))

    def check_export(self, export: ExportDocument, slot: int, public_texts: Sequence[MessageText] = ()) -> LeakFinding:
        """What an export that is made for the person in `slot` carries of anybody else. `said`: what is for all."""

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
        """The same for any content: nothing counts that is a detail of one of the slots `own` or is in `own_words`.

        `spared`: of what was found, what is nobody's detail here. What was typed is unwrapped like the rest: else
        whoever types the hash of an address and then asks for their own export learns from its not coming that the
        address is stored.
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
        """What the vendor says to everybody, each text by itself: nothing is whole that needs two of them."""
        texts = (*self._public.texts(), *(text.reveal() for text in public_texts))
        return _spared(self._hits(*(unwrap(text.encode("utf-8", "surrogatepass")) for text in texts)))

    def _split_names(self, hits: _Hits, varying: str) -> "_Spared":
        """Names that are whole only with words of the type's: what varies says less than a full name.

        Of an e-mail address, a number or a postal address the part that varies is enough to tell whose it is.
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

    def _values(self, text: str, written: str) -> Iterator[str]:
        """All that may be somebody's whole detail in a folded text. `written`: the same before it was folded."""
        if "@" in text:
            yield from _addresses(text)
        yield from _numbers(text)
        words = words_of(text)
        of_names, of_addresses = self._marks.known_words(set(words))
        addressed = set(_meant(written))
        for run in _runs(words, of_names, 2):
            yield from (name for name in _names(run) if not ALSO_WORDS.issuperset(name.split()) or name in addressed)
        for run in _runs(words, of_addresses, LEAST_WORDS_OF_ADDRESS):
            yield from _stretches(run, LEAST_WORDS_OF_ADDRESS, MOST_WORDS_OF_ADDRESS)


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
    """Digits of what may be telephone numbers: with a plus where the country is named, else without leading zeros."""
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
    """Stretches of known words, each of at least `least`."""
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
    """Rows of English words that are meant as a name: where they are nothing but words, by their capitals."""
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
