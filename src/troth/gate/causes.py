"""Causes of held emails and exports: one for each detail of each person, however many it holds.

A name or number is what somebody entered, and may be common words. So a cause that has held `MOST` becomes quiet:
emails with these words are sent again, and an owner is told once. An email address never becomes quiet. The words are
not stored here: Admin decrypts the person's details to show them. May touch: the database; through the keeper, the leak
index.
"""

from collections.abc import Collection
from uuid import UUID

from django.db import transaction

from troth.core import clock
from troth.core.purpose import Category
from troth.gate.models import Cause
from troth.vault.keeper import keeper
from troth.vault.models import Person

MOST = 5
"""How much one name, number or postal address may hold before an owner has to review it."""
_MOST_NOTED = 20
"""Causes recorded for one mail at most: a common name may be that of very many people."""


def note(hits: Collection[tuple[int, Category]]) -> list[Cause]:
    """Record that something is held because of these slots and categories, and return the causes. Erased people are
    left out."""
    people = {person.slot: person for person in Person.objects.filter(slot__in={slot for slot, _ in hits})}
    known_hits = sorted((slot, category) for slot, category in hits if slot in people)
    return [_held_once_more(people[slot], category) for slot, category in known_hits[:_MOST_NOTED]]


def _held_once_more(person: Person, category: Category) -> Cause:
    cause, _ = Cause.objects.get_or_create(person=person, category=category.value)
    if cause.quiet_at is not None:  # it holds again: their details have changed since
        cause.quiet_at, cause.held, cause.since = None, 0, clock.now()
    cause.held += 1
    if cause.held >= MOST and category is not Category.EMAIL:
        _hush(cause)
    cause.save()
    return cause


def _hush(cause: Cause) -> None:
    cause.quiet_at = clock.now()
    keeper().marks.hush(cause.person.slot, Category(cause.category))


@transaction.atomic
def spare(ident: UUID) -> Cause | None:
    """Record an owner's decision that these words are nobody's detail: they hold nothing from now on. None if there is
    no such cause."""
    cause = Cause.objects.select_for_update().select_related("person").filter(id=ident).first()
    if cause is not None:
        _hush(cause)
        cause.save()
    return cause


@transaction.atomic
def uphold(ident: UUID) -> Cause | None:
    """Record an owner's decision that they are somebody's: what contains them is held. None if there is no such
    cause."""
    cause = Cause.objects.select_for_update().select_related("person").filter(id=ident).first()
    if cause is not None:
        cause.quiet_at, cause.held, cause.since = None, 0, clock.now()
        keeper().marks.unhush(cause.person.slot, Category(cause.category))
        cause.save()
    return cause


def hush_again() -> None:
    """Make the quiet causes quiet again after the leak index was rebuilt."""
    for cause in Cause.objects.filter(quiet_at__isnull=False).select_related("person"):
        keeper().marks.hush(cause.person.slot, Category(cause.category))
