"""What the console may know of conversations. No request, no response; each call names who asks.

Opening goes through the keeper, which writes the ledger: one row for a page of the list, one for a conversation.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery, UUIDField

from troth.contact.models import Label, Message, Thread
from troth.core.personal import EmailAddress, MessageText, Personal, PersonName
from troth.core.purpose import Category, Reason
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
class Row:
    """One line of the list."""

    thread: Thread
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None
    last: MessageText | None
    """What was written last; the page shows its beginning."""
    ours: bool
    """Whether that was us."""
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ThreadsPage(Page[Row]):
    """A page of the list, and what the ledger now says about it."""

    note: str


@dataclass(frozen=True, slots=True)
class Said:
    """One message as it is shown."""

    id: UUID
    ours: bool
    at: datetime
    text: MessageText | None
    """None where it cannot be read any more."""
    beside: tuple[tuple[str, Personal], ...]
    """What else was typed into the form."""
    mail: str
    """What became of our mail, in words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A conversation, opened for administration."""

    thread: Thread
    frozen: bool
    email: EmailAddress | None
    name: PersonName | None
    said: tuple[Said, ...]
    labels: tuple[Label, ...]
    others: tuple[Label, ...]
    """Labels that it does not carry."""
    left_out: int
    """Older messages that are not on the page."""
    seen: UUID
    """The message that was filed last: whoever looks at this has seen all up to it."""
    note: str


def counts() -> dict[str, int]:
    """Conversations in each state. Opens nobody."""
    found = row_counts.counts("thread")
    return {state.value: found.get(state.value, 0) for state in State}


def waiting_since() -> datetime | None:
    """When the longest-waiting message came."""
    first = Thread.objects.filter(state=State.WAITING).order_by("last_at").first()
    return first.last_at if first else None


def form_url() -> str | None:
    """Where visitors find the form; None where there is none."""
    return f"{settings.TROTH_CONFIG.site.url}/contact" if settings.TROTH_CONFIG.contact.enabled else None


# -- the list -------------------------------------------------------------------------------------------------------


def page(actor: UUID, *, state: State | None, label: Label | None, number: int) -> ThreadsPage:
    """Page `number` (from 1) of the conversations in `state` with `label`, newest first."""
    some = Thread.objects.all()
    if state:
        some = some.filter(state=state)
    if label:
        some = some.filter(labels=label)
    told = counts()
    total = some.count() if label else told[state] if state else sum(told.values())
    return _page(actor, some, number, total)


def found_page(actor: UUID, typed: str) -> ThreadsPage:
    """The conversations of the people whom these words lead to, the newest of them."""
    some = Thread.objects.filter(person__in=find(actor, typed))
    return _page(actor, some, 1, some.count())


def _page(actor: UUID, some: QuerySet[Thread], number: int, total: int) -> ThreadsPage:
    ids = stretch(some.order_by("-last_at", "-id").values_list("id", flat=True), number, PAGE_SIZE, total)
    newest = Message.objects.filter(thread=OuterRef("pk")).order_by("-at", "-id")
    threads = list(
        Thread.objects.filter(id__in=ids)
        .annotate(
            last_record=Subquery(newest.values("record_id")[:1], output_field=UUIDField()),
            last_way=Subquery(newest.values("direction")[:1]),
        )
        .select_related("person")
        .prefetch_related("labels")
        .order_by("-last_at", "-id")
    )
    open_to = [thread for thread in threads if thread.person.frozen_at is None]
    people = {thread.person_id for thread in open_to}
    details = _details_of(people)
    opened = _opened(Reason.LIST_MESSAGES, actor, [*details.values(), *(one.last_record for one in open_to)])
    rows = [_row(thread, opened, details) for thread in threads]
    return ThreadsPage(rows, number, PAGE_SIZE, total, _list_note(len(people)))


def _row(thread: Thread, opened: Mapping[UUID, Content], details: Mapping[UUID, UUID]) -> Row:
    who, last = opened.get(details.get(thread.person_id, thread.id)), opened.get(thread.last_record)  # type: ignore[attr-defined]
    return Row(
        thread,
        thread.person.frozen_at is not None,
        who.email if isinstance(who, Details) else None,
        who.name if isinstance(who, Details) else None,
        last.text if isinstance(last, Written) else None,
        thread.last_way == Message.Direction.OUT,  # type: ignore[attr-defined]
        tuple(label.name for label in thread.labels.all()),
    )


def _details_of(people: "set[UUID]") -> dict[UUID, UUID]:
    """The newest details record of each of them."""
    rows = Record.objects.filter(person__in=people, kind=DETAILS).order_by("created_at", "id")
    return dict(rows.values_list("person_id", "id"))


def _opened(reason: Reason, actor: UUID, records: Sequence[UUID]) -> Mapping[UUID, Content]:
    return keeper().open_by_id(reason, actor=actor, record_ids=records) if records else {}


def _list_note(people: int) -> str:
    if not people:
        return "Nobody was opened."
    whose = "One person’s details" if people == 1 else f"The details of {people} people"
    what = f"{whose} and the last words of each conversation were opened for administration"
    return f"{what}, and the ledger now says that it was you."


# -- one conversation -----------------------------------------------------------------------------------------------


def thread(actor: UUID, thread_id: UUID) -> Shown | None:
    """One conversation, oldest message first; None if there is none."""
    there = Thread.objects.filter(id=thread_id).select_related("person").first()
    if there is None:
        return None
    last = there.messages.order_by("-filed_at", "-id").first()
    if last is None:
        return None
    newest = list(there.messages.order_by("-at", "-id")[:_MOST_SHOWN])
    details = _details_of({there.person_id})
    wanted = [*details.values(), *(message.record_id for message in newest)]
    opened = _opened(Reason.READ_MESSAGES, actor, wanted)
    who = next((opened.get(one) for one in details.values()), None)
    mine = tuple(there.labels.all())
    return Shown(
        there,
        there.person.frozen_at is not None,
        who.email if isinstance(who, Details) else None,
        who.name if isinstance(who, Details) else None,
        tuple(_said(reversed(newest), opened)),
        mine,
        tuple(label for label in Label.objects.all() if label not in mine),
        max(0, there.messages.count() - len(newest)),
        last.id,
        "This conversation was opened for administration, and the ledger now says that it was you.",
    )


def _said(messages: Iterator[Message], opened: Mapping[UUID, Content]) -> Iterator[Said]:
    rows = list(messages)
    mails = dict(Delivery.objects.filter(about__in=[row.id for row in rows]).values_list("about", "state"))
    for row in rows:
        content = opened.get(row.record_id)
        written = content if isinstance(content, Written) else None
        yield Said(
            row.id,
            row.direction == Message.Direction.OUT,
            row.at,
            written.text if written else None,
            tuple(_beside(written.sender)) if written and written.sender else (),
            _MAIL_WORDS.get(mails.get(row.id, ""), ""),
        )


def _beside(sender: Details) -> Iterator[tuple[str, Personal]]:
    for value in (sender.name, sender.email, sender.company, sender.telephone, sender.postal_address):
        if value is not None:
            yield _LABELS[value.category], value


_LABELS = {
    Category.NAME: "Name",
    Category.EMAIL: "E-mail",
    Category.COMPANY: "Company",
    Category.TELEPHONE: "Telephone",
    Category.POSTAL_ADDRESS: "Postal address",
}
_MAIL_WORDS = {
    "queued": "queued",
    "sending": "being sent",
    "sent": "sent",
    "uncertain": "may have been sent",
    "failed": "refused by the relay or the mailbox",
    "suppressed": "not sent",
    "held": "held: an owner has to look at it",
}
