"""Converts a row to a person's details and consent, or gives the reason why it cannot (C1).

A reason never repeats a value. Touches nothing.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from troth.core import clock, contact_details
from troth.core.personal import TYPES
from troth.core.purpose import Category
from troth.core.text import csv_cells, language_tags
from troth.newsletter.entry import wording_digest
from troth.people.csv_sources import FileRefused
from troth.people.import_columns import (
    CONSENT,
    CONSENT_DATE,
    DETAIL_FIELDS,
    LANGUAGE,
    PAUSED,
    TOPICS,
    ImportColumns,
    masked,
)
from troth.people.import_topics import ChosenTopics, TopicNames
from troth.people.programs import ListState, bare_name, without_zone_name
from troth.people.unsubscribed_columns import Meaning, Unclear, agrees, gone, is_moment, refuses
from troth.vault.records import Details

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)


_SPARED = frozenset({Category.TELEPHONE})
"""Details for which nobody stays out: old lists hold notes, two numbers, or half of one."""
_A_WORD = re.compile(r"[A-Za-z]{2,16}(?:[ _-][A-Za-z]{2,16})?|-?\d{1,3}")
_MOST_WORDS = 20
"""Different words of one column that are told; a column of more is no column of states."""


class Wrong(Exception):
    """A row that cannot be used: the field at fault, or the column's place, and a sentence. Carries no detail."""

    def __init__(self, field: str, why: str, place: int | None = None) -> None:
        super().__init__(why)
        self.field, self.why, self.place = field, why, place


@dataclass(frozen=True, slots=True)
class ConsentStatement:
    """What the operator states for all whose row says nothing itself."""

    words: str = ""
    """The sentence that they agreed to."""
    at: datetime | None = None
    """When they did."""
    language: str = ""
    """Their language, as a tag; empty where it is not known."""


@dataclass(frozen=True, slots=True, repr=False)
class ImportRow:
    """A row that can be used."""

    details: Details
    consent_at: datetime
    wording: bytes
    """SHA-256 of the sentence that was agreed to."""
    left_out: Mapping[str, str]
    """Details that could not be used and are not needed, each with the reason."""
    topics: ChosenTopics
    paused_until: datetime | None = None
    language: str = ""
    """As a tag; empty where it is not known."""


class Away(Exception):
    """The row says itself, in the column at `place`, that this person is not on the list any more, or not yet. Without
    a place, the name of its file says so."""

    def __init__(self, place: int | None, state: ListState | None = None) -> None:
        super().__init__()
        self.place, self.state = place, state


