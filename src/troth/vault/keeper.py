"""The keeper: files what people gave under their own key, opens it for a purpose and says so in the ledger (C2).

Used by worker and office, never by the front or the broker. May touch: the database, `keys/people/`.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction

from troth.ground.personal import EmailAddress
from troth.ground.purpose import Purpose, Reason
from troth.ground.site import Site
from troth.vault import ledger
from troth.vault.errors import KeyErased, KeyStoreError, WrongPurpose
from troth.vault.index import EMAIL, BlindIndex
from troth.vault.keystore import KeyStore
from troth.vault.models import Person, Record, StoreMark
from troth.vault.records import DETAILS, KINDS, Boxer, Content, Details

_ADMINISTRATION = Purpose.ADMINISTRATION


@dataclass(slots=True, repr=False)
class Found:
    """A person whom an address led to. `new`: they are not in the database yet; `file_people` puts them there."""

    person: Person
    key: bytes
    new: bool = False


@dataclass(slots=True, repr=False)
class _Search:
    """One batch's addresses, by digest."""

    digests: list[bytes]
    found: dict[bytes, Found] = field(default_factory=dict)


class Keeper:
    """The vault of one site, open."""

    def __init__(self, site: Site, site_id: uuid.UUID) -> None:
        self.store = KeyStore.open(site.people_keys)
        self.index = BlindIndex(site.people_keys)
        self._boxer = Boxer(site_id)
        self._checked = False

    def close(self) -> None:
        """Close the files."""
        self.index.close()
        self.store.close()

    def check(self) -> None:
        """See that key store and database belong together; the first worker of a new site binds them."""
        if self._checked:
            return
        with transaction.atomic():
            mark = StoreMark.objects.filter(id=1).first()
            if mark is None and not Person.objects.exists():
                mark = StoreMark.objects.create(id=1, store=self.store.id)
        if mark is None or mark.store != self.store.id:
            raise KeyStoreError(
                "The key store and the data do not belong together.",
                mend="Restore keys/people/ and the database from backups that belong together.",
            )
        self._checked = True

    # -- filing ---------------------------------------------------------------------------------------------------

    def find_or_make(self, addresses: Sequence[EmailAddress]) -> list[Found]:
        """The person of each address, in order; who is not known yet gets an id, a key and a place in the index.

        Writes no database: key store and index are synced first, so that whatever the database commits can be opened
        and found, and a frame that is filed again meets the same person.
        """
        self.check()
        search = _Search([self.index.digest(_ADMINISTRATION, EMAIL, address) for address in addresses])
        self._find(search)
        fresh = [digest for digest in dict.fromkeys(search.digests) if digest not in search.found]
        if fresh:
            people = [Person() for _ in fresh]
            allotted = self.store.allot([person.id for person in people])
            for digest, person, one in zip(fresh, people, allotted, strict=True):
                person.slot = one.slot
                search.found[digest] = Found(person, one.key, new=True)
            rows = [(digest, search.found[digest].person.id, search.found[digest].person.slot) for digest in fresh]
            self.index.add(_ADMINISTRATION, EMAIL, rows)
        return [search.found[digest] for digest in search.digests]

    def _find(self, search: _Search) -> None:
        known = self.index.look_up(list(dict.fromkeys(search.digests)))
        people = Person.objects.in_bulk([person for person, _ in known.values()])
        for digest, (person_id, slot) in known.items():
            person = people.get(person_id)
            try:
                key = self.store.key(slot, person_id)
            except KeyErased:
                continue  # erased between index and here: whoever comes now is somebody new
            search.found[digest] = Found(person or Person(id=person_id, slot=slot), key, new=person is None)

    def record(self, found: Found, kind: str, content: Content) -> Record:
        """A record of `content`, boxed, for the purpose of its kind. The caller saves it."""
        record = Record(person_id=found.person.id, purpose=KINDS[kind][1].value, kind=kind)
        record.box = self._boxer.close(found.key, found.person.id, kind, record.id, content)
        return record

    def held(self, person: Person) -> Found:
        """A person who is in the database, ready to have records filed."""
        return Found(person, self.store.key(person.slot, person.id))

    def domain_mark(self, address: EmailAddress) -> bytes:
        """A keyed hash of the address's domain, 16 bytes."""
        return self.index.domain_mark(address)

    # -- opening --------------------------------------------------------------------------------------------------

    def open_records(
        self, reason: Reason, *, actor: uuid.UUID | str, person_ids: Sequence[uuid.UUID], kind: str = DETAILS
    ) -> dict[uuid.UUID, list[Content]]:
        """The records of `kind` of these people, by person, oldest first; the ledger is written first.

        Who was erased is left out. Raises `WrongPurpose` where the reason does not serve the records' purpose.
        """
        self._may(reason, [kind])
        ledger.write(reason, actor, person_ids)
        rows = Record.objects.filter(person__in=person_ids, kind=kind, purpose=reason.purpose.value)
        opened: dict[uuid.UUID, list[Content]] = {}
        for row in rows.select_related("person").order_by("created_at", "id"):
            content = self._open(row, reason.purpose)
            if content is not None:
                opened.setdefault(row.person_id, []).append(content)
        return opened

    def open_by_id(
        self, reason: Reason, *, actor: uuid.UUID | str, record_ids: Sequence[uuid.UUID]
    ) -> Mapping[uuid.UUID, Content]:
        """These records, by record id; one row in the ledger, written first. Who was erased is left out."""
        rows = list(Record.objects.filter(id__in=record_ids).select_related("person"))
        self._may(reason, [row.kind for row in rows])
        ledger.write(reason, actor, sorted({row.person_id for row in rows}))
        contents = {row.id: self._open(row, reason.purpose) for row in rows}
        return {record: content for record, content in contents.items() if content is not None}

    def _may(self, reason: Reason, kinds: Sequence[str]) -> None:
        self.check()
        if any(KINDS[kind][1] is not reason.purpose for kind in kinds):
            raise WrongPurpose(f"{reason.value} serves {reason.purpose.value}: these records were filed for another.")

    def _open(self, row: Record, purpose: Purpose) -> Content | None:
        try:
            key = self.store.key(row.person.slot, row.person_id)
        except KeyErased:
            return None
        return self._boxer.open(key, purpose, row.person_id, row.kind, row.id, bytes(row.box))

    def find(self, actor: uuid.UUID | str, address: EmailAddress) -> uuid.UUID | None:
        """The person with exactly this address, by the blind index. The search is in the ledger, found or not."""
        self.check()
        digest = self.index.digest(_ADMINISTRATION, EMAIL, address)
        found = self.index.look_up([digest]).get(digest)
        ledger.write(Reason.FIND_PERSON, actor, [found[0]] if found else [])
        return found[0] if found and Person.objects.filter(id=found[0]).exists() else None

    # -- forgetting -----------------------------------------------------------------------------------------------

    def erase(self, person_ids: Sequence[uuid.UUID]) -> int:
        """Destroy these people's keys, then their rows: nobody can find them, then nobody can read them, then gone."""
        people = list(Person.objects.filter(id__in=person_ids))
        self.index.forget(person.id for person in people)
        self.store.erase([(person.slot, person.id) for person in people])
        Person.objects.filter(id__in=[person.id for person in people]).delete()
        return len(people)

    def rebuild_index(self) -> int:
        """Make the blind index anew from the records, after a restore; returns how many people it finds again."""
        self.check()
        count, batch = 0, list[tuple[bytes, uuid.UUID, int]]()
        self.index.clear()
        ids = list(Record.objects.filter(kind=DETAILS).values_list("id", flat=True))
        for start in range(0, len(ids), 500):
            opened = self.open_by_id(Reason.FILE_SUBMISSION, actor="worker", record_ids=ids[start : start + 500])
            rows = Record.objects.filter(id__in=opened).select_related("person")
            for row in rows:
                details = opened[row.id]
                assert isinstance(details, Details)
                batch.append((self.index.digest(_ADMINISTRATION, EMAIL, details.email), row.person_id, row.person.slot))
            self.index.add(_ADMINISTRATION, EMAIL, batch)
            count += len(batch)
            batch.clear()
        return count


@cache
def _keeper(root: Path) -> Keeper:
    site = Site(root)
    return Keeper(site, read_site_id(site))


def read_site_id(site: Site) -> uuid.UUID:
    """The site's id. Raises `KeyStoreError` where its file is missing or makes no sense."""
    try:
        return uuid.UUID(site.site_id.read_text().strip())
    except (OSError, ValueError):
        raise KeyStoreError(
            "keys/site-id is missing or not an id.", mend="Put keys/ back from your backup: envelopes name the site."
        ) from None


def keeper() -> Keeper:
    """The keeper of the site that the settings name, opened once for each process."""
    return _keeper(settings.TROTH_SITE.root)
