"""People come in from a file, with the consent behind each recorded. No request, no response, no terminal.

Two readings. The first judges the whole file and writes nothing. Only a file without a bad row, or with leave to skip
them, is read again and filed: a large step for key store and indexes, then transactions of `BATCH` people, each with
one row in the ledger. What is killed anywhere is run again with the same file: who came in already is known by then.
Beside the worker: no transaction here is long, and the door to new people is shut for a moment only.
May touch: the database, `keys/people/`, the file to read.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from pathlib import Path
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction

from troth.core import clock
from troth.core.ids import new_id
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.newsletter.models import Subscription
from troth.people.csv_reader import FileRefused, Reader, Shape
from troth.people.import_columns import Columns, read_headers
from troth.people.import_rows import Away, Judge, Row, Wrong
from troth.vault import bulk_filing, ledger
from troth.vault.bulk_filing import Placed
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person, Record
from troth.vault.records import CONSENT, DETAILS, Consent, Details

CHUNK = 50_000
"""People who get keys and places in the indexes at once."""
BATCH = 5_000
"""People in one transaction: some tenths of a second."""
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


@dataclass(slots=True)
class Examined:
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
    fates: dict[bytes, str] = field(default_factory=dict)
    """By the addresses' digests, which of `COUNTS` they are: about 120 bytes each, 120 MB for a million."""
    gone: set[bytes] = field(default_factory=set)
    """Digests of who is gone by any row: a file that holds somebody twice may say both, and the no counts."""

    @property
    def only_bad(self) -> bool:
        """Whether there are rows and none of them can be used."""
        return self.rows > 0 and self.counts["bad"] == self.rows


ELSEWHERE = "another row of the same address"
COUNTS = {
    "new": "new people",
    "joined": "known already, now on the list, too",
    "updated": "on the list already, details renewed",
    "there": "on the list already, left as they are",
    "twice": "more than once in the file, the first counts",
    "left": "had left the list, stay out",
    "erased": "had been erased, stay out",
    "frozen": "asked to be left alone, left as they are",
    "away": "not subscribed, as the file itself says",
    "bad": "bad rows",
}


@dataclass(frozen=True, slots=True)
class Import:
    """One file and how it is to be read."""

    path: Path
    shape: Shape
    columns: Columns
    judge: Judge
    source: str
    """Where the people come from, for their consent record."""
    actor: UUID | str
    update: bool = False


def headers(path: Path, shape: Shape) -> tuple[str, ...]:
    """The columns' names. Raises `FileRefused`."""
    return read_headers(next(_cells(path, shape, 1)))


def first_rows(path: Path, shape: Shape, count: int) -> list[list[str]]:
    """The first rows behind the headers, as they stand; whoever shows them masks them."""
    return list(_cells(path, shape, count + 1))[1:]


def _cells(path: Path, shape: Shape, count: int) -> Iterator[list[str]]:
    reader = Reader(path, shape)
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


def examine(job: Import, progress: Progress) -> Examined:
    """Read and judge the whole file; writes nothing."""
    told, vault = Examined(), keeper()
    vault.check()
    for chunk in batched(_judged(job, progress, "looking through", told), BATCH):
        fresh: dict[bytes, Details] = {}
        for row in chunk:
            digest = vault.email_digest(row.details.email)
            if digest in told.fates:
                told.counts["twice"] += 1
            else:
                told.fates[digest] = "new"
                fresh[digest] = row.details
        known = bulk_filing.look(vault, list(fresh))
        erased = bulk_filing.erased_among(vault, {one: details for one, details in fresh.items() if one not in known})
        told.fates.update(dict.fromkeys(erased, "erased"))
        standing = _Standing(list(known.values()))
        told.fates.update((one, standing.fate(who, update=job.update)) for one, who in known.items())
    for digest in told.gone & told.fates.keys():
        told.fates[digest] = "away"
        told.away[ELSEWHERE] += 1
    told.counts.update(told.fates.values())
    return told


