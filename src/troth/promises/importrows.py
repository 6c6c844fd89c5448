"""One row of a file becomes a person's details and the consent behind them, or a reason why not (C1).

A reason never repeats a value. Touches nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from troth.ground import clock, csvcells, details
from troth.ground.personal import TYPES
from troth.ground.purpose import Category
from troth.letters.entry import wording_digest
from troth.promises.csvfile import FileRefused
from troth.promises.importmap import CONSENT, CONSENT_DATE, DETAIL_FIELDS, STATE, Columns
from troth.vault.records import Details

_OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_STAYS = frozenset("confirmed subscribed active yes y true 1 on enabled".split())
_AWAY = frozenset(
    "left unsubscribed waiting unconfirmed pending inactive cleaned bounced complained spam blocked archived deleted "
    "transactional nonsubscribed non-subscribed opted-out optout opt-out no n false 0 off disabled".split()
)
_NO = frozenset("no n false 0 off none nein non".split())
_YES = frozenset("yes y true 1 on x ja oui si".split())


class Wrong(Exception):
    """A row that cannot be used: the field at fault and a sentence. Carries no value."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(why)
        self.field, self.why = field, why


@dataclass(frozen=True, slots=True)
class Ground:
    """What the operator states for all whose row says nothing itself."""

    words: str = ""
    """The sentence that they agreed to."""
    at: datetime | None = None
    """When they did."""


@dataclass(frozen=True, slots=True, repr=False)
class Row:
    """A row that can be used."""

    details: Details
    consent_at: datetime
    wording: bytes
    """SHA-256 of the sentence that was agreed to."""


class Away(Exception):
    """The row says itself that this person is not on the list any more, or not yet."""


class Judge:
    """Judges rows by one mapping and one ground."""

    def __init__(self, columns: Columns, ground: Ground, date_format: str = "") -> None:
        self._columns, self._ground, self._format = columns, ground, date_format
        self._width = max(place for places in columns.columns.values() for place in places) + 1
        self._fields = [(Category(field), field) for field in DETAIL_FIELDS if field in columns.columns]
        self._wordings: dict[str, bytes] = {}
        self._dates: dict[str, datetime] = {}
        self._domains: dict[str, str] = {}
        self._now = clock.now()

    def row(self, cells: Sequence[str]) -> Row:
        """The row. Raises `Wrong`, or `Away`."""
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        elif len(cells) > len(self._columns.headers) and any(cells[len(self._columns.headers) :]):
            raise Wrong("", "The row has more fields than the first line names.")
        self._still_there(cells)
        values = {field: self._value(category, self._columns.pick(field, cells)) for category, field in self._fields}
        return Row(_details(values), self._when(cells), self._wording(cells))

    def _still_there(self, cells: Sequence[str]) -> None:
        said = self._columns.pick(STATE, cells).strip().casefold()
        if said in _AWAY:
            raise Away
        if said and said not in _STAYS:
            raise Wrong(STATE, "This state is not known. Known are subscribed, unsubscribed and the like.")

    # -- details --------------------------------------------------------------------------------------------------

    def _value(self, category: Category, cell: str) -> str:
        text = details.tidy(csvcells.as_it_was(cell), category)
        if not text:
            if category is Category.EMAIL:
                raise Wrong("email", "There is no e-mail address.")
            return ""
        if details.LOST in text:
            raise Wrong(category.value, "There are bytes in here that the file's encoding does not have.")
        if category is Category.EMAIL and (quick := self._quick_email(text)):
            return quick
        try:
            return details.check(category, text)
        except ValueError as error:
            raise Wrong(category.value, _for_a_file(str(error))) from None

    def _quick_email(self, text: str) -> str:
        """A plain address at a domain that was checked before; empty where all of it has to be looked at."""
        local, _, domain = text.rpartition("@")
        plain = local.isascii() and len(local) <= 64 and local.replace(".", "").replace("_", "").isalnum()
        if not plain or ".." in local or local[0] == "." or local[-1] == ".":
            return ""
        known = self._domains.get(domain)
        if known is None:
            try:
                known = details.check(Category.EMAIL, f"a@{domain}").rpartition("@")[2]
            except ValueError:
                known = ""
            self._domains[domain] = known
            if len(self._domains) > 100_000:
                self._domains.clear()
        return f"{local}@{known}" if known and len(local) + len(known) < 254 else ""

    # -- consent --------------------------------------------------------------------------------------------------

    def _when(self, cells: Sequence[str]) -> datetime:
        said = self._columns.pick(CONSENT_DATE, cells).strip()
        if said:
            found = self._dates.get(said) or self._date(said)
        elif self._ground.at is not None:
            found = self._ground.at
        else:
            raise Wrong(CONSENT_DATE, "No consent: the row does not say when, and no date is stated for all.")
        return found

    def _date(self, said: str) -> datetime:
        try:
            found = parse_date(said, self._format)
        except ValueError:
            raise Wrong(CONSENT_DATE, "This is not a date such as 2024-03-31.") from None
        if not _OLDEST <= found <= self._now:
            raise Wrong(CONSENT_DATE, "The date is before 1990 or still to come.")
        if len(self._dates) < 10_000:
            self._dates[said] = found
        return found

    def _wording(self, cells: Sequence[str]) -> bytes:
        said = self._columns.pick(CONSENT, cells).strip()
        known = self._wordings.get(said)
        if known is not None:
            return known
        folded = said.casefold()
        if folded in _NO:
            raise Wrong(CONSENT, "No consent: the row says no.")
        words = self._ground.words if not said or folded in _YES else said
        if not words:
            raise Wrong(CONSENT, "No consent: the row does not say to what, and --consent says it for none.")
        digest = wording_digest(words)
        if len(self._wordings) < 10_000:
            self._wordings[said] = digest
        return digest


def _details(values: Mapping[str, str]) -> Details:
    made: dict[str, Any] = {field: TYPES[Category(field)](value) if value else None for field, value in values.items()}
    return Details(**made)


def _for_a_file(sentence: str) -> str:
    """What a form says to a person, said of a file."""
    return sentence.replace(" Please type it anew.", "").replace("Please use at most", "It is longer than")


def parse_date(said: str, date_format: str = "") -> datetime:
    """A day or a moment, ISO 8601 or as `date_format` (strptime's letters) says; UTC where no zone is named."""
    if date_format:
        found = datetime.strptime(said, date_format)  # noqa: DTZ007 - the zone follows
    elif len(said) == 10:
        found = datetime.combine(date.fromisoformat(said), time())
    else:
        found = datetime.fromisoformat(said.replace(" UTC", "Z"))
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def read_ground(words: str, at: str, date_format: str = "") -> Ground:
    """What the operator states for all. Raises `FileRefused`."""
    if not at:
        return Ground(words.strip())
    try:
        when = parse_date(at, date_format)
    except ValueError:
        raise FileRefused("--consent-date is no date.", mend="Write it as 2024-03-31.") from None
    if not _OLDEST <= when <= clock.now():
        raise FileRefused("--consent-date is before 1990 or still to come.", mend="Write the day they agreed.")
    return Ground(words.strip(), when)
