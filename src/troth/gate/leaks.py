"""The leak index's eye: does what is about to leave carry a whole detail of somebody whom it is not for (WALL 3, C3)?

A tripwire behind the types of mail, for mistakes: the wrong address pasted into an answer, an export of the wrong
person. It finds whole details only (an e-mail address, a telephone number, a full name, a postal address), in plain or
hashed (SHA-256, SHA-1, MD5), however `gate.unwrap` can undo their wrapping. What is the recipient's own, what they
typed themselves, and what the vendor's settings say of the vendor, passes. What cannot be looked at does not.

It never tells what it found but to the office: the categories, and not whose. May touch: `keys/people/marks.sqlite3`.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise

from troth.gate.unwrap import TooDeep, Unwrapped, unwrap
from troth.ground.personal import EmailAddress, MessageText
from troth.ground.purpose import Category
from troth.vault.marks import (
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
class Finding:
    """What of others a content carries."""

    others: frozenset[int] = frozenset()
    """Their slots in the key store."""
    categories: tuple[Category, ...] = ()
    unchecked: bool = False
    """It could not be looked at whole."""

    @property
    def clear(self) -> bool:
        """Nothing speaks against it."""
        return not (self.others or self.unchecked)


class Leaks:
    """Looks through what leaves. `ours`: the vendor's own details, as the settings have them; they are public."""

    def __init__(self, marks: Marks, ours: str = "") -> None:
        self._marks, self._ours = marks, ours

    def close(self) -> None:
        """Close what this thread has open."""
        self._marks.close()

    def found(self, content: bytes, own_words: str, to: EmailAddress, beside: Sequence[MessageText] = ()) -> Finding:
        """What a mail to `to` carries of anybody else. `own_words`: what `to` had typed, which they may have back.

        `beside`: what lies ready behind a link in it.
        """
        own_mark = self._marks.mark_of(email_value(to))
        own = {slot for slot, _ in self._marks.look_up([own_mark]).get(own_mark, [])}
        words = own_words + "\n" + to.reveal()
        ready = (self.search(one.reveal().encode(), words, own) for one in beside)
        return _together([self.search(content, words, own, mail=True), *ready])

    def check_export(self, documents: Iterable[MessageText], typed: MessageText, slot: int) -> Finding:
        """What files that are made for the person in `slot` carry of anybody else."""
        return _together([self.search(one.reveal().encode(), typed.reveal(), {slot}) for one in documents])

    def search(self, content: bytes, own_words: str = "", own: Iterable[int] = (), *, mail: bool = False) -> Finding:
        """The same for any content: nothing counts that is a detail of one of the slots `own` or is in `own_words`."""
        try:
            typed = unwrap(own_words.encode("utf-8", "surrogatepass"))
            hits = self._hits(unwrap(content, mail=mail))
        except TooDeep:
            return Finding(unchecked=True)  # also for what was typed: else whether it is held tells what is inside
        if not hits:
            return Finding()
        mine, theirs = frozenset(own), self._exempt(typed)
        there = [hit for mark, whose in hits.items() if mark not in theirs for hit in whose if not mine & _slots(whose)]
        categories = {category for _, category in there}
        return Finding(
            frozenset(slot for slot, _ in there), tuple(category for category in Category if category in categories)
        )

    def _exempt(self, typed: Unwrapped) -> set[int]:
        """Marks of what the recipient typed, and of what is the vendor's.

        What was typed is unwrapped like the rest: else whoever types the hash of an address and then asks for their
        own export learns from its not coming that the address is stored.
        """
        texts = [*typed.texts, *([self._ours] if self._ours else [])]
        return set(self._hits(Unwrapped(texts, typed.digests)))

    def _hits(self, unwrapped: Unwrapped) -> dict[int, list[tuple[int, Category]]]:
        mark = self._marks.mark
        wanted = {mark(digest) for digest in unwrapped.digests}
        for text in unwrapped.texts:
            for value in self._values(fold(text), text):
                wanted.add(mark(sha256(value.encode("utf-8", "surrogatepass")).digest()))
        return self._marks.look_up(wanted)

    def _values(self, text: str, written: str) -> Iterator[str]:
        """All that may be somebody's whole detail in a folded text. `written`: the same before it was folded."""
        if "@" in text:
            yield from _addresses(text)
        yield from _numbers(text)
        words = words_of(text)
        of_names, of_addresses = self._marks.known_words(set(words))
        for run in _runs(words, of_names, 2):
            yield from (name for name in _names(run) if _is_meant(name, written))
        for run in _runs(words, of_addresses, LEAST_WORDS_OF_ADDRESS):
            yield from _stretches(run, LEAST_WORDS_OF_ADDRESS, MOST_WORDS_OF_ADDRESS)


def _together(findings: Sequence[Finding]) -> Finding:
    categories = {category for finding in findings for category in finding.categories}
    return Finding(
        frozenset(other for finding in findings for other in finding.others),
        tuple(category for category in Category if category in categories),
        any(finding.unchecked for finding in findings),
    )


def _slots(whose: Iterable[tuple[int, Category]]) -> set[int]:
    return {slot for slot, _ in whose}


def _addresses(text: str) -> Iterator[str]:
    for match in _EMAIL.finditer(text):
        whole = match.group()
        local, _, domain = whole.rpartition("@")
        shorter = _LOCAL_END.search(local)
        for one in {local, shorter.group() if shorter else local, local.strip("._*~-=/?!#&")}:
            if one:
                yield folded_email(f"{one}@{domain.rstrip('.-_')}")


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


def _runs(words: list[str], known: set[str], least: int) -> Iterator[list[str]]:
    """Stretches of known words, each of at least `least`."""
    if len(known) < 2:
        return
    run = list[str]()
    for word in words:
        if word in known:
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


def _is_meant(name: str, written: str) -> bool:
    """Whether two English words in a row are meant as a name: where they are nothing but words, by their capitals."""
    words = name.split()
    if not ALSO_WORDS.issuperset(words):
        return True
    there = r"\W+".join(f"(?:{word.title()}|{word.upper()})" for word in words)
    return re.search(rf"(?<!\w){there}(?!\w)", written) is not None


def _stretches(words: list[str], least: int, most: int) -> Iterator[str]:
    for start in range(len(words) - least + 1):
        for end in range(start + least, min(start + most, len(words)) + 1):
            value = " ".join(words[start:end])
            if len(value) > LEAST_LETTERS:
                yield value
