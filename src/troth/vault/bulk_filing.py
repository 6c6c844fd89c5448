"""Stores many people at once: keys, index rows and leak marks in large sorted steps, records without a model each (C2).

In the keeper's order: key store and index are synced before the database has anybody. A kill in between leaves slots
without a person, which the next try uses. For imports. May touch: the database, `keys/people/`.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from troth.core.ids import new_id
from troth.vault.errors import KeyErased
from troth.vault.keeper import Keeper
from troth.vault.models import Person, Record
from troth.vault.records import KINDS, Content, Details


@dataclass(slots=True, repr=False)
class Placed:
    """Somebody who has a key and is found by the index. `known`: they were in the database already."""

    id: uuid.UUID
    slot: int
    key: bytes
    known: bool = False


def place(vault: Keeper, details_by_digest: Mapping[bytes, Details]) -> dict[bytes, Placed | None]:
    """Return each person's place by the digest of their address; a new person gets a key and index rows.

    None: deleted earlier, so not imported. Synced on return. Do not call it within a transaction.
    """
    vault.check()
    with vault.store.filing():
        placed: dict[bytes, Placed | None] = dict(_known(vault, list(details_by_digest)))
        fresh = _welcome(vault, placed, details_by_digest)
        ids = [new_id() for _ in fresh]
        allotted = vault.store.allot(ids)
        placed |= {
            digest: Placed(person, allotment.slot, allotment.key)
            for digest, person, allotment in zip(fresh, ids, allotted, strict=True)
        }
        vault.index.add_many((digest, allotment.slot) for digest, allotment in zip(fresh, allotted, strict=True))
    _note(
        vault,
        {entry.slot: details_by_digest[digest] for digest, entry in placed.items() if entry and not entry.known},
        fresh=len(ids),
    )
    return placed


def _note(vault: Keeper, details_by_slot: Mapping[int, Details], *, fresh: int) -> None:
    """Add index rows and leak marks. The last `fresh` slots are new."""
    digests = {slot: vault.index.digests(details) for slot, details in details_by_slot.items()}
    interrupted = dict(list(digests.items())[: len(digests) - fresh])
    if interrupted:
        vault.index.put(interrupted)  # a try that was killed may have brought other details
    vault.index.add_many(
        (digest, slot) for slot, slot_digests in digests.items() if slot not in interrupted for digest in slot_digests
    )
    if details_by_slot:
        vault.marks.put_many(details_by_slot)


def look(vault: Keeper, digests: Sequence[bytes]) -> dict[bytes, uuid.UUID]:
    """Return which of these people are in the database; changes nothing."""
    return {digest: entry.id for digest, entry in _known(vault, digests).items() if entry.known}


def _known(vault: Keeper, digests: Sequence[bytes]) -> dict[bytes, Placed]:
    placed = dict[bytes, Placed]()
    for digest, slot in vault.index.look_up(digests).items():
        person = vault.store.person(slot)
        if person is None:
            continue  # being erased just now: the mark that stays of them decides
        try:
            placed[digest] = Placed(person, slot, vault.store.key(slot, person))
        except KeyErased:
            continue
    existing = present(Person, "id", [entry.id for entry in placed.values()])
    for entry in placed.values():
        entry.known = entry.id in existing
    return placed


def _welcome(vault: Keeper, placed: Mapping[bytes, object], details_by_digest: Mapping[bytes, Details]) -> list[bytes]:
    """Return the digests of unknown people who may be imported. `found` gets None for the others."""
    unknown = [digest for digest in details_by_digest if digest not in placed]
    out = erased_among(vault, {digest: details_by_digest[digest] for digest in unknown})
    placed.update(dict.fromkeys(out))  # type: ignore[attr-defined]
    return [digest for digest in unknown if digest not in out]


def erased_among(vault: Keeper, details_by_digest: Mapping[bytes, Details]) -> set[bytes]:
    """Return the digests of addresses that must not be imported."""
    if not vault.index.any_suppressed():
        return set()
    marks = {vault.index.suppression_mark(details.email): digest for digest, details in details_by_digest.items()}
    return {marks[mark] for mark in vault.index.suppressed_among(list(marks))}


def present(model: type[models.Model], field: str, ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """Return those of `ids` that are in that column."""
    matches = set[uuid.UUID]()
    for start in range(0, len(ids), 500):
        rows = model._base_manager.filter(**{f"{field}__in": ids[start : start + 500]})
        matches.update(rows.values_list(field, flat=True))
    return matches


def boxed(vault: Keeper, placed: Placed, kind: str, content: Content, at: Any) -> tuple[Any, ...]:
    """Return a record as a row for `insert(Record, RECORD, ...)`."""
    record = new_id()
    box = vault.boxer.close(placed.key, placed.id, kind, record, content)
    return record, placed.id, KINDS[kind][1].value, kind, box, at


PERSON = ("id", "slot", "created_at")
RECORD = ("id", "person_id", "purpose", "kind", "box", "created_at")


def insert(model: type[models.Model], columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows without a model each, in the caller's transaction. Columns left out are NULL."""
    if not rows:
        return
    names = ", ".join(connection.ops.quote_name(name) for name in columns)
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f"COPY {table} ({names}) FROM STDIN") as copying:
                for row in rows:
                    copying.write_row(row)
            return
        marks = ", ".join(["%s"] * len(columns))
        prepared = list(_prepared(model, columns, rows))
        cursor.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", prepared)  # noqa: S608


def _prepared(
    model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]
) -> Iterable[Sequence[Any]]:
    """Yield rows in SQLite's types: ids as 32 hexadecimal digits, times as text in UTC."""
    kinds = {field.column: field for field in model._meta.concrete_fields}
    turned = [_turn(kinds[name]) for name in columns]
    for row in rows:
        yield tuple(turn(value) for turn, value in zip(turned, row, strict=True))


class _Times(dict[Any, Any]):
    """Times as SQLite keeps them; most rows of an import have one of a few."""

    def text(self, value: Any) -> Any:
        cached = self.get(value)
        if cached is None and value is not None:
            cached = self[value] = connection.ops.adapt_datetimefield_value(value)
        return cached


def _turn(field: "models.Field[Any, Any]") -> Any:
    if isinstance(field, models.UUIDField) or isinstance(getattr(field, "target_field", None), models.UUIDField):
        return lambda value: value.hex
    if isinstance(field, models.DateTimeField):
        return _Times().text
    return lambda value: value


__all__ = ["PERSON", "RECORD", "Placed", "Record", "boxed", "erased_among", "insert", "look", "place", "present"]