class _Standing:
    """Where people who are known already stand with the newsletter."""

    def __init__(self, people: Sequence[UUID]) -> None:
        self._states: dict[UUID, str] = {}
        self._frozen = set[UUID]()
        for some in batched(people, 500):
            rows = Subscription.with_canaries.filter(person__in=some)
            self._states.update(rows.values_list("person", "state"))
            still = Person.with_canaries.filter(id__in=some, frozen_at__isnull=False)
            self._frozen.update(still.values_list("id", flat=True))
            going = Erasure.objects.filter(person__in=some).values_list("person", flat=True)
            self._frozen.update(who for who in going if who)

    def fate(self, who: UUID, *, update: bool) -> str:
        """Which of `COUNTS` they are."""
        state = self._states.get(who)
        if who in self._frozen:
            return "frozen"
        if state is None:
            return "joined"
        if state == Subscription.State.LEFT:
            return "left"
        return "updated" if update else "there"


def _judged(job: Import, progress: Progress, what: str, told: Examined) -> Iterator[Row]:
    """The rows that can be used; of the others `told` hears."""
    reader = Reader(job.path, job.shape)
    try:
        records = reader.records()
        next(records, None)
        judge = job.judge.row
        for record in records:
            told.rows += 1
            if not told.rows % 1000:
                progress(what, reader.done, reader.size, told.rows)
            try:
                if record.wrong:
                    raise Wrong("", record.wrong)
                if any(record.cells):
                    row = judge(record.cells)
                    told.left_out.update((job.columns.name_of(one), why) for one, why in row.left_out.items())
                    yield row
            except Wrong as wrong:
                column = job.columns.name_of(wrong.field) if wrong.place is None else job.columns.called(wrong.place)
                _note_bad(told, BadRow(record.line, column, wrong.why))
            except Away as away:
                told.counts["away"] += 1
                told.away[job.columns.called(away.place)] += 1
                if address := job.judge.address(record.cells):
                    told.gone.add(keeper().email_digest(EmailAddress(address)))
        progress(what, reader.size, reader.size, told.rows)
    finally:
        reader.close()


def _note_bad(told: Examined, bad: BadRow) -> None:
    told.counts["bad"] += 1
    told.reasons[bad.column, bad.why] += 1
    if len(told.bad) < MOST_TOLD:
        told.bad.append(bad)


# -- the second reading -----------------------------------------------------------------------------------------------


def carry_out(job: Import, examined: Examined, progress: Progress) -> Counter[str]:
    """Read the file again and file its people; returns what became of them, by `COUNTS`. May be run again."""
    told, filing = Examined(), _Filing(job)
    for chunk in batched(_judged(job, progress, "filing", told), CHUNK):
        brought: dict[bytes, Row] = {}
        for row in chunk:
            digest = keeper().email_digest(row.details.email)
            fate = examined.fates.pop(digest, None)
            if fate == "away":
                told.counts["away"] += 1
            elif fate is not None:
                brought[digest] = row
            else:
                told.counts["twice"] += 1
        told.counts += filing.file(brought)
    return told.counts


