"""The operator takes the list along: all people, or those in one state, as CSV, some hundreds at a time.

Each step is one row in the ledger. Who asked to be left alone and who is being erased is not in it.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from troth.core.purpose import Reason
from troth.newsletter.models import Subscription
from troth.people import csv_export
from troth.people.csv_export import Cell
from troth.people.queries import State
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person
from troth.vault.records import Details

STEP = 1_000
_FIRST = UUID(int=0)


def list_people(actor: UUID | str, state: State | None) -> Iterator[tuple[int, bytes]]:
    """The list in the order in which people came: (people in this part, its bytes). The first part is the headers."""
    yield 0, csv_export.lines([csv_export.HEADERS])
    last = _FIRST
    while people := _some(state, last):
        last = people[-1].id
        rows = _rows(actor, people)
        yield len(rows), csv_export.lines(rows)


def _some(state: State | None, last: UUID) -> list[Person]:
    """The next people behind `last`: ids sort by when they were made."""
    if state is None:
        return list(Person.objects.filter(id__gt=last).order_by("id")[:STEP])
    there = Subscription.objects.filter(state=state.value, person__gt=last).order_by("person")
    return [one.person for one in there.select_related("person")[:STEP]]


def _rows(actor: UUID | str, people: list[Person]) -> list[tuple[Cell, ...]]:
    ids = [person.id for person in people if person.frozen_at is None]
    going = set(Erasure.objects.filter(person__in=ids).values_list("person", flat=True))
    ids = [who for who in ids if who not in going]
    if not ids:
        return []
    opened = keeper().open_records(Reason.EXPORT_PEOPLE, actor=actor, person_ids=ids)
    places = {place.person_id: place for place in Subscription.objects.filter(person__in=ids)}
    came = {person.id: person.created_at for person in people}
    newest = {who: contents[-1] for who, contents in opened.items()}
    return [_row(found, came[who], places.get(who)) for who, found in newest.items() if isinstance(found, Details)]


def _row(found: Details, came: datetime, place: Subscription | None) -> tuple[Cell, ...]:
    details = (found.email, found.name, found.telephone, found.postal_address, found.company)
    if place is None:
        return (*details, None, came, None, None)
    return (*details, str(place.state), came, place.confirmed_at, place.left_at)


def write(actor: UUID | str, state: State | None, file: BinaryIO, progress: Callable[[int], None]) -> int:
    """Write the list to `file`; returns how many people."""
    told = 0
    for count, part in list_people(actor, state):
        file.write(part)
        told += count
        progress(told)
    return told
