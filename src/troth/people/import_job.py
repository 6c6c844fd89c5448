"""Imports people from a file, with each person's consent. No HTTP, no terminal.

It reads the file, or the files of a ZIP, twice. First it checks all of it and writes nothing. If no row is invalid,
or invalid rows may be skipped, it stores the people: one large step for key store and indexes, then transactions of
`BATCH` people with one row each in the access log. A killed import is repeated with the same file: people imported
already are recognised. The worker runs meanwhile: transactions are short, and new people are locked only for a
moment. May touch: the database, `keys/people/`, the file.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import batched
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from troth.core import clock
from troth.core.ids import new_id
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.newsletter.models import Subscription, Topic, TopicSubscription
from troth.people import import_topics
from troth.people.csv_reader import CsvReader, Shape
from troth.people.csv_sources import CsvSource, FileRefused
from troth.people.import_columns import ImportColumns, read_headers
from troth.people.import_rows import Away, ImportRow, Judge, Wrong
from troth.people.import_topics import ChosenTopics, TopicNames
from troth.people.programs import ListState
from troth.vault import bulk_filing, ledger
from troth.vault.bulk_filing import Placed
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person, Record
from troth.vault.records import CONSENT, DETAILS, Consent, Details

CHUNK = 50_000
"""People who get keys and places in the indexes at once."""
BATCH = 5_000
"""People in one transaction: some tenths of a second."""
_SUBSCRIPTION = ("id", "person_id", "state", "created_at", "confirmed_at", "paused_until", "language")
MOST_TOLD = 1_000
"""Bad rows that are told one by one; of the others the count is."""
type Progress = Callable[[str, int, int, int], None]
"""Called with what is being done, bytes done, bytes there are, rows done."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be used. `column` as the file calls it; no value."""

    line: int
    column: str
    why: str
    file: str = ""
    """The file's name in a ZIP."""


@dataclass(slots=True)
class ExaminedFile:
    """What the first reading found; `counts` as `COUNTS` names them."""

    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    bad: list[BadRow] = field(default_factory=list)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Bad rows by column and reason."""
    away: Counter[str] = field(default_factory=Counter)
    """Who is not subscribed, by the column that says so."""
    left_out: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Details that were left out of people who come in, by column and reason."""
    files: dict[str, Counter[str]] = field(default_factory=dict)
    """Of each file, how many rows are `SUBSCRIBED`, in another state, or bad."""
    chosen: dict[bytes, ChosenTopics] = field(default_factory=dict)
    """What all rows of an address name."""
    topics: Counter[int] = field(default_factory=Counter)
    """People who would be subscribed, by the number of each of their topics."""
    unknown_topics: Counter[str] = field(default_factory=Counter)
    """The same, by names that match no topic and could be one."""
    unusable_topics: Counter[str] = field(default_factory=Counter)
    """The same, by names that match no topic and cannot be one, as they may be shown."""
    fates: dict[bytes, str] = field(default_factory=dict)
    """By the addresses' digests, which of `COUNTS` they are: about 120 bytes each, 120 MB for a million."""
    unsubscribed: set[bytes] = field(default_factory=set)
    """Digests of who is gone by any row: a file that holds somebody twice may say both, and the no counts."""

    @property
    def usable(self) -> int:
        """Return how many rows bring somebody in, or change them."""
        return sum(self.counts[name] for name in ("new", "joined", "updated"))

    @property
    def only_bad(self) -> bool:
        """Whether there are rows and all are invalid."""
        return self.rows > 0 and self.counts["bad"] == self.rows


ELSEWHERE = "another row of the same address"
SUBSCRIBED, BAD, NOT_SUBSCRIBED = "subscribed", "rows with errors", "not subscribed"
COUNTS = {
    "new": "new people",
    "joined": "already known, now subscribed as well",
    "updated": "already subscribed, details updated",
    "there": "already subscribed, unchanged",
    "twice": "duplicates in the file, first row used",
    "left": "unsubscribed before, not imported",
    "erased": "deleted before, not imported",
    "frozen": "processing restricted, unchanged",
    "away": "not subscribed according to the file",
    "bad": "rows with errors",
}


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file and how it is to be read."""

    source: CsvSource
    shape: Shape
    columns: ImportColumns
    judge: Judge
    state: ListState | None = None
    """Where everybody in it stands, as its name says; None where its rows say so."""


@dataclass(frozen=True, slots=True)
class PeopleImport:
    """What is imported: a file, or those of a ZIP."""

    files: tuple[ImportFile, ...]
    source: str
    """Where the people come from, for their consent record."""
    actor: UUID | str
    update: bool = False

    @property
    def size(self) -> int:
        """Return the length of all files in bytes."""
        return sum(file.source.size for file in self.files)

    @property
    def topics(self) -> TopicNames:
        """Return the topics that rows may name."""
        return self.files[0].judge.topics

    def read_topics_as(self, topics: TopicNames) -> None:
        """Take other topics: some were created since the first reading."""
        for file in self.files:
            file.judge.topics = topics


def headers(source: CsvSource, shape: Shape) -> tuple[str, ...]:
    """Return the columns' names. Raises `FileRefused`."""
    return read_headers(next(_cells(source, shape, 1)))


