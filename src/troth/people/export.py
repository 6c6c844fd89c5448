"""Export of the list of people: all, or those with one status, in a form of `list_formats`, in steps of `STEP`, each
with one row in the access log. Restricted people and people who are being deleted are left out, and counted."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import BinaryIO
from uuid import UUID

from troth.core import clock
from troth.core.purpose import Reason
from troth.newsletter import topics
from troth.newsletter.models import Subscription
from troth.people import csv_export
from troth.people.list_formats import ListEntry, ListForm
from troth.people.queries import SubscriberState
from troth.vault.keeper import keeper
from troth.vault.models import Erasure, Person
from troth.vault.records import Details

STEP = 1_000
RESTRICTED = "restricted, or being deleted"
PAUSED = "asked for no emails until a later day, which the other program would not know"
FORMULA = "have an address that begins like a formula, which the other program would get with an apostrophe"
_FIRST = UUID(int=0)


class ListExport:
    """Exports the list in one form. `left_out`: how many people are not in it, by reason."""

    def __init__(self, actor: UUID | str, form: ListForm) -> None:
        self._actor, self.form = actor, form
        self._topics = {topic.number: topic.name for topic in topics.all_topics()}
        self.left_out = Counter[str]()

    def parts(self) -> Iterator[tuple[int, bytes]]:
        """Yield (number of people, CSV bytes) in the order of creation. The first part is the headers."""
        yield 0, csv_export.lines([self.form.headers])
        last = _FIRST
        while people := _some(self.form.state, last):
            last = people[-1].id
            rows = [self.form.row(entry) for entry in self._entries(people)]
            yield len(rows), csv_export.lines(rows)

    def _entries(self, people: Sequence[Person]) -> list[ListEntry]:
        free = self._free(people)
        places = {place.person_id: place for place in Subscription.objects.filter(person__in=free)}
        to_open = [person_id for person_id in free if self._wanted(places.get(person_id))]
        if not to_open:
            return []
        opened = keeper().open_records(Reason.EXPORT_PEOPLE, actor=self._actor, person_ids=to_open)
        created = {person.id: person.created_at for person in people}
        chosen = topics.of_subscriptions([places[person_id].id for person_id in to_open if person_id in places])
        entries = [
            ListEntry(details, created[person_id], place, self._names(chosen.get(place.id, 0) if place else 0))
            for person_id, details in ((person_id, contents[-1]) for person_id, contents in opened.items())
            if isinstance(details, Details)
            for place in (places.get(person_id),)
        ]
        return [entry for entry in entries if self._writable(entry)]

    def _free(self, people: Sequence[Person]) -> list[UUID]:
        ids = [person.id for person in people if person.frozen_at is None]
        going = set(Erasure.objects.filter(person__in=ids).values_list("person", flat=True))
        free = [person_id for person_id in ids if person_id not in going]
        self.left_out[RESTRICTED] += len(people) - len(free)
        return free

    def _wanted(self, place: Subscription | None) -> bool:
        """Return whether somebody is still in the state that is exported, and not paused where no pause is known."""
        if self.form.state is not None and (place is None or place.state != self.form.state.value):
            return False
        paused = place is not None and place.paused_until is not None and place.paused_until > clock.now()
        if self.form.for_program and self.form.state is SubscriberState.CONFIRMED and paused:
            self.left_out[PAUSED] += 1
            return False
        return True

    def _writable(self, entry: ListEntry) -> bool:
        """Return whether the other program would get the address as it is: with an apostrophe it is another one."""
        if self.form.for_program and csv_export.changes(entry.details.email):
            self.left_out[FORMULA] += 1
            return False
        return True

    def _names(self, bitmap: int) -> tuple[str, ...]:
        return tuple(name for number, name in self._topics.items() if bitmap >> number & 1)

    def write(self, file: BinaryIO, progress: Callable[[int], None]) -> int:
        """Write the list to `file`; returns the number of people in it."""
        written = 0
        for count, part in self.parts():
            file.write(part)
            written += count
            progress(written)
        return written


def _some(state: SubscriberState | None, last: UUID) -> list[Person]:
    """Return the next people after `last`; ids sort by creation time."""
    if state is None:
        return list(Person.objects.filter(id__gt=last).order_by("id")[:STEP])
    subscriptions = Subscription.objects.filter(state=state.value, person__gt=last).order_by("person")
    return [subscription.person for subscription in subscriptions.select_related("person")[:STEP]]
