"""The keeper: stores people's data under their own key, decrypts it for a purpose, and logs each access (C2).

Used by worker and office, never by the front. May touch: the database, `keys/people/`.
"""

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import batched
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings
from django.db import Error as DatabaseError
from django.db import connection, transaction
from django.db.models import QuerySet

from troth.core import clock
from troth.core.personal import EmailAddress, Personal
from troth.core.purpose import Purpose, Reason
from troth.core.site import Site
from troth.vault import ledger, wal_truncate
from troth.vault.blind_index import EMAIL, BlindIndex, normalise_email
from troth.vault.erased_list import Forgotten
from troth.vault.errors import KeyErased, KeyStoreError, WrongPurpose
from troth.vault.key_store import KeyStore
from troth.vault.leak_marks import Marks
from troth.vault.ledger_heads import Heads
from troth.vault.legal_holds import LegalHolds
from troth.vault.models import Person, Record, StoreMark
from troth.vault.records import DETAILS, KINDS, Boxer, Content, Details
from troth.vault.references import otherwise_known
from troth.vault.site_id import read_site_id as read_site_id

MOST_FOUND = 200
"""How many people one search returns at most, newest first."""
_STEP = 50_000
"""People whose index entries are rebuilt at once: some 100 MB."""
_PATIENCE_MS = 5_000
"""The same as in `settings.sqlite`."""
_ADMINISTRATION = Purpose.ADMINISTRATION
type DealtWith = Callable[[Sequence[uuid.UUID]], set[uuid.UUID]]
"""Returns those of some people who confirmed, were answered, or were imported with their consent."""


@dataclass(slots=True, repr=False)
class FoundPerson:
    """The person found for an address. `new`: not in the database yet; the caller adds them."""

    person: Person
    key: bytes
    new: bool = False


class _StoredBox(NamedTuple):
    """What of a record is needed to open it: to read whole rows takes three times as long as to open them."""

    id: uuid.UUID
    person_id: uuid.UUID
    slot: int
    kind: str
    purpose: str
    box: bytes


_BOX_COLUMNS = ("id", "person_id", "person__slot", "kind", "purpose", "box")


@dataclass(slots=True, repr=False)
class _Search:
    """One batch of addresses, by digest."""

    digests: list[bytes]
    matches: dict[bytes, FoundPerson] = field(default_factory=dict)


before_people_go: list[Callable[[Sequence[uuid.UUID]], None]] = []
"""Called with the people whose rows are about to be removed, in the same transaction: for sums that must stay whole."""


def _remove_rows(people: Sequence[uuid.UUID]) -> int:
    """Remove the rows of these people and all that hangs on them; return how many people there were."""
    with transaction.atomic():
        for call in before_people_go:
            call(people)
        return Person.with_canaries.filter(id__in=people).delete()[1].get("vault.Person", 0)


