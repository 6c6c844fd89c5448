"""Queries about people for the console; each call names its actor. The keeper opens people and writes the access log:
one row for a page of the list, one for a person."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

from troth.core.contact_details import LABELS
from troth.core.holdings import Step
from troth.core.personal import EmailAddress, Personal, PersonName, each_detail
from troth.core.purpose import Reason
from troth.kit.paging import Page, stretch
from troth.newsletter import consent_texts, topics
from troth.newsletter.models import Subscription
from troth.rights.holdings import holdings
from troth.rights.services import being_erased
from troth.vault import row_counts
from troth.vault.keeper import MOST_FOUND, keeper
from troth.vault.models import Person
from troth.vault.records import CONSENT, Consent, Details
from troth.vault.search import find as find

PAGE_SIZE = 50


class SubscriberState(StrEnum):
    """A person's newsletter status."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    LEFT = "left"

    @property
    def label(self) -> str:
        """Return the name that the console shows."""
        return {"confirmed": "Confirmed", "waiting": "Unconfirmed", "left": "Unsubscribed"}[self.value]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One line of the list."""

    person_id: UUID
    state: SubscriberState | None
    """None for someone who never signed up for the newsletter."""
    since: datetime
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None


@dataclass(frozen=True, slots=True)
class PeoplePage(Page[PersonRow]):
    """A page of the list, with the note about its access log row."""

    note: str
    more: bool = False
    """Whether there are more results than shown."""

    @property
    def ahead(self) -> UUID | None:
        """Return the id before which newer people come."""
        return self.rows[0].person_id if self.rows else None

    @property
    def behind(self) -> UUID | None:
        """Return the id after which older people come."""
        return self.rows[-1].person_id if self.rows else None


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Numbers of people by status."""

    all: int
    confirmed: int
    waiting: int
    left: int


@dataclass(frozen=True, slots=True)
class OpenedPerson:
    """One person, opened for administration."""

    person_id: UUID
    state: SubscriberState | None
    frozen_at: datetime | None
    title: Personal | None
    details: tuple[tuple[str, Personal], ...]
    history: tuple[Step, ...]
    erasure: UUID | None
    """The id of the pending deletion."""
    note: str


@dataclass(frozen=True, slots=True)
class ConsentShown:
    """A consent record, opened for identification."""

    facts: tuple[tuple[str, str], ...]
    note: str


def form_url() -> str:
    """Return the address of the sign-up form."""
    return f"{settings.TROTH_CONFIG.site.url}/newsletter"


def rights_url() -> str:
    """Return the address at which people view, export and delete their data."""
    return f"{settings.TROTH_CONFIG.site.url}/privacy/me"


