"""What the console may know about people. No request, no response; each call names who asks.

Opening goes through the keeper, which writes the ledger: one row for a page of the list, one for a person.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet

from troth.core.holdings import Step
from troth.core.personal import EmailAddress, Personal, PersonName
from troth.core.purpose import Category, Reason
from troth.kit.paging import Page, stretch
from troth.newsletter import consent_texts
from troth.newsletter.models import Subscription
from troth.rights.holdings import holdings
from troth.rights.services import being_erased
from troth.vault import row_counts
from troth.vault.keeper import MOST_FOUND, keeper
from troth.vault.models import Person
from troth.vault.records import CONSENT, Consent, Details
from troth.vault.search import find as find

PAGE_SIZE = 50


class State(StrEnum):
    """Where a person stands with the newsletter."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    LEFT = "left"

    @property
    def label(self) -> str:
        """As the console says it."""
        return {"confirmed": "Confirmed", "waiting": "Waiting", "left": "Left"}[self.value]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    person_id: UUID
    state: State | None
    """None for someone who has nothing to do with the newsletter."""
    since: datetime
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None


@dataclass(frozen=True, slots=True)
class PeoplePage(Page[Row]):
    """A page of the list, and what the ledger now says about it."""

    note: str
    more: bool = False
    """More people were found than are shown."""

    @property
    def ahead(self) -> UUID | None:
        """Where the link to newer people begins."""
        return self.rows[0].person_id if self.rows else None

    @property
    def behind(self) -> UUID | None:
        """Where the link to older people begins."""
        return self.rows[-1].person_id if self.rows else None


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people there are in each state."""

    all: int
    confirmed: int
    waiting: int
    left: int


@dataclass(frozen=True, slots=True)
class Shown:
    """One person, opened for administration."""

    person_id: UUID
    state: State | None
    frozen_at: datetime | None
    title: Personal | None
    details: tuple[tuple[str, Personal], ...]
    history: tuple[Step, ...]
    erasure: UUID | None
    """The erasure that waits to be done."""
    note: str


@dataclass(frozen=True, slots=True)
class ConsentShown:
    """What a person agreed to, opened for identification."""

    facts: tuple[tuple[str, str], ...]
    note: str


def form_url() -> str:
    """Where visitors find the form."""
    return f"{settings.TROTH_CONFIG.site.url}/newsletter"


def rights_url() -> str:
    """Where people see, take along and erase what is kept of them by themselves."""
    return f"{settings.TROTH_CONFIG.site.url}/privacy/me"


def counts() -> Counts:
    """People in each state. Opens nobody."""
    found = row_counts.counts("subscription")
    return Counts(all=row_counts.count("person"), **{state.value: found.get(state.value, 0) for state in State})


@dataclass(frozen=True, slots=True)
class Edge:
    """Where a page begins, as the link to it says: behind this person, or before them where `newer`."""

    person: UUID
    newer: bool = False


def page(actor: UUID, *, state: State | None, number: int, edge: Edge | None = None) -> PeoplePage:
    """Page `number` (from 1) of the people in `state`, newest first.

    Ids sort by when they were made, so the list is one walk along an index. With `edge` it starts where the page before
    ended, however deep that is; without, and on the first page, it counts from the nearer end of the list.
    """
    told = counts()
    total = told.all if state is None else int(getattr(told, state.value))
    everybody = _walk(state)
    ids = _beside(everybody, edge) if edge and number > 1 else []
    ids = ids or stretch(everybody, number, PAGE_SIZE, total)
    rows = _rows(actor, ids)
    return PeoplePage(rows, number, PAGE_SIZE, total, _list_note(rows))


def _walk(state: State | None) -> QuerySet[Any, UUID]:
    """The ids of everybody in `state`, the newest first, as `who`: all of it is in an index."""
    everybody: QuerySet[Any] = Person.objects.alias(who=F("id"))
    if state is not None:
        everybody = Subscription.objects.filter(state=state.value).alias(who=F("person_id"))
    return everybody.order_by("-who").values_list(F("who"), flat=True)


def _beside(everybody: QuerySet[Any, UUID], edge: Edge) -> list[UUID]:
    if edge.newer:
        return list(everybody.filter(who__gt=edge.person).reverse()[:PAGE_SIZE])[::-1]
    return list(everybody.filter(who__lt=edge.person)[:PAGE_SIZE])


def _list_note(rows: Sequence[Row]) -> str:
    opened = sum(not row.frozen for row in rows)
    return _note("one" if opened == 1 else "list", opened) if opened else "Nobody was opened."


def _rows(actor: UUID | str, ids: Sequence[UUID]) -> list[Row]:
    there = Person.objects.in_bulk(ids)
    people = [there[one] for one in ids if one in there]
    details = _newest_details(Reason.LIST_PEOPLE, actor, [person.id for person in people if person.frozen_at is None])
    states = dict(Subscription.objects.filter(person__in=ids).values_list("person", "state"))
    return [_row(person, states.get(person.id), details.get(person.id)) for person in people]


def _row(person: Person, state: str | None, details: Details | None) -> Row:
    return Row(
        person.id,
        State(state) if state else None,
        person.created_at,
        person.frozen_at is not None,
        details.email if details else None,
        details.name if details else None,
    )


def _newest_details(reason: Reason, actor: UUID | str, people: Sequence[UUID]) -> dict[UUID, Details]:
    if not people:
        return {}
    opened = keeper().open_records(reason, actor=actor, person_ids=people)
    newest = {who: contents[-1] for who, contents in opened.items()}
    return {who: content for who, content in newest.items() if isinstance(content, Details)}


def found_page(actor: UUID | str, ids: Sequence[UUID]) -> PeoplePage:
    """The people who were found, as one page."""
    rows = _rows(actor, ids[:PAGE_SIZE])
    more = len(ids) > len(rows) or len(ids) >= MOST_FOUND
    return PeoplePage(rows, 1, max(1, len(ids)), len(ids), _list_note(rows), more)


def person(actor: UUID, person_id: UUID) -> Shown | None:
    """One person; None if there is none."""
    there = Person.objects.filter(id=person_id).first()
    if there is None:
        return None
    subscription = Subscription.objects.filter(person=person_id).first()
    details = _newest_details(Reason.SHOW_PERSON, actor, [person_id]).get(person_id)
    steps = [step for holding in holdings() for step in holding.history(person_id)]
    if there.frozen_at:
        steps.append(Step("Frozen", there.frozen_at))
    return Shown(
        person_id,
        State(subscription.state) if subscription else None,
        there.frozen_at,
        details.email if details else None,
        _labelled(details) if details else (),
        tuple(sorted(steps, key=lambda step: step.at)),
        being_erased(person_id),
        _note("person", 1),
    )


def _labelled(details: Details) -> tuple[tuple[str, Personal], ...]:
    values: Sequence[Personal | None] = (
        details.email,
        details.name,
        details.company,
        details.telephone,
        details.postal_address,
    )
    return tuple((_LABELS[value.category], value) for value in values if value is not None)


def consent(actor: UUID, person_id: UUID) -> ConsentShown | None:
    """What a person agreed to; None if there is no such person."""
    if not Person.objects.filter(id=person_id).exists():
        return None
    opened = keeper().open_records(Reason.SHOW_CONSENT, actor=actor, person_ids=[person_id], kind=CONSENT)
    steps = sorted((one for one in opened.get(person_id, []) if isinstance(one, Consent)), key=lambda one: one.at_ms)
    return ConsentShown(tuple(fact for step in steps for fact in _facts(step)), _note("consent", 1))


def _facts(step: Consent) -> Iterator[tuple[str, str]]:
    at = datetime.fromtimestamp(step.at_ms / 1000, UTC)
    yield _STEP_WORDS.get(step.step, step.step), f"{at:%-d %b %Y, %H:%M:%S} UTC"
    if step.source is not None:
        yield "By this list", step.source
    if step.wording is not None:
        yield "To this sentence", _sentence(step.wording)


def _sentence(digest: bytes) -> str:
    """The sentence where it stood beside our form; otherwise its hash, to be compared with the list they came by."""
    known = consent_texts.of(digest)
    return f"“{known}”" if known is not None else f"One that did not stand here, whose SHA-256 is {digest.hex()}"


def _note(what: str, count: int) -> str:
    purpose, who = ("identification" if what == "consent" else "administration"), _WHO[what].format(count)
    return f"{who} opened for {purpose}, and the ledger now says that it was you."


_WHO = {
    "list": "The details of the {0} people on this page were",
    "one": "The details of the one person on this page were",
    "person": "This person’s details were",
    "consent": "This person’s consent record was",
}
_LABELS = {
    Category.EMAIL: "E-mail",
    Category.NAME: "Name",
    Category.TELEPHONE: "Telephone",
    Category.POSTAL_ADDRESS: "Postal address",
    Category.COMPANY: "Company",
}
_STEP_WORDS = {
    "asked": "Asked for the newsletter",
    "confirmed": "Confirmed by the link",
    "left": "Left by the link",
    "imported": "Had agreed elsewhere",
}