def first_rows(source: CsvSource, shape: Shape, count: int) -> list[list[str]]:
    """Return the first rows after the headers, unmasked; mask them before showing them."""
    return list(_cells(source, shape, count + 1))[1:]


def _cells(source: CsvSource, shape: Shape, count: int) -> Iterator[list[str]]:
    reader = CsvReader(source, shape)
    try:
        for number, record in enumerate(reader.records()):
            if number == 0 and record.wrong:
                raise FileRefused("The first line cannot be read.", mend=record.wrong)
            yield record.cells
            if number + 1 == count:
                return
    finally:
        reader.close()


# -- the first reading ------------------------------------------------------------------------------------------------


def examine(job: PeopleImport, progress: Progress) -> ExaminedFile:
    """Read and judge the whole file; writes nothing."""
    examined, vault = ExaminedFile(), keeper()
    vault.check()
    for chunk in batched(_judged(job, progress, "looking through", examined), BATCH):
        fresh: dict[bytes, Details] = {}
        for row in chunk:
            digest = vault.email_digest(row.details.email)
            _note_topics(examined, digest, row.topics)
            if digest in examined.fates:
                examined.counts["twice"] += 1
            else:
                examined.fates[digest] = "new"
                fresh[digest] = row.details
        people = bulk_filing.look(vault, list(fresh))
        erased = bulk_filing.erased_among(
            vault, {digest: details for digest, details in fresh.items() if digest not in people}
        )
        examined.fates.update(dict.fromkeys(erased, "erased"))
        standing = _Standing(list(people.values()))
        examined.fates.update(
            (digest, standing.fate(person_id, update=job.update)) for digest, person_id in people.items()
        )
    for digest in examined.unsubscribed & examined.fates.keys():
        examined.fates[digest] = "away"
        examined.away[ELSEWHERE] += 1
    examined.counts.update(examined.fates.values())
    _count_topics(examined)
    return examined


def _note_topics(examined: ExaminedFile, digest: bytes, topics: ChosenTopics) -> None:
    if topics:
        before = examined.chosen.get(digest)
        examined.chosen[digest] = topics if before is None else before.with_those_of(topics)


def _count_topics(examined: ExaminedFile) -> None:
    """Count the topics of who would be subscribed."""
    for digest, topics in examined.chosen.items():
        if examined.fates[digest] in ("new", "joined"):
            examined.topics.update(topics.numbers)
            import_topics.count(examined.unknown_topics, topics.unknown)
            import_topics.count(examined.unusable_topics, topics.unusable)


class _Standing:
    """Where people who are known already stand with the newsletter."""

    def __init__(self, people: Sequence[UUID]) -> None:
        self._states: dict[UUID, str] = {}
        self._frozen = set[UUID]()
        for chunk in batched(people, 500):
            rows = Subscription.with_canaries.filter(person__in=chunk)
            self._states.update(rows.values_list("person", "state"))
            still = Person.with_canaries.filter(id__in=chunk, frozen_at__isnull=False)
            self._frozen.update(still.values_list("id", flat=True))
            going = Erasure.objects.filter(person__in=chunk).values_list("person", flat=True)
            self._frozen.update(person_id for person_id in going if person_id)

    def fate(self, person_id: UUID, *, update: bool) -> str:
        """Return which of `COUNTS` they belong to."""
        state = self._states.get(person_id)
        if person_id in self._frozen:
            return "frozen"
        if state is None:
            return "joined"
        if state == Subscription.State.LEFT:
            return "left"
        return "updated" if update else "there"


@dataclass(slots=True)
class _Reading:
    """A reading of all files: how far it is, and what it finds."""

    job: PeopleImport
    phase: str
    progress: Progress
    examined: ExaminedFile
    before: int = 0
    """Bytes of the files that are read."""

    def told(self, reader: CsvReader) -> None:
        """Report how far it is."""
        self.progress(self.phase, self.before + reader.done, self.job.size, self.examined.rows)


