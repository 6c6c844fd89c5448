"""Reads topics from cells of a file: tags, labels, lists, segments. Matches them to this site's topics by name.

A name that matches none is counted and shown, and never becomes a topic unless the operator asks for it. A name that
looks like somebody's detail is shown as a shape only. May touch: the database.
"""

import csv
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from troth.core.text import csv_cells
from troth.newsletter import topics
from troth.people.csv_sources import FileRefused
from troth.people.import_columns import DETAIL, masked

LONGEST_NAME = 60
"""Characters of a topic's name, as in `newsletter.topics`."""
MOST_NAMES = 500
"""Different names that are told; of the others the count is."""
OTHERS = "(other names)"
_MOST_CELLS, _LONGEST_KEPT = 10_000, 200
"""Cells that are remembered, with at most so many characters each."""


@dataclass(frozen=True, slots=True)
class ChosenTopics:
    """What the cells of a row name."""

    bitmap: int
    """A bit for each `Topic.number`."""
    unknown: tuple[str, ...] = ()
    """Names that match no topic and could be one."""
    unusable: tuple[str, ...] = ()
    """Names that match no topic and cannot be one, as they may be shown."""

    def __bool__(self) -> bool:
        return bool(self.bitmap or self.unknown or self.unusable)

    @property
    def numbers(self) -> tuple[int, ...]:
        """Return the topics by `Topic.number`."""
        return tuple(number for number in range(self.bitmap.bit_length()) if self.bitmap >> number & 1)

    def with_those_of(self, other: "ChosenTopics") -> "ChosenTopics":
        """Return what either row names."""
        if self == other:
            return self
        return ChosenTopics(
            self.bitmap | other.bitmap,
            tuple(dict.fromkeys(self.unknown + other.unknown)),
            tuple(dict.fromkeys(self.unusable + other.unusable)),
        )


class TopicNames:
    """Finds topics by their names, whatever the case. `always`: topics of every row, as a bitmap."""

    def __init__(self, numbers: Mapping[str, int], archived: Iterable[str] = (), always: int = 0) -> None:
        self._numbers = {_key(name): number for name, number in numbers.items()}
        self._archived = {_key(name) for name in archived}
        self._always = always
        self._cells: dict[Sequence[str], ChosenTopics] = {}
        self._first_written: dict[str, str] = {}

    def read(self, cells: Sequence[str]) -> ChosenTopics:
        """Return the topics that these cells name."""
        key = tuple(cells)
        chosen = self._cells.get(key)
        if chosen is None:
            chosen = self._read(key)
            if len(self._cells) < _MOST_CELLS and sum(map(len, key)) <= _LONGEST_KEPT:
                self._cells[key] = chosen
        return chosen

    def bitmap_of(self, chosen: ChosenTopics) -> int:
        """Return the topics of a row that was read before some of them were created."""
        bitmap = chosen.bitmap
        for name in chosen.unknown:
            if (number := self._numbers.get(_key(name))) is not None:
                bitmap |= 1 << number
        return bitmap

    def _read(self, cells: Sequence[str]) -> ChosenTopics:
        bitmap, unknown, unusable = self._always, dict[str, None](), dict[str, None]()
        for cell in cells:
            names_topic = not cell.startswith(('"', "'")) and _key(cell) in self._numbers
            names = [cell] if names_topic else names_in(cell)
            for name in map(_tidy, names):
                if (number := self._numbers.get(name.casefold())) is not None:
                    bitmap |= 1 << number
                elif not name:
                    continue
                elif name.casefold() in self._archived:
                    unusable[f"{name} (archived)"] = None
                elif (display_name := _shown(name)) != name:
                    unusable[display_name] = None
                else:
                    unknown[self._as_first_written(name)] = None
        return ChosenTopics(bitmap, tuple(unknown), tuple(unusable))

    def _as_first_written(self, name: str) -> str:
        if len(self._first_written) >= _MOST_CELLS:
            return self._first_written.get(name.casefold(), name)
        return self._first_written.setdefault(name.casefold(), name)


def _tidy(name: str) -> str:
    return " ".join(unicodedata.normalize("NFC", name).split())


def _key(name: str) -> str:
    return _tidy(name).casefold()


def _shown(name: str) -> str:
    if len(name) > LONGEST_NAME:
        return f"(longer than {LONGEST_NAME} characters)"
    return masked(name) if DETAIL.search(name) or not name.isprintable() else name


def names_in(cell: str) -> list[str]:
    """Return the names in a cell: separated by commas, in quotation marks where they contain one, or a list in JSON
    (in an object, under `topics`)."""
    text = csv_cells.as_it_was(cell).strip()
    if text[:1] in ("[", "{"):
        try:
            listed = json.loads(text)
        except (ValueError, RecursionError):
            return [] if text[0] == "{" else _separated(text)
        listed = listed.get("topics") if isinstance(listed, dict) else listed
        return [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    return _separated(text)


def _separated(text: str) -> list[str]:
    line = " ".join(text.split())
    try:
        return next(csv.reader([line], skipinitialspace=True, escapechar="\\"), [])
    except csv.Error:
        return line.split(",")


def count(counter: Counter[str], names: Iterable[str]) -> None:
    """Count names; of more than `MOST_NAMES`, together."""
    for name in names:
        counter[name if name in counter or len(counter) < MOST_NAMES else OTHERS] += 1


# -- the site's topics ------------------------------------------------------------------------------------------------


def site_topics(always: Iterable[str] = ()) -> TopicNames:
    """Return this site's topics by name. `always`: names of topics for everybody in the file. Raises `FileRefused`."""
    offered = {topic.name: topic.number for topic in topics.all_topics() if topic.archived_at is None}
    numbers = {_key(name): number for name, number in offered.items()}
    bitmap = 0
    for name in always:
        if (number := numbers.get(_key(name))) is None:
            known = ", ".join(offered) or "none"
            raise FileRefused("--topic names no topic of this site.", mend=f"The topics are: {known}.")
        bitmap |= 1 << number
    archived = [topic.name for topic in topics.all_topics() if topic.archived_at is not None]
    return TopicNames(offered, archived, bitmap)


def names_by_number() -> dict[int, str]:
    """Return the names of this site's topics."""
    return {topic.number: topic.name for topic in topics.all_topics()}


def create(names: Iterable[str]) -> None:
    """Create private topics of these names: all or none. Raises `TopicRefused`."""
    with transaction.atomic():
        for name in names:
            if name != OTHERS:
                topics.create(name, "", public=False)
