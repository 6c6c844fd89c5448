"""Queries about conversations for the console; each call names its actor. The keeper opens people and writes the access
log: one row for a page of the list, one for a conversation."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery, UUIDField

from troth.contact.models import Label, Message, Thread
from troth.core.contact_details import LABELS
from troth.core.personal import EmailAddress, MessageText, Personal, PersonName, each_detail
from troth.core.purpose import Reason
from troth.gate.models import Delivery
from troth.kit.paging import Page, stretch
from troth.vault import row_counts
from troth.vault.keeper import keeper
from troth.vault.models import Record
from troth.vault.records import DETAILS, Content, Details
from troth.vault.records import Message as Written
from troth.vault.search import find

PAGE_SIZE = 50
_MOST_SHOWN = 200
"""Messages of one conversation on its page, the newest."""
State = Thread.State


@dataclass(frozen=True, slots=True)
class Status:
    """A conversation's state as its tag shows it. `kind`: the tag's CSS class."""

    kind: str
    words: str


_NOT_SENT = {Delivery.State.HELD, Delivery.State.FAILED, Delivery.State.SUPPRESSED}


def _status(thread: Thread, delivery: str | None) -> Status:
    """Return the thread's status. `delivery`: the state of the latest message's email, if the latest is a reply."""
    state = State(thread.state)
    if delivery in _NOT_SENT and state is State.ANSWERED:
        return Status("warn", f"Reply {Delivery.State(delivery).words}")
    return Status(state.value, state.words)


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """One line of the list."""

    thread: Thread
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None
    last: MessageText | None
    """The latest message; the page shows its beginning."""
    ours: bool
    """Whether the operators wrote it."""
    status: "Status"
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadsPage(Page[ThreadRow]):
    """A page of the list, with the note about its access log row."""

    note: str


@dataclass(frozen=True, slots=True)
class ShownMessage:
    """One message as it is shown."""

    id: UUID
    ours: bool
    at: datetime
    text: MessageText | None
    """None where it cannot be read any more."""
    other_details: tuple[tuple[str, Personal], ...]
    """What else was entered in the form."""
    delivery: str
    """What became of our email, in words."""


@dataclass(frozen=True, slots=True)
class OpenedThread:
    """A conversation, opened for administration."""

    thread: Thread
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None
    status: Status
    messages: tuple[ShownMessage, ...]
    labels: tuple[Label, ...]
    other_labels: tuple[Label, ...]
    """Labels that it does not have."""
    older: int
    """How many older messages are not on the page."""
    seen: UUID
    """The message that was filed last: the page shows everything up to it."""
    note: str


def counts() -> dict[str, int]:
    """Count conversations by state. Opens nobody."""
    return row_counts.counts("thread")


def waiting_since() -> datetime | None:
    """Return when the oldest open conversation had its last message."""
    first = Thread.objects.filter(state=State.WAITING).order_by("last_at").first()
    return first.last_at if first else None


def form_url() -> str | None:
    """Return the address of the contact form; None where it is turned off."""
    return f"{settings.TROTH_CONFIG.site.url}/contact" if settings.TROTH_CONFIG.contact.enabled else None


# -- the list -------------------------------------------------------------------------------------------------------


def page(actor: UUID, *, state: State | None, label: Label | None, number: int) -> ThreadsPage:
    """Return page `number` (from 1) of the conversations in `state` with `label`, newest first."""
    threads = Thread.objects.all()
    if state:
        threads = threads.filter(state=state)
    if label:
        threads = threads.filter(labels=label)
    numbers = counts()
    total = threads.count() if label else numbers[state] if state else sum(numbers.values())
    return _page(actor, threads, number, total)


def found_page(actor: UUID, typed: str) -> ThreadsPage:
    """Return the newest conversations of the people who match these words."""
    threads = Thread.objects.filter(person__in=find(actor, typed))
    return _page(actor, threads, 1, threads.count())


def _page(actor: UUID, selected: QuerySet[Thread], number: int, total: int) -> ThreadsPage:
    ids = stretch(selected.order_by("-last_at", "-id").values_list("id", flat=True), number, PAGE_SIZE, total)
    newest = Message.objects.filter(thread=OuterRef("pk")).order_by("-at", "-id")
    threads = list(
        Thread.objects.filter(id__in=ids)
        .annotate(
            last_record=Subquery(newest.values("record_id")[:1], output_field=UUIDField()),
            last_message=Subquery(newest.values("id")[:1], output_field=UUIDField()),
            last_direction=Subquery(newest.values("direction")[:1]),
        )
        .select_related("person")
        .prefetch_related("labels")
        .order_by("-last_at", "-id")
    )
    readable = [thread for thread in threads if thread.person.frozen_at is None]
    people = {thread.person_id for thread in readable}
    details = _details_of(people)
    opened = _opened(Reason.LIST_MESSAGES, actor, [*details.values(), *(thread.last_record for thread in readable)])
    deliveries = _deliveries([thread.last_message for thread in threads])
    rows = [_row(thread, opened, details, deliveries) for thread in threads]
    return ThreadsPage(rows, number, PAGE_SIZE, total, _list_note(len(people)))


def _deliveries(messages: Sequence[UUID]) -> dict[UUID, str]:
    """Return the state of the email of each of these messages that has one."""
    return dict(Delivery.objects.filter(about__in=messages).values_list("about", "state"))


def _row(
    thread: Thread, opened: Mapping[UUID, Content], details: Mapping[UUID, UUID], deliveries: Mapping[UUID, str]
) -> ThreadRow:
    person, last = opened.get(details.get(thread.person_id, thread.id)), opened.get(thread.last_record)  # type: ignore[attr-defined]
    return ThreadRow(
        thread,
        thread.person.frozen_at is not None,
        person.email if isinstance(person, Details) else None,
        person.name if isinstance(person, Details) else None,
        last.text if isinstance(last, Written) else None,
        thread.last_direction == Message.Direction.OUT,  # type: ignore[attr-defined]
        _status(thread, deliveries.get(thread.last_message)),  # type: ignore[attr-defined]
        tuple(label.name for label in thread.labels.all()),
    )


def _details_of(people: "set[UUID]") -> dict[UUID, UUID]:
    """Return the newest details record of each of them."""
    rows = Record.objects.filter(person__in=people, kind=DETAILS).order_by("created_at", "id")
    return dict(rows.values_list("person_id", "id"))


def _opened(reason: Reason, actor: UUID, records: Sequence[UUID]) -> Mapping[UUID, Content]:
    return keeper().open_by_id(reason, actor=actor, record_ids=records) if records else {}


def _list_note(people: int) -> str:
    if not people:
        return "No personal data was shown."
    counted = "1 person" if people == 1 else f"{people} people"
    return f"Viewing this page was logged: {counted} and their latest messages, purpose: administration."


# -- one conversation -----------------------------------------------------------------------------------------------


def thread(actor: UUID, thread_id: UUID) -> OpenedThread | None:
    """Return one conversation, oldest message first; None if conversation is none."""
    conversation = Thread.objects.filter(id=thread_id).select_related("person").first()
    if conversation is None:
        return None
    last = conversation.messages.order_by("-filed_at", "-id").first()
    if last is None:
        return None
    newest = list(conversation.messages.order_by("-at", "-id")[:_MOST_SHOWN])
    details = _details_of({conversation.person_id})
    record_ids = [*details.values(), *(message.record_id for message in newest)]
    opened = _opened(Reason.READ_MESSAGES, actor, record_ids)
    person = next((opened.get(record) for record in details.values()), None)
    labels = tuple(conversation.labels.all())
    deliveries = _deliveries([message.id for message in newest])
    return OpenedThread(
        conversation,
        conversation.person.frozen_at is not None,
        person.email if isinstance(person, Details) else None,
        person.name if isinstance(person, Details) else None,
        _status(conversation, deliveries.get(newest[0].id)),
        tuple(_said(reversed(newest), opened, deliveries)),
        labels,
        tuple(label for label in Label.objects.all() if label not in labels),
        max(0, conversation.messages.count() - len(newest)),
        last.id,
        "Viewing this conversation was logged, purpose: administration.",
    )


def _said(
    messages: Iterator[Message], opened: Mapping[UUID, Content], deliveries: Mapping[UUID, str]
) -> Iterator[ShownMessage]:
    for row in messages:
        content = opened.get(row.record_id)
        written = content if isinstance(content, Written) else None
        yield ShownMessage(
            row.id,
            row.direction == Message.Direction.OUT,
            row.at,
            written.text if written else None,
            tuple(_other_details(written.sender)) if written and written.sender else (),
            Delivery.State(deliveries[row.id]).words if row.id in deliveries else "",
        )


def _other_details(sender: Details) -> Iterator[tuple[str, Personal]]:
    for category, value in each_detail(sender):
        if value is not None:
            yield LABELS[category], value