class _Filing:
    """Files chunks of rows."""

    def __init__(self, job: Import) -> None:
        self._job, self._vault, self._id = job, keeper(), new_id()

    def file(self, brought: dict[bytes, Row]) -> Counter[str]:
        placed = bulk_filing.place(self._vault, {digest: row.details for digest, row in brought.items()})
        told = Counter(erased=sum(one is None for one in placed.values()))
        for some in batched(brought.items(), BATCH):
            batch = [(one, row) for digest, row in some if (one := placed[digest]) is not None]
            told += self._tried(batch)
        return told

    def _tried(self, batch: Sequence[tuple[Placed, Row]]) -> Counter[str]:
        """The batch in one transaction; again where the worker was in the way: it may file one of these people."""
        for wait in (0.2, 1.0, 3.0, None):
            try:
                with transaction.atomic():
                    return self._file_batch(batch)
            except (IntegrityError, OperationalError):
                if wait is None:
                    raise
                time.sleep(wait)
        raise AssertionError

    def _file_batch(self, batch: Sequence[tuple[Placed, Row]]) -> Counter[str]:
        fresh = {one.id for one, _ in batch if not one.known}
        # Somebody of these may have signed up by themselves since they got their place.
        came = set(
            Person.with_canaries.filter(id__gte=min(fresh), id__lte=max(fresh)).values_list("id", flat=True)
            if fresh
            else ()
        )
        fresh -= came
        known = [one.id for one, _ in batch if one.id not in fresh]
        gone = set(known) - bulk_filing.present(Person, "id", known)
        standing = _Standing(known)
        fates = {one: "new" for one in fresh} | {one: standing.fate(one, update=self._job.update) for one in known}
        fates |= dict.fromkeys(gone, "erased")
        self._insert([(one, row) for one, row in batch if fates[one.id] in ("new", "joined")], fresh)
        renewed = [(one, row) for one, row in batch if fates[one.id] == "updated"]
        if renewed:
            self._renew(renewed)
        joined = [who for who, fate in fates.items() if fate == "joined"]
        self._vault.arm(Reason.IMPORT_PEOPLE, self._job.actor, Person.objects.filter(id__in=joined))
        touched = [who for who, fate in fates.items() if fate in ("new", "joined")]
        if touched:
            ledger.write(Reason.IMPORT_PEOPLE, self._job.actor, touched)
        return Counter(fates.values())

    def _insert(self, rows: Sequence[tuple[Placed, Row]], fresh: set[UUID]) -> None:
        """Person, details, consent and subscription of each: one statement for each table."""
        now, boxed = clock.now(), bulk_filing.boxed
        new = [(one, row) for one, row in rows if one.id in fresh]
        bulk_filing.insert(Person, bulk_filing.PERSON, [(one.id, one.slot, now) for one, _ in new])
        details = [boxed(self._vault, one, DETAILS, row.details, now) for one, row in new]
        consents = [boxed(self._vault, one, CONSENT, self._consent(row), now) for one, row in rows]
        bulk_filing.insert(Record, bulk_filing.RECORD, [*details, *consents])
        places = [(new_id(), one.id, Subscription.State.CONFIRMED.value, now, row.consent_at) for one, row in rows]
        bulk_filing.insert(Subscription, ("id", "person_id", "state", "created_at", "confirmed_at"), places)

    def _consent(self, row: Row) -> Consent:
        return Consent("imported", self._id, _ms(row.consent_at), None, row.wording, self._job.source)

    def _renew(self, rows: Sequence[tuple[Placed, Row]]) -> None:
        """What the file brings goes over what is kept; what it leaves empty stays."""
        ids = [one.id for one, _ in rows]
        vault, kept = self._vault, dict[UUID, Details]()
        for some in batched(ids, 500):
            opened = vault.open_records(Reason.IMPORT_PEOPLE, actor=self._job.actor, person_ids=some)
            kept.update((who, found[-1]) for who, found in opened.items() if isinstance(found[-1], Details))
        records = {record.person_id: record for record in _newest(ids)}
        people = {one.id: one for some in batched(ids, 500) for one in Person.with_canaries.filter(id__in=some)}
        changed = list[Record]()
        for one, row in rows:
            before, record = kept.get(one.id), records.get(one.id)
            if before is None or record is None or (merged := _merged(before, row.details)) == before:
                continue
            found = vault.held(people[one.id])
            vault.replace(found, record, merged)
            vault.index_details(found, merged)
            changed.append(record)
        Record.with_canaries.bulk_update(changed, ["box"], batch_size=500)


def _newest(ids: Iterable[UUID]) -> Iterator[Record]:
    for some in batched(ids, 500):
        yield from Record.with_canaries.filter(person__in=some, kind=DETAILS).order_by("created_at", "id")


def _merged(before: Details, brought: Details) -> Details:
    return Details(
        brought.email,
        brought.name or before.name,
        brought.telephone or before.telephone,
        brought.postal_address or before.postal_address,
        brought.company or before.company,
    )


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