def _judged(job: PeopleImport, progress: Progress, phase: str, examined: ExaminedFile) -> Iterator[ImportRow]:
    """Yield valid rows of all files; counts the others."""
    reading = _Reading(job, phase, progress, examined)
    for file in job.files:
        reader = CsvReader(file.source, file.shape)
        try:
            yield from _judged_file(file, reader, reading)
        finally:
            reader.close()
        reading.before += reader.size
    progress(phase, job.size, job.size, examined.rows)


def _judged_file(file: ImportFile, reader: CsvReader, reading: _Reading) -> Iterator[ImportRow]:
    examined = reading.examined
    counts = examined.files.setdefault(file.source.name, Counter())
    records = reader.records()
    next(records, None)
    judge = file.judge.row
    for record in records:
        examined.rows += 1
        if not examined.rows % 1000:
            reading.told(reader)
        try:
            if record.wrong:
                raise Wrong("", record.wrong)
            if file.state is not None:
                raise Away(None, file.state)
            if any(record.cells):
                row = judge(record.cells)
                examined.left_out.update((file.columns.name_of(field), why) for field, why in row.left_out.items())
                counts[SUBSCRIBED] += 1
                yield row
        except Wrong as wrong:
            counts[BAD] += 1
            columns = file.columns
            column = columns.name_of(wrong.field) if wrong.place is None else columns.called(wrong.place)
            _note_bad(examined, BadRow(record.line, column, wrong.why, file.source.name))
        except Away as away:
            counts[away.state or NOT_SUBSCRIBED] += 1
            _note_away(examined, file, away, record.cells)


def _note_away(examined: ExaminedFile, file: ImportFile, away: Away, cells: Sequence[str]) -> None:
    """Count somebody who is not subscribed, and remember them: no other row subscribes them."""
    examined.counts["away"] += 1
    column = file.source.name if away.place is None else file.columns.called(away.place)
    examined.away[f"{column} ({away.state})" if away.state else column] += 1
    if address := file.judge.address(cells):
        examined.unsubscribed.add(keeper().email_digest(EmailAddress(address)))


def _note_bad(examined: ExaminedFile, bad: BadRow) -> None:
    examined.counts["bad"] += 1
    examined.reasons[bad.column, bad.why] += 1
    if len(examined.bad) < MOST_TOLD:
        examined.bad.append(bad)


# -- the second reading -----------------------------------------------------------------------------------------------


def carry_out(job: PeopleImport, examined: ExaminedFile, progress: Progress) -> Counter[str]:
    """Read the file again and file its people; returns what became of them, by `COUNTS`. May be run again."""
    outcome, filing = ExaminedFile(), _Filing(job)
    for chunk in batched(_judged(job, progress, "filing", outcome), CHUNK):
        rows: dict[bytes, ImportRow] = {}
        for row in chunk:
            digest = keeper().email_digest(row.details.email)
            fate = examined.fates.pop(digest, None)
            if fate == "away":
                outcome.counts["away"] += 1
            elif fate is not None:
                rows[digest] = _with_topics(row, job.topics.bitmap_of(examined.chosen.get(digest, row.topics)))
            else:
                outcome.counts["twice"] += 1
        outcome.counts += filing.file(rows)
    return outcome.counts


def _with_topics(row: ImportRow, bitmap: int) -> ImportRow:
    """Return the row with the topics of all rows of its address, and with those that were created since."""
    return row if row.topics.bitmap == bitmap else replace(row, topics=ChosenTopics(bitmap))