class Judge:
    """Judges rows by one mapping and one ground. `topics`: the topics that rows may name."""

    def __init__(
        self,
        columns: ImportColumns,
        ground: ConsentStatement,
        date_format: str = "",
        topics: TopicNames | None = None,
    ) -> None:
        self._columns, self._ground, self._format = columns, ground, date_format
        self.topics = topics or TopicNames({})
        read = {place for places in columns.columns.values() for place in places} | set(columns.standing)
        self._width = max(read) + 1
        self._shown: dict[int, set[str]] = {}
        self._fields = [(Category(field), field) for field in DETAIL_FIELDS if field in columns.columns]
        self._wordings: dict[str, bytes] = {}
        self._dates: dict[str, datetime] = {}
        self._domains: dict[str, str] = {}
        self._now = clock.now()

    def row(self, cells: Sequence[str]) -> ImportRow:
        """Read a row. Raises `Wrong` or `Away`."""
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        elif len(cells) > len(self._columns.headers) and any(cells[len(self._columns.headers) :]):
            raise Wrong("", "The row has more fields than the header.")
        self._still_there(cells)
        values, left_out = dict[str, str](), dict[str, str]()
        for category, field in self._fields:
            try:
                values[field] = self._value(category, self._columns.pick(field, cells))
            except Wrong as wrong:
                if category not in _SPARED:
                    raise
                values[field], left_out[field] = "", wrong.why
        topics = self.topics.read(self._columns.cells(TOPICS, cells))
        when, paused, language = self._when(cells), self._paused(cells), self._language(cells, left_out)
        return ImportRow(_details(values), when, self._wording(cells), left_out, topics, paused, language)

    def address(self, cells: Sequence[str]) -> str:
        """Return a row's address, whatever else it has; empty if there is none."""
        try:
            return self._value(Category.EMAIL, self._columns.pick(Category.EMAIL.value, cells))
        except Wrong:
            return ""

    def _still_there(self, cells: Sequence[str]) -> None:
        """Check that the person did not unsubscribe: a clear column takes precedence over an unclear one."""
        unclear = None
        for place, meaning in self._columns.standing.items():
            try:
                if (words := self._columns.states.get(place)) is not None:
                    self._check_state(place, words, cells[place])
                elif gone(meaning, cells[place]):
                    raise Away(place, self._columns.gone.get(place))
            except Unclear:
                unclear = place if unclear is None else unclear
        if unclear is not None:
            raise Wrong("", self._ask(unclear, cells), unclear)

    def _check_state(self, place: int, words: Mapping[str, ListState], cell: str) -> None:
        """Check a cell whose words the program defines; nothing there is no subscriber. Raises `Away` or `Unclear`."""
        word = bare_name(cell)
        if word and word not in words:
            raise Unclear
        state = words.get(word)
        if state is not ListState.SUBSCRIBED:
            raise Away(place, state)

    def _ask(self, place: int, cells: Sequence[str]) -> str:
        name, value = self._columns.called(place), self._word(place, cells)
        options = ", ".join(f'--map "{name}={meaning}"' for meaning in (Meaning.LEFT, Meaning.OPTED_IN, Meaning.STATE))
        return (
            f"This may say that somebody has left, and {value} is not understood here. Write subscribed or "
            f"unsubscribed instead, or say what the column is: {options}, "
            f'or --map "{name}=-" where it is about something else.'
        )

    def _word(self, place: int, cells: Sequence[str]) -> str:
        """Return the cell if it is a program's word, otherwise its shape, so that no detail is shown."""
        cell = cells[place].strip()
        words_of_column = self._shown.setdefault(place, set())
        neighbours = " ".join(neighbour.casefold() for at, neighbour in enumerate(cells) if at != place)
        if cell not in words_of_column and len(words_of_column) >= _MOST_WORDS:
            return "what is in it"
        if _A_WORD.fullmatch(cell) and not any(word in neighbours for word in re.split(r"[ _-]", cell.casefold())):
            words_of_column.add(cell)
            return f'"{cell}"'
        return f'"{masked(cell, 12)}"'

    # -- details --------------------------------------------------------------------------------------------------

    def _value(self, category: Category, cell: str) -> str:
        text = contact_details.tidy(csv_cells.as_it_was(cell), category)
        if not text:
            if category is Category.EMAIL:
                raise Wrong("email", "The email address is missing.")
            return ""
        if contact_details.LOST in text:
            raise Wrong(category.value, "The value has bytes that are invalid in the file's encoding.")
        if category is Category.EMAIL and (quick := self._quick_email(text)):
            return quick
        try:
            return contact_details.check(category, text)
        except ValueError as error:
            raise Wrong(category.value, _for_a_file(str(error))) from None

    def _quick_email(self, text: str) -> str:
        """Return a simple address at a domain checked before; empty if it needs the full check."""
        local, _, domain = text.rpartition("@")
        plain = local.isascii() and len(local) <= 64 and local.replace(".", "").replace("_", "").isalnum()
        if not plain or ".." in local or local[0] == "." or local[-1] == ".":
            return ""
        checked = self._domains.get(domain)
        if checked is None:
            try:
                checked = contact_details.check(Category.EMAIL, f"a@{domain}").rpartition("@")[2]
            except ValueError:
                checked = ""
            self._domains[domain] = checked
            if len(self._domains) > 100_000:
                self._domains.clear()
        return f"{local}@{checked}" if checked and len(local) + len(checked) < 254 else ""

    # -- consent --------------------------------------------------------------------------------------------------

    def _when(self, cells: Sequence[str]) -> datetime:
        """Return the date from the first filled column: imported people may have only a confirmation date."""
        text = next(filter(is_moment, self._columns.cells(CONSENT_DATE, cells)), "")
        if text:
            moment = self._dates.get(text) or self._date(text)
        elif self._ground.at is not None:
            moment = self._ground.at
        else:
            raise Wrong(CONSENT_DATE, "No consent: the row has no date, and --consent-date is not set.")
        return moment

    def _date(self, text: str) -> datetime:
        try:
            moment = parse_date(text, self._format)
        except (ValueError, OverflowError):
            raise Wrong(CONSENT_DATE, "Not a date such as 2024-03-31.") from None
        if not _OLDEST <= moment <= self._now:
            raise Wrong(CONSENT_DATE, "The date is before 1990 or in the future.")
        if len(self._dates) < 10_000:
            self._dates[text] = moment
        return moment

    def _paused(self, cells: Sequence[str]) -> datetime | None:
        """Return until when somebody asked for no emails, if that is still to come."""
        text = self._columns.pick(PAUSED, cells).strip()
        if not text:
            return None
        try:
            until = parse_date(text, self._format)
        except (ValueError, OverflowError):
            raise Wrong(PAUSED, "Not a date such as 2024-03-31.") from None
        return until if until > self._now else None

    def _language(self, cells: Sequence[str], left_out: dict[str, str]) -> str:
        """Return the language's tag: the row's, or that of everybody in the file."""
        cell = self._columns.pick(LANGUAGE, cells).strip().replace("_", "-")
        if not cell:
            return self._ground.language
        if len(cell) > language_tags.LONGEST or not language_tags.is_language(cell):
            left_out[LANGUAGE] = "Not a language tag such as de or pt-BR."
            return ""
        return language_tags.usual(cell)

    def _wording(self, cells: Sequence[str]) -> bytes:
        text = self._columns.pick(CONSENT, cells).strip()
        digest_known = self._wordings.get(text)
        if digest_known is not None:
            return digest_known
        if refuses(text):
            raise Wrong(CONSENT, "No consent: the row says no or unknown.")
        words = self._ground.words if not text or agrees(text) else text
        if not words:
            raise Wrong(CONSENT, "No consent: the row has no consent text, and --consent is not set.")
        digest = wording_digest(words)
        if len(self._wordings) < 10_000:
            self._wordings[text] = digest
        return digest


