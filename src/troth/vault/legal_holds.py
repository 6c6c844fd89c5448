"""Legal holds: what a law requires to be kept of a person, under a second key of theirs until its day (WALL 2).

    person's key     opens their records                          destroyed when they are erased
    hold's key       opens what one duty keeps until one day      destroyed after that day

A hold belongs to one person, one duty and one last day. Once the person is erased nothing leads from them to it: its
records are found by their number alone and open only for what the law keeps them for. Its email address, telephone
number and postal address stay in the leak index, as those of every stored record (WALL 3); not its name, which may be
common words that nobody could release without opening the record.

The last day stands beside the key in the key store and is never changed. To keep a record longer, it is encrypted
again under another hold; there is no way to keep it shorter. A key is destroyed first, its rows after it. Used by the
keeper. May touch: the database, `keys/people/`.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import batched, groupby
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from msgspec.structs import replace

from troth.core import clock
from troth.core.purpose import Purpose, Reason
from troth.core.retention_duties import RetentionDuty
from troth.core.rooms import rooms
from troth.vault import ledger
from troth.vault.blind_index import BlindIndex
from troth.vault.erased_list import Forgotten
from troth.vault.errors import KeyErased, RetentionRefused, WrongPurpose
from troth.vault.key_store import KeyStore
from troth.vault.leak_marks import Marks
from troth.vault.models import Canary, LegalHold, LegalRecord, Person
from troth.vault.records import Boxer, Details, Invoice, RetainedContent

INVOICE = RetentionDuty(
    name="invoice",
    title="Invoices",
    content=Invoice,
    purpose=Purpose.ADMINISTRATION,
    years=10,
    law="VAT Directive 2006/112/EC, article 369k",
    why="Tax authorities may ask for them.",
)
"""The longest of the usual periods within the EU: who sells across its borders keeps records of sales for ten years."""
DUTIES = {INVOICE.name: INVOICE}
"""Every duty by name. One is in force where a room lists it (`core.rooms.Room.kept_by_law`)."""
_MOST_HOLDS = 100
"""In how many holds one number is looked for."""
_FOR_THE_LAW = frozenset({Reason.SHOW_RETAINED, Reason.KEEP_RETAINED, Reason.REBUILD_INDEX})
"""Why a record may be opened whose person is erased."""
_WHILE_KNOWN = _FOR_THE_LAW | {Reason.EXPORT_PERSON, Reason.ERASE_PERSON}


@dataclass(frozen=True, slots=True, repr=False)
class RetainedRecord:
    """A record that a law requires to be kept, decrypted."""

    id: UUID
    duty: RetentionDuty
    until: date
    content: RetainedContent


def in_force() -> list[RetentionDuty]:
    """Return the duties that this program has, in the order of its packages."""
    return [duty for room in rooms() for duty in room.kept_by_law]


def named_in_policy() -> list[RetentionDuty]:
    """Return the duties of packages that this site uses."""
    return [duty for room in rooms() if room.active(settings.TROTH_CONFIG) for duty in room.kept_by_law]


def today() -> date:
    """Return the present day where the site is: a last day ends with its midnight."""
    return clock.now().astimezone(settings.TROTH_CONFIG.zone).date()


class LegalHolds:
    """The legal holds of one site."""

    def __init__(self, store: KeyStore, index: BlindIndex, marks: Marks, boxer: Boxer, forgotten: Forgotten) -> None:
        self._store, self._index, self._marks, self._boxer, self._forgotten = store, index, marks, boxer, forgotten

    # -- filing ---------------------------------------------------------------------------------------------------

    def file(self, person: UUID, duty: RetentionDuty, content: RetainedContent, *, on: date) -> UUID:
        """File what a law requires to be kept of a person, from the day `on`; return the record's id.

        In the caller's transaction. Key and index are synced before it commits. Raises `RetentionRefused` for a duty
        that is not in force, a person who is erased, or a day whose period is over.
        """
        invented = bool(Canary.among([person]))
        if duty not in DUTIES.values() or (duty not in in_force() and not invented):
            raise RetentionRefused(f"No package declares that a law requires {duty.name} records to be kept.")
        if (until := duty.until(on)) < today():
            raise RetentionRefused("The period for which the law requires this record is over.")
        with transaction.atomic():
            if not Person.with_canaries.select_for_update().filter(id=person).exists():
                raise RetentionRefused("This person has been deleted.")
            ledger.write(Reason.FILE_SUBMISSION, ledger.WORKER, [person])
            record = LegalRecord(hold=self._hold(person, duty, until, invented=invented))
            self._put(record, duty, content)
            record.save(force_insert=True)
        return record.id

    def _hold(self, person: UUID | None, duty: RetentionDuty, until: date, *, invented: bool) -> LegalHold:
        """Return the person's hold until this day; a new one if there is none, or if nobody knows whose."""
        rows = LegalHold.with_canaries.filter(person=person, duty=duty.name, until=until)
        for row in rows if person is not None else ():
            if self._store.owns(row.slot, row.id):
                return row
        row = LegalHold(person_id=person, duty=duty.name, until=until, invented=invented)
        row.slot = self._store.allot_hold(row.id, until).slot
        row.save(force_insert=True)
        return row

    def _put(self, record: LegalRecord, duty: RetentionDuty, content: RetainedContent) -> None:
        hold = record.hold
        key = self._store.hold_key(hold.slot, hold.id).key
        record.box = self._boxer.close_retained(key, hold.id, duty, record.id, content)
        self._index.add([(self._index.number_digest(content.number), hold.slot)])

    @transaction.atomic
    def prolong(self, actor: UUID | str, record_id: UUID, until: date) -> None:
        """Keep a record until a later day. Raises `RetentionRefused` for an earlier one, or if it is gone."""
        rows = LegalRecord.with_canaries.select_for_update(of=("self",)).select_related("hold")
        row = rows.filter(id=record_id).first()
        opened = self._opened(Reason.KEEP_RETAINED, actor, [row]) if row else []
        if row is None or not opened:
            raise RetentionRefused("There is no such record.", mend="Look for it by its number.")
        (record,), before = opened, row.hold
        slot, hold = before.slot, before.id
        if before.person_id is not None:
            list(Person.with_canaries.select_for_update().filter(id=before.person_id).values_list("id"))
        if until <= record.until:
            raise RetentionRefused(
                f"It is kept until {record.until} already.", mend="A record can be kept longer, never shorter."
            )
        row.hold = self._hold(before.person_id, record.duty, until, invented=before.invented)
        self._put(row, record.duty, record.content)
        row.save(update_fields=["hold", "box"])
        if before.person_id is None:
            self._arm(row.hold, record.content.named)
        if not LegalRecord.with_canaries.filter(hold=before).exists():
            before.delete()  # its row first: nothing is filed under a key that is about to go
            transaction.on_commit(lambda: self.destroy([(slot, hold)]))

    # -- opening --------------------------------------------------------------------------------------------------

    def of_person(self, reason: Reason, actor: UUID | str, person: UUID) -> list[RetainedRecord]:
        """Return what a law requires to be kept of a person who is not erased, oldest first."""
        return self._opened(reason, actor, _records().filter(hold__person=person))

    def open_by_id(self, reason: Reason, actor: UUID | str, record_ids: Sequence[UUID]) -> list[RetainedRecord]:
        """Return these records. Raises `WrongPurpose` for a reason that the law does not have."""
        return self._opened(reason, actor, _records().filter(id__in=record_ids))

    def find(self, actor: UUID | str, number: str) -> list[RetainedRecord]:
        """Return the records with this number, for who may demand them. The search is logged, whatever it finds.
        Nothing else finds a record whose person is erased."""
        digest = self._index.number_digest(number)
        slots = self._index.look_up_all(digest, _MOST_HOLDS)
        rows = LegalRecord.with_canaries if actor == ledger.PROOF else LegalRecord.objects
        candidates = list(rows.filter(hold__slot__in=slots).select_related("hold").order_by("created_at", "id"))
        if not candidates:
            ledger.write(Reason.SHOW_RETAINED, actor, [])
        opened = self._opened(Reason.SHOW_RETAINED, actor, candidates)
        return [record for record in opened if self._index.number_digest(record.content.number) == digest]

    def _opened(self, reason: Reason, actor: UUID | str, rows: Iterable[LegalRecord]) -> list[RetainedRecord]:
        """Return these records, logged first; without those whose key is destroyed or whose last day is over."""
        rows = list(rows)
        for hold in {row.hold_id: row.hold for row in rows}.values():
            _may(reason, hold)
        if rows:
            ledger.write(reason, actor, sorted({row.hold.person_id or row.hold_id for row in rows}))
        return [record for row in rows if (record := self._open(row)) is not None]

    def _open(self, row: LegalRecord) -> RetainedRecord | None:
        hold, duty = row.hold, DUTIES[row.hold.duty]
        try:
            held = self._store.hold_key(hold.slot, hold.id)
        except KeyErased:
            return None
        if held.until < today():
            return None  # a restored key store brought it back; the worker destroys it again
        content = self._boxer.open_retained(held.key, hold.id, duty, row.id, bytes(row.box))
        return RetainedRecord(row.id, duty, held.until, content)

    # -- erasing --------------------------------------------------------------------------------------------------

    def words(self, person: UUID) -> list[str]:
        """Return what a law requires to be kept of this person, in words for them."""
        lines = []
        for hold in LegalHold.with_canaries.filter(person=person).order_by("duty", "until"):
            duty, count, until = DUTIES[hold.duty], hold.records.count(), self._until(hold)
            if count and until:
                lines.append(f"{duty.title} ({count}), until {until:%-d %B %Y}: {duty.law}. {duty.why}")
        return lines

    def _until(self, hold: LegalHold) -> date | None:
        """Return the hold's last day by the key store; None if it is over or its key is destroyed."""
        try:
            until = self._store.hold_key(hold.slot, hold.id).until
        except KeyErased:
            return None
        return until if until >= today() else None

    def release(self, people: Collection[UUID]) -> None:
        """Before these people's rows go: put what stays of them into the leak index, under the hold's own slot."""
        for rows in _by_hold(_records().filter(hold__person__in=people)):
            opened = self._opened(Reason.ERASE_PERSON, ledger.WORKER, rows)
            if opened:
                self._arm(rows[0].hold, opened[-1].content.named)

    def _arm(self, hold: LegalHold, details: Details) -> None:
        self._marks.put({hold.slot: replace(details, name=None)})

    def end_due(self) -> set[UUID]:
        """Destroy what is past its last day; return the people, not erased, whose hold it was.

        The key store says what is past: also what the database has lost, or says otherwise of.
        """
        people = set[UUID]()
        for some in batched(self.due(today()), 500):
            rows = LegalHold.with_canaries.filter(id__in=[hold for _, hold in some], person__isnull=False)
            people.update(person for person in rows.values_list("person_id", flat=True) if person)
            self.destroy(some)
        return people

    def due(self, day: date) -> list[tuple[int, UUID]]:
        """Return the (slot, hold) whose last day is before `day`, or whose rows a kill left behind."""
        due = {(held.slot, held.hold) for held in self._store.holds() if held.until < day}
        past = LegalHold.with_canaries.filter(until__lt=day).values_list("slot", "id")
        return sorted(due | {(slot, hold) for slot, hold in past if not self._store.owns(slot, hold)})

    def destroy(self, holds: Sequence[tuple[int, UUID]]) -> None:
        """Destroy the keys of these (slot, hold), then their rows. Listed first, as people are who are erased, so that
        a restored copy does it again. Safe to repeat after a crash at any step."""
        self._forgotten.note(holds)
        self._store.erase_holds(holds)
        self._index.forget(slot for slot, _ in holds)
        self._marks.forget(slot for slot, _ in holds)
        LegalHold.with_canaries.filter(id__in=[hold for _, hold in holds]).delete()

    def end_invented(self) -> None:
        """Destroy what proofs kept of invented people."""
        self.destroy(list(LegalHold.with_canaries.filter(invented=True).values_list("slot", "id")))

    # -- after a restore ------------------------------------------------------------------------------------------

    def forget_again(self, listed: Sequence[tuple[int, UUID]]) -> None:
        """Destroy again what is on the list of the deleted."""
        ids = _ids(listed)
        self._store.erase_holds([(held.slot, held.hold) for held in self._store.holds() if held.hold in ids])
        for some in batched(listed, 500):
            LegalHold.with_canaries.filter(id__in=_ids(some)).delete()

    def rebuild(self) -> None:
        """Make their part of the blind index and of the leak index anew."""
        for rows in _by_hold(_records()):
            opened = self._opened(Reason.REBUILD_INDEX, ledger.WORKER, rows)
            slot = rows[0].hold.slot
            self._index.add((self._index.number_digest(record.content.number), slot) for record in opened)
            if opened and rows[0].hold.person_id is None:
                self._arm(rows[0].hold, opened[-1].content.named)

    def without_records(self) -> int:
        """Return how many holds are in the key store but not in the database: they were filed after the backup."""
        present = set(LegalHold.with_canaries.values_list("id", flat=True))
        return sum(1 for held in self._store.holds() if held.hold not in present)


def _ids(listed: Sequence[tuple[int, UUID]]) -> set[UUID]:
    return {owner for _, owner in listed}


def _records() -> QuerySet[LegalRecord]:
    return LegalRecord.with_canaries.select_related("hold").order_by("hold", "created_at", "id")


def _by_hold(rows: QuerySet[LegalRecord]) -> Iterator[list[LegalRecord]]:
    """Yield the records of one hold after the other."""
    for _, group in groupby(rows.iterator(chunk_size=500), key=lambda row: row.hold_id):
        yield list(group)


def _may(reason: Reason, hold: LegalHold) -> None:
    duty = DUTIES[hold.duty]
    allowed = _FOR_THE_LAW if hold.person_id is None else _WHILE_KNOWN
    if reason.purpose is not duty.purpose or reason not in allowed:
        raise WrongPurpose(f"{reason.value} does not serve what the law requires {duty.name} records for.")