def counts() -> StateCounts:
    """Count people by status. Opens nobody."""
    return StateCounts(all=row_counts.count("person"), **row_counts.counts("subscription"))


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins: after this person, or before them if `newer`."""

    person: UUID
    newer: bool = False


def page(actor: UUID, *, state: SubscriberState | None, number: int, edge: Edge | None = None) -> PeoplePage:
    """Return page `number` (from 1) of the people in `state`, newest first. Ids sort by creation time: with `edge` the
    list starts where the previous page ended, at any depth; else it counts from the nearer end."""
    numbers = counts()
    total = numbers.all if state is None else int(getattr(numbers, state.value))
    everybody = _walk(state)
    ids = _beside(everybody, edge) if edge and number > 1 else []
    ids = ids or stretch(everybody, number, PAGE_SIZE, total)
    rows = _rows(actor, ids)
    return PeoplePage(rows, number, PAGE_SIZE, total, _list_note(rows))


def _walk(state: SubscriberState | None) -> QuerySet[Any, UUID]:
    """Return the ids of everybody in `state`, newest first, as `who`: a query on one index."""
    everybody: QuerySet[Any] = Person.objects.alias(who=F("id"))
    if state is not None:
        everybody = Subscription.objects.filter(state=state.value).alias(who=F("person_id"))
    return everybody.order_by("-who").values_list(F("who"), flat=True)


def _beside(everybody: QuerySet[Any, UUID], edge: Edge) -> list[UUID]:
    if edge.newer:
        return list(everybody.filter(who__gt=edge.person).reverse()[:PAGE_SIZE])[::-1]
    return list(everybody.filter(who__lt=edge.person)[:PAGE_SIZE])


def _list_note(rows: Sequence[PersonRow]) -> str:
    opened = sum(not row.frozen for row in rows)
    return _note("list", opened) if opened else "No personal data was shown."


def _rows(actor: UUID | str, ids: Sequence[UUID]) -> list[PersonRow]:
    existing = Person.objects.in_bulk(ids)
    people = [existing[person] for person in ids if person in existing]
    details = _newest_details(Reason.LIST_PEOPLE, actor, [person.id for person in people if person.frozen_at is None])
    states = dict(Subscription.objects.filter(person__in=ids).values_list("person", "state"))
    return [_row(person, states.get(person.id), details.get(person.id)) for person in people]


def _row(person: Person, state: str | None, details: Details | None) -> PersonRow:
    return PersonRow(
        person.id,
        SubscriberState(state) if state else None,
        person.created_at,
        person.frozen_at is not None,
        details.email if details else None,
        details.name if details else None,
    )


def _newest_details(reason: Reason, actor: UUID | str, people: Sequence[UUID]) -> dict[UUID, Details]:
    if not people:
        return {}
    opened = keeper().open_records(reason, actor=actor, person_ids=people)
    newest = {person: contents[-1] for person, contents in opened.items()}
    return {person: content for person, content in newest.items() if isinstance(content, Details)}


def found_page(actor: UUID | str, ids: Sequence[UUID]) -> PeoplePage:
    """Return search results as one page."""
    rows = _rows(actor, ids[:PAGE_SIZE])
    more = len(ids) > len(rows) or len(ids) >= MOST_FOUND
    return PeoplePage(rows, 1, max(1, len(ids)), len(ids), _list_note(rows), more)


def person(actor: UUID, person_id: UUID) -> OpenedPerson | None:
    """Open one person for administration; None if there is none."""
    row = Person.objects.filter(id=person_id).first()
    if row is None:
        return None
    subscription = Subscription.objects.filter(person=person_id).first()
    details = _newest_details(Reason.SHOW_PERSON, actor, [person_id]).get(person_id)
    steps = [step for holding in holdings() for step in holding.history(person_id)]
    if row.frozen_at:
        steps.append(Step("Processing restricted", row.frozen_at))
    return OpenedPerson(
        person_id,
        SubscriberState(subscription.state) if subscription else None,
        row.frozen_at,
        details.email if details else None,
        _labelled(details) if details else (),
        tuple(sorted(steps, key=lambda step: step.at)),
        being_erased(person_id),
        _note("person", 1),
    )


def _labelled(details: Details) -> tuple[tuple[str, Personal], ...]:
    return tuple((LABELS[category], value) for category, value in each_detail(details) if value is not None)


def consent(actor: UUID, person_id: UUID) -> ConsentShown | None:
    """Open a person's consent record for identification; None if there is no such person."""
    if not Person.objects.filter(id=person_id).exists():
        return None
    opened = keeper().open_records(Reason.SHOW_CONSENT, actor=actor, person_ids=[person_id], kind=CONSENT)
    contents = opened.get(person_id, [])
    steps = sorted((step for step in contents if isinstance(step, Consent)), key=lambda step: step.at_ms)
    return ConsentShown(tuple(fact for step in steps for fact in _facts(step)), _note("consent", 1))


def _facts(step: Consent) -> Iterator[tuple[str, str]]:
    at = datetime.fromtimestamp(step.at_ms / 1000, UTC)
    yield _STEP_WORDS.get(step.step, step.step), f"{at:%-d %b %Y, %H:%M:%S} UTC"
    if step.source is not None:
        yield "Imported from", step.source
    if step.wording is not None:
        yield "Consent text", _sentence(step.wording)
    if step.policy is not None:
        yield "Privacy policy", f"Version {step.policy}"
    if step.topics is not None:
        yield "Topics", topics.names(step.topics)


def _sentence(digest: bytes) -> str:
    """Return the consent text if it is from this site's form; otherwise its hash, to compare with the imported list."""
    text = consent_texts.of(digest)
    return f"“{text}”" if text is not None else f"Not from this site’s form; its SHA-256 is {digest.hex()}"


def _note(page: str, count: int) -> str:
    purpose = "identification" if page == "consent" else "administration"
    people = "1 person" if count == 1 else f"{count} people"
    return f"Viewing this page was logged: {people}, purpose: {purpose}."


_STEP_WORDS = {
    "asked": "Signed up",
    "confirmed": "Confirmed",
    "topics": "Changed topics",
    "left": "Unsubscribed",
    "imported": "Consented elsewhere (imported)",
}
