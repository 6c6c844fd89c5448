"""Export of the list of people as CSV: all, or those with one status, in steps of `STEP`, each with one row in the
access log. Restricted people and people who are being deleted are left out."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import BinaryIO
from uuid import UUID

from troth.core.personal import each_detail
from troth.core.purpose import Reason
from troth.newsletter.models import Subscription
from troth.people import csv_export
from troth.people.csv_export import Cell
from troth.people.queries import SubscriberState
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person
from troth.vault.records import Details

STEP = 1_000
_FIRST = UUID(int=0)


def list_people(actor: UUID | str, state: SubscriberState | None) -> Iterator[tuple[int, bytes]]:
    """Yield (number of people, CSV bytes) in the order of creation. The first part is the headers."""
    yield 0, csv_export.lines([csv_export.HEADERS])
    last = _FIRST
    while people := _some(state, last):
        last = people[-1].id
        rows = _rows(actor, people)
        yield len(rows), csv_export.lines(rows)


def _some(state: SubscriberState | None, last: UUID) -> list[Person]:
    """Return the next people after `last`; ids sort by creation time."""
    if state is None:
        return list(Person.objects.filter(id__gt=last).order_by("id")[:STEP])
    subscriptions = Subscription.objects.filter(state=state.value, person__gt=last).order_by("person")
    return [subscription.person for subscription in subscriptions.select_related("person")[:STEP]]


def _rows(actor: UUID | str, people: list[Person]) -> list[tuple[Cell, ...]]:
    ids = [person.id for person in people if person.frozen_at is None]
    going = set(Erasure.objects.filter(person__in=ids).values_list("person", flat=True))
    ids = [person_id for person_id in ids if person_id not in going]
    if not ids:
        return []
    opened = keeper().open_records(Reason.EXPORT_PEOPLE, actor=actor, person_ids=ids)
    places = {place.person_id: place for place in Subscription.objects.filter(person__in=ids)}
    created = {person.id: person.created_at for person in people}
    newest = {person_id: contents[-1] for person_id, contents in opened.items()}
    return [
        _row(details, created[person_id], places.get(person_id))
        for person_id, details in newest.items()
        if isinstance(details, Details)
    ]


def _row(content: Details, created_at: datetime, place: Subscription | None) -> tuple[Cell, ...]:
    details = tuple(value for _, value in each_detail(content))
    if place is None:
        return (*details, None, created_at, None, None)
    return (*details, str(place.state), created_at, place.confirmed_at, place.left_at)


def write(actor: UUID | str, state: SubscriberState | None, file: BinaryIO, progress: Callable[[int], None]) -> int:
    """Write the list to `file`; returns the number of people."""
    written = 0
    for count, part in list_people(actor, state):
        file.write(part)
        written += count
        progress(written)
    return written