class Keeper:
    """The open vault of one site."""

    def __init__(self, site: Site, site_id: uuid.UUID) -> None:
        self.store = KeyStore.open(site.people_keys)
        self.index = BlindIndex(site.people_keys)
        self.marks = Marks(site.people_keys)
        self.forgotten = Forgotten(site.people_keys)
        self.heads = Heads(site.people_keys)
        self.boxer = Boxer(site_id)
        self.holds = LegalHolds(self.store, self.index, self.marks, self.boxer, self.forgotten)
        self._checked = False

    def close(self) -> None:
        """Close the files."""
        self.rest()
        self.store.close()

    def rest(self) -> None:
        """Close this thread's connections to the indexes."""
        self.index.close()
        self.marks.close()

    def check(self) -> None:
        """Check that key store and database belong together; the first worker of a new site binds them."""
        if self._checked:
            return
        with transaction.atomic():
            mark = StoreMark.objects.filter(id=1).first()
            if mark is None and not Person.with_canaries.exists():
                self._refuse_a_lost_database()
                mark = StoreMark.objects.create(id=1, store=self.store.id)
        if mark is None or mark.store != self.store.id:
            raise KeyStoreError(
                "The key store and the data do not belong together.",
                mend="Restore keys/people/ and the database from backups that belong together.",
            )
        self._checked = True

    def bind(self) -> None:
        """Bind the store to a database without people, after a restore found that both are of one site."""
        if not Person.with_canaries.exists():
            StoreMark.objects.get_or_create(id=1, defaults={"store": self.store.id})

    def _refuse_a_lost_database(self) -> None:
        """Refuse an empty database beside a used key store: the database was lost, and a new one would hide that."""
        if self.store.slots:
            raise KeyStoreError(
                "The database is empty, but keys/people/ holds people's keys: the database was lost.",
                mend="Put it back: `troth restore` (docs/backup.md). To begin anew, make another site by `troth init`.",
            )

    # -- filing ---------------------------------------------------------------------------------------------------

    def find_or_make(self, submitted: Sequence[Details]) -> list[FoundPerson]:
        """Return the person of each address, in order; a new one gets an id, a key and index rows.

        Writes no database: key store and index are synced first, so that whatever the database commits can be decrypted
        and found, and a frame that is processed again finds the same person. A new person is indexed by all details; a
        known one stays as indexed until `index_details`.
        """
        self.check()
        search = _Search([self.email_digest(details.email) for details in submitted])
        with self.store.filing():
            self._find(search)
            self._make(search, submitted)
        return [search.matches[digest] for digest in search.digests]

    def _make(self, search: _Search, submitted: Sequence[Details]) -> None:
        """Give new people a key and index rows. A killed import may already have given them the key and some rows."""
        details_by_slot = {
            digest: details
            for digest, details in zip(reversed(search.digests), reversed(submitted), strict=True)
            if digest not in search.matches or search.matches[digest].new
        }  # reversed: of several for one address, the first counts
        fresh = [digest for digest in details_by_slot if digest not in search.matches]
        people = [Person() for _ in fresh]
        for digest, person, allotment in zip(
            fresh, people, self.store.allot([new_person.id for new_person in people]), strict=True
        ):
            person.slot = allotment.slot
            search.matches[digest] = FoundPerson(person, allotment.key, new=True)
        if details_by_slot:
            by_slot = {search.matches[digest].person.slot: details for digest, details in details_by_slot.items()}
            self.index.put({slot: self.index.digests(details) for slot, details in by_slot.items()})

    def _find(self, search: _Search) -> None:
        slots = self.index.look_up(list(dict.fromkeys(search.digests)))
        ids = {digest: owner for digest, slot in slots.items() if (owner := self.store.person(slot))}
        people = Person.with_canaries.in_bulk(list(ids.values()))
        for digest, person_id in ids.items():
            person = people.get(person_id)
            try:
                key = self.store.key(slots[digest], person_id)
            except KeyErased:
                continue  # erased between index and here: whoever comes now is somebody new
            match = person or Person(id=person_id, slot=slots[digest])
            search.matches[digest] = FoundPerson(match, key, new=person is None)

    def record(self, located: FoundPerson, kind: str, content: Content) -> Record:
        """Return a record of `content`, encrypted, for the purpose of its kind. The caller saves it."""
        record = Record(person_id=located.person.id, purpose=KINDS[kind][1].value, kind=kind)
        record.box = self.boxer.close(located.key, located.person.id, kind, record.id, content)
        return record

    def replace(self, located: FoundPerson, record: Record, content: Content) -> None:
        """Replace the content of `record`. The caller saves it; references to it stay valid."""
        record.box = self.boxer.close(located.key, located.person.id, record.kind, record.id, content)

    def held(self, person: Person) -> FoundPerson:
        """Return a person in the database, ready for filing records."""
        return FoundPerson(person, self.store.key(person.slot, person.id))

    def index_details(self, located: FoundPerson, details: Details) -> None:
        """Make `details` the only ones by which this person is found. Synced on return."""
        slot = located.person.slot
        self.index.put({slot: self.index.digests(details)})
        if slot in self.marks.armed([slot]):
            self.marks.put({slot: details})

    def arm(self, reason: Reason, actor: uuid.UUID | str, people: Iterable[Person]) -> None:
        """Add these people, who confirmed or were answered, to the leak index. Synced on return.

        Not earlier: anybody can enter anything in a form, and a stranger's input must not hold other people's email.
        """
        by_slot = {person.slot: person for person in people}
        fresh = [by_slot[slot] for slot in by_slot.keys() - self.marks.armed(by_slot)]
        if fresh:
            opened = self.open_records(reason, actor=actor, person_ids=[person.id for person in fresh])
            self.marks.put(
                {
                    person.slot: contents[-1]
                    for person in fresh
                    if (contents := opened.get(person.id)) and isinstance(contents[-1], Details)
                }
            )

    def email_digest(self, address: EmailAddress) -> bytes:
        """Return the digest by which this address is found, to compare addresses without opening anybody's data."""
        return self.index.digest(_ADMINISTRATION, EMAIL, address)

    def domain_mark(self, address: EmailAddress) -> bytes:
        """Return a keyed hash of the address's domain, 16 bytes, valid in this process only."""
        return self.index.domain_mark(address)

    def alone_at_domain(self, person: uuid.UUID, address: EmailAddress) -> bool:
        """Return whether nobody else is known at this address's domain."""
        slots = self.index.look_up_all(self.index.domain_digest(normalise_email(address)), 2)
        return all(self.store.person(slot) == person for slot in slots)

    def mailbox_mark(self, address: EmailAddress) -> bytes:
        """Return a keyed hash of the mailbox that the address leads to, 16 bytes, valid in this process only."""
        return self.index.mailbox_mark(address)

    def skeleton_mark(self, address: EmailAddress) -> bytes:
        """Return the same for the address without digits and punctuation; empty if nothing is left."""
        return self.index.skeleton_mark(address)

    # -- opening --------------------------------------------------------------------------------------------------

    def open_records(
        self,
        reason: Reason,
        *,
        actor: uuid.UUID | str,
        person_ids: Sequence[uuid.UUID],
        kind: str = DETAILS,
        among: QuerySet[Any, Any] | None = None,
    ) -> dict[uuid.UUID, list[Content]]:
        """Return the records of `kind` of these people, by person, oldest first; the ledger is written first.

        Erased people are left out. `among`: a query that finds all of these people, and perhaps others, which spares
        the database the list. Raises `WrongPurpose` if the reason does not serve the records' purpose.
        """
        self._may(reason, [kind])
        ledger.write(reason, actor, person_ids)
        searched = person_ids if among is None else among
        rows = Record.with_canaries.filter(person__in=searched, kind=kind, purpose=reason.purpose.value)
        opened: dict[uuid.UUID, list[Content]] = {}
        people = frozenset(person_ids)
        for values in rows.order_by("created_at", "id").values_list(*_BOX_COLUMNS):
            row = _StoredBox(*values)
            content = self._open(row, reason.purpose) if row.person_id in people else None
            if content is not None:
                opened.setdefault(row.person_id, []).append(content)
        return opened

    def open_by_id(
        self, reason: Reason, *, actor: uuid.UUID | str, record_ids: Sequence[uuid.UUID]
    ) -> Mapping[uuid.UUID, Content]:
        """Return these records, by record id; one row in the ledger, written first. Erased people are left out."""
        stored = Record.with_canaries.filter(id__in=record_ids).values_list(*_BOX_COLUMNS)
        rows = [_StoredBox(*values) for values in stored]
        self._may(reason, [row.kind for row in rows])
        ledger.write(reason, actor, sorted({row.person_id for row in rows}))
        contents = {row.id: self._open(row, reason.purpose) for row in rows}
        return {record: content for record, content in contents.items() if content is not None}

    def _may(self, reason: Reason, kinds: Sequence[str]) -> None:
        self.check()
        if any(KINDS[kind][1] is not reason.purpose for kind in kinds):
            raise WrongPurpose(f"{reason.value} serves {reason.purpose.value}: these records were filed for another.")

    def _open(self, row: "_StoredBox", purpose: Purpose) -> Content | None:
        try:
            key = self.store.key(row.slot, row.person_id)
        except KeyErased:
            return None
        return self.boxer.open(key, purpose, row.person_id, row.kind, row.id, bytes(row.box))

    # -- finding --------------------------------------------------------------------------------------------------

    def find(self, actor: uuid.UUID | str, address: EmailAddress) -> uuid.UUID | None:
        """Return the person with exactly this address, by the blind index. The search is logged, whatever it finds."""
        matches = self.find_all(actor, EMAIL, address, limit=1)
        return matches[0] if matches else None

    def find_all(
        self, actor: uuid.UUID | str, kind: str, value: Personal, *, limit: int = MOST_FOUND
    ) -> list[uuid.UUID]:
        """Return the people with exactly this detail, newest first; one row in the ledger, whatever it finds."""
        return self._find_digest(actor, self.index.digest(_ADMINISTRATION, kind, value), limit)

    def find_by_digest(self, actor: uuid.UUID | str, digest: bytes, *, limit: int = MOST_FOUND) -> list[uuid.UUID]:
        """Return the same for a digest of the index: of a word of a name, or of a domain."""
        return self._find_digest(actor, digest, limit)

    def _find_digest(self, actor: uuid.UUID | str, digest: bytes, limit: int) -> list[uuid.UUID]:
        self.check()
        slots = self.index.look_up_all(digest, limit)
        ids = [person for slot in slots if (person := self.store.person(slot))]
        people = Person.with_canaries if actor == ledger.PROOF else Person.objects
        existing = set(people.filter(id__in=ids).values_list("id", flat=True))
        matches = [person for person in ids if person in existing]
        ledger.write(Reason.FIND_PERSON, actor, matches)
        return matches

    # -- forgetting -----------------------------------------------------------------------------------------------

    def suppress(self, addresses: Iterable[EmailAddress]) -> None:
        """Store a keyed hash of these addresses, which prevents their import."""
        today = clock.now().date().isoformat()
        self.index.suppress([self.index.suppression_mark(address) for address in addresses], today)

    def erase(self, person_ids: Sequence[uuid.UUID]) -> int:
        """Destroy these people's keys, then their rows. Safe to repeat after a crash at any step.

        They are listed first, outside every data backup, so that a restored copy deletes them again. What a law
        requires to be kept has keys of its own, and stays (`vault.legal_holds`).
        """
        people = list(Person.with_canaries.filter(id__in=person_ids))
        self.holds.release([person.id for person in people])
        slots = [(person.slot, person.id) for person in people]
        self.forgotten.note(slots)
        self.store.erase(slots)
        self.index.forget(slot for slot, _ in slots)
        self.marks.forget(slot for slot, _ in slots)
        _remove_rows([person.id for person in people])
        return len(people)

    def end_holds(self) -> int:
        """Destroy what no law requires any more, and the people of whom nothing else is known; return how many people
        not yet erased it was kept of. Not those who asked for restriction: their details stay (GDPR, article 18)."""
        people = self.holds.end_due()
        over = people - otherwise_known(people, besides=())
        rows = Person.with_canaries.filter(id__in=over, frozen_at=None)
        self.erase(list(rows.values_list("id", flat=True)))
        return len(people)

    def tidy(self, patience_ms: int = _PATIENCE_MS) -> bool:
        """Truncate SQLite's log, which still has deleted rows. Waits for readers for this long, and blocks writers
        meanwhile. False if it was not truncated."""
        if connection.vendor != "sqlite":
            return True
        if not connection.in_atomic_block:
            with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout={patience_ms:d}")
                try:
                    cursor.execute(wal_truncate.TRUNCATE)
                    return wal_truncate.was_cut(cursor.fetchone())
                finally:
                    cursor.execute(f"PRAGMA busy_timeout={_PATIENCE_MS:d}")
        return False

    def tidy_besides(self, patience_ms: int) -> list[Path]:
        """Truncate the indexes' logs; return the files for which that failed."""
        return [file.path for file in (self.index, self.marks) if not file.cut(patience_ms)]

    def forget_again(self) -> int:
        """After a restore, delete everybody on the list of deleted people; return how many had come back."""
        listed = self.forgotten.all()
        self.store.erase([(slot, person_id) for slot, person_id in listed if self.store.person(slot) == person_id])
        self.holds.forget_again(listed)
        self.index.forget(slot for slot, _ in listed)
        self.marks.forget(slot for slot, _ in listed)
        ids = [person_id for _, person_id in listed]
        count = 0
        for start in range(0, len(ids), 500):
            count += _remove_rows(ids[start : start + 500])
        return count

    def rebuild_index(
        self, dealt_with: DealtWith, progress: Callable[[int, int], None] = lambda _processed, _all: None
    ) -> int:
        """Make blind index and leak marks anew from the records, after a restore; returns how many people.

        `dealt_with`: those of some people who arm the leak index. In large sorted steps: each step goes over the whole
        of the index, however few people it brings. `progress` hears how many people are done, and how many there are.
        """
        self.check()
        self.index.clear()
        self.marks.clear()
        count, processed, rebuilt, last = Person.with_canaries.count(), 0, 0, uuid.UUID(int=0)
        everybody = Person.with_canaries.order_by("id").values_list("id", "slot")
        while batch := list(everybody.filter(id__gt=last)[:_STEP]):
            details_by_slot = self._newest_details(batch)
            self.index.add_many(
                (digest, slot) for slot in details_by_slot for digest in self.index.digests(details_by_slot[slot])
            )
            armed = dealt_with([person_id for person_id, slot in batch if slot in details_by_slot])
            self.marks.put_many(
                {
                    slot: details_by_slot[slot]
                    for person_id, slot in batch
                    if person_id in armed and slot in details_by_slot
                }
            )
            processed, rebuilt, last = processed + len(batch), rebuilt + len(details_by_slot), batch[-1][0]
            progress(processed, count)
        self.holds.rebuild()
        return rebuilt

    def disarm_strangers(self, dealt_with: DealtWith) -> int:
        """Remove people who neither confirmed nor were answered from an earlier version's leak index, once."""
        if self.marks.only_dealt_with:
            return 0
        count = 0
        for slots in batched(self.marks.all_armed(), 500):
            ids = {slot: person_id for slot in slots if (person_id := self.store.person(slot))}
            known_people = dealt_with(list(ids.values()))
            strangers = [slot for slot in slots if ids.get(slot) not in known_people]
            self.marks.forget(strangers)
            count += len(strangers)
        self.marks.note_only_dealt_with()
        return count

    def _newest_details(self, people: Sequence[tuple[uuid.UUID, int]]) -> dict[int, Details]:
        details_by_slot = dict[int, Details]()
        for batch in batched(people, 500):
            slots = dict(batch)
            opened = self.open_records(Reason.REBUILD_INDEX, actor="worker", person_ids=list(slots))
            details_by_slot.update(
                (slots[person_id], contents[-1])
                for person_id, contents in opened.items()
                if isinstance(contents[-1], Details)
            )
        return details_by_slot


@cache
def _keeper(root: Path) -> Keeper:
    site = Site(root)
    return Keeper(site, read_site_id(site))


def keeper() -> Keeper:
    """Return the keeper of the site in the settings, opened once for each process."""
    return _keeper(settings.TROTH_SITE.root)