class _Filing:
    """Files chunks of rows."""

    def __init__(self, job: PeopleImport) -> None:
        self._job, self._vault, self._id = job, keeper(), new_id()
        self._topics = dict(Topic.objects.values_list("number", "id"))

    def file(self, rows: dict[bytes, ImportRow]) -> Counter[str]:
        placed = bulk_filing.place(self._vault, {digest: row.details for digest, row in rows.items()})
        counts = Counter(erased=sum(placement is None for placement in placed.values()))
        for chunk in batched(rows.items(), BATCH):
            batch = [(placement, row) for digest, row in chunk if (placement := placed[digest]) is not None]
            counts += self._tried(batch)
        return counts

    def _tried(self, batch: Sequence[tuple[Placed, ImportRow]]) -> Counter[str]:
        """Store the batch in one transaction; repeat it if the worker stored one of these people meanwhile."""
        for wait in (0.2, 1.0, 3.0, None):
            try:
                with transaction.atomic():
                    return self._file_batch(batch)
            except (IntegrityError, OperationalError):
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError

    def _file_batch(self, batch: Sequence[tuple[Placed, ImportRow]]) -> Counter[str]:
        fresh = {placement.id for placement, _ in batch if not placement.known}
        # Somebody of these may have signed up by themselves since they got their place.
        existing = set(
            Person.with_canaries.filter(id__gte=min(fresh), id__lte=max(fresh)).values_list("id", flat=True)
            if fresh
            else ()
        )
        fresh -= existing
        known_ids = [placement.id for placement, _ in batch if placement.id not in fresh]
        erased = set(known_ids) - bulk_filing.present(Person, "id", known_ids)
        standing = _Standing(known_ids)
        fates = {person_id: "new" for person_id in fresh} | {
            person_id: standing.fate(person_id, update=self._job.update) for person_id in known_ids
        }
        fates |= dict.fromkeys(erased, "erased")
        self._insert([(placement, row) for placement, row in batch if fates[placement.id] in ("new", "joined")], fresh)
        renewed = [(placement, row) for placement, row in batch if fates[placement.id] == "updated"]
        if renewed:
            self._renew(renewed)
        joined = [person_id for person_id, fate in fates.items() if fate == "joined"]
        self._vault.arm(Reason.IMPORT_PEOPLE, self._job.actor, Person.objects.filter(id__in=joined))
        touched = [person_id for person_id, fate in fates.items() if fate in ("new", "joined")]
        if touched:
            ledger.write(Reason.IMPORT_PEOPLE, self._job.actor, touched)
        return Counter(fates.values())

    def _insert(self, rows: Sequence[tuple[Placed, ImportRow]], fresh: set[UUID]) -> None:
        """Insert person, details, consent and subscription of each, with one statement for each table."""
        now, boxed = clock.now(), bulk_filing.boxed
        new = [(placement, row) for placement, row in rows if placement.id in fresh]
        bulk_filing.insert(Person, bulk_filing.PERSON, [(placement.id, placement.slot, now) for placement, _ in new])
        details = [boxed(self._vault, placement, DETAILS, row.details, now) for placement, row in new]
        consents = [boxed(self._vault, placement, CONSENT, self._consent(row), now) for placement, row in rows]
        bulk_filing.insert(Record, bulk_filing.RECORD, [*details, *consents])
        confirmed = Subscription.State.CONFIRMED.value
        places = [
            (new_id(), placement.id, confirmed, now, row.consent_at, row.paused_until, row.language)
            for placement, row in rows
        ]
        bulk_filing.insert(Subscription, _SUBSCRIPTION, places)
        chosen = [
            (place[0], topic, row.consent_at)
            for place, (_, row) in zip(places, rows, strict=True)
            for number, topic in self._topics.items()
            if row.topics.bitmap >> number & 1
        ]
        bulk_filing.insert(TopicSubscription, ("subscription_id", "topic_id", "since"), chosen)

    def _consent(self, row: ImportRow) -> Consent:
        topics = row.topics.bitmap or None
        return Consent("imported", self._id, _ms(row.consent_at), None, row.wording, self._job.source, topics)

    def _renew(self, rows: Sequence[tuple[Placed, ImportRow]]) -> None:
        """Update stored details from the file; fields that it leaves empty stay."""
        ids = [placement.id for placement, _ in rows]
        vault, stored = self._vault, dict[UUID, Details]()
        for chunk in batched(ids, 500):
            opened = vault.open_records(Reason.IMPORT_PEOPLE, actor=self._job.actor, person_ids=chunk)
            stored.update(
                (person_id, contents[-1]) for person_id, contents in opened.items() if isinstance(contents[-1], Details)
            )
        records = {record.person_id: record for record in _newest(ids)}
        people = {
            person.id: person for chunk in batched(ids, 500) for person in Person.with_canaries.filter(id__in=chunk)
        }
        changed = list[Record]()
        for placement, row in rows:
            before, record = stored.get(placement.id), records.get(placement.id)
            if before is None or record is None or (merged := row.details.over(before)) == before:
                continue
            opened_person = vault.held(people[placement.id])
            vault.replace(opened_person, record, merged)
            vault.index_details(opened_person, merged)
            changed.append(record)
        Record.with_canaries.bulk_update(changed, ["box"], batch_size=500)
        self._renew_languages(rows)

    def _renew_languages(self, rows: Sequence[tuple[Placed, ImportRow]]) -> None:
        people_of: dict[str, list[UUID]] = {}
        for placement, row in rows:
            people_of.setdefault(row.language, []).append(placement.id)
        people_of.pop("", None)  # the file does not say
        for language, people in people_of.items():
            for chunk in batched(people, 500):
                places = Subscription.with_canaries.filter(person__in=chunk, state=Subscription.State.CONFIRMED)
                places.exclude(language=language).update(language=language)


def _newest(ids: Iterable[UUID]) -> Iterator[Record]:
    for chunk in batched(ids, 500):
        yield from Record.with_canaries.filter(person__in=chunk, kind=DETAILS).order_by("created_at", "id")


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