def _details(values: Mapping[str, str]) -> Details:
    details: dict[str, Any] = {
        field: TYPES[Category(field)](value) if value else None for field, value in values.items()
    }
    return Details(**details)


def _for_a_file(sentence: str) -> str:
    """Rephrase a form's error message for a file."""
    return sentence.replace(" Please type it again.", "").replace("Please use at most", "It is longer than")


def parse_date(text: str, date_format: str = "") -> datetime:
    """Parse a date or time in ISO 8601, or in `date_format` (strptime's codes); UTC by default."""
    if date_format:
        moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - the zone follows
    elif len(text) == 10:
        moment = datetime.combine(date.fromisoformat(text), time())
    else:
        moment = datetime.fromisoformat(without_zone_name(text).replace(" UTC", "Z"))
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def read_ground(words: str, at: str, date_format: str = "", language: str = "") -> ConsentStatement:
    """Read the operator's statement for all rows. Raises `FileRefused`."""
    if language and (len(language) > language_tags.LONGEST or not language_tags.is_language(language)):
        raise FileRefused("--language is not a language tag.", mend="Write one such as en, de or pt-BR.")
    tag = language_tags.usual(language)
    if not at:
        return ConsentStatement(words.strip(), language=tag)
    try:
        when = parse_date(at, date_format)
    except ValueError:
        raise FileRefused("--consent-date is not a date.", mend="Write it as 2024-03-31.") from None
    if not _OLDEST <= when <= clock.now():
        raise FileRefused("--consent-date is before 1990 or in the future.", mend="Enter the day they agreed.")
    return ConsentStatement(words.strip(), when, tag)
