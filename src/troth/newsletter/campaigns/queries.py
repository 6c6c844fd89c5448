"""What the console's pages about campaigns show. No HTTP.

Campaigns hold nobody's details. Recipients are opened by the keeper, which writes the access log: one row for a page of
them, one for each step of an export. May touch: the database; in `recipients` and `export`, people's details.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import Count, QuerySet

from troth.core import clock
from troth.core.personal import EmailAddress, PersonName
from troth.core.purpose import Reason
from troth.core.text.csv_cells import neutral
from troth.gate.failure_reasons import WORDS
from troth.gate.models import Delivery
from troth.kit.paging import Page
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.sending import Progress
from troth.newsletter.models import Campaign
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.vault.records import Details

PAGE_SIZE = 50
_SETTLED = timedelta(minutes=1)
"""After this, what was just being sent when a campaign ended has ended, too."""
STEP = 1_000
"""Recipients of one step of an export."""
State = Campaign.State


class Tab(StrEnum):
    """A part of the list."""

    DRAFTS = "drafts"
    SCHEDULED = "scheduled"
    SENDING = "sending"
    SENT = "sent"
    HIDDEN = "hidden"

    @property
    def label(self) -> str:
        """Return the name that the console shows."""
        return self.value.capitalize()


_STATES: dict[Tab, tuple[str, ...]] = {
    Tab.DRAFTS: (State.DRAFT,),
    Tab.SCHEDULED: (State.SCHEDULED,),
    Tab.SENDING: (State.PREPARING, State.SENDING, State.PAUSED),
    Tab.SENT: (State.SENT, State.CANCELLED),
}
_ORDER = {
    Tab.DRAFTS: "-changed_at",
    Tab.SCHEDULED: "due_at",
    Tab.SENDING: "-started_at",
    Tab.SENT: "-finished_at",
    Tab.HIDDEN: "-archived_at",
}
_TAGS = {
    State.DRAFT: "",
    State.SCHEDULED: "waiting",
    State.PREPARING: "waiting",
    State.SENDING: "good",
    State.PAUSED: "warn",
    State.SENT: "good",
    State.CANCELLED: "left",
}
"""The colour of a state, as a class of `.tag`."""


def tag(campaign: Campaign) -> tuple[str, str]:
    """Return a campaign's state as the console shows it: colour and name."""
    state = State(campaign.state)
    return _TAGS[state], state.label


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """One line of the list."""

    campaign: Campaign
    progress: Progress | None
    """None for what was never sent."""

    @property
    def tag(self) -> tuple[str, str]:
        """Return the colour and name of its state."""
        return tag(self.campaign)


def counts() -> dict[Tab, int]:
    """Count campaigns by tab."""
    rows = Campaign.objects.filter(archived_at=None).values_list("state").annotate(Count("id")).order_by()
    by_state = dict(rows.values_list("state", "id__count"))
    numbers = {tab: sum(by_state.get(state, 0) for state in states) for tab, states in _STATES.items()}
    return {**numbers, Tab.HIDDEN: Campaign.objects.filter(archived_at__isnull=False).count()}


def page(tab: Tab, number: int) -> Page[CampaignRow]:
    """Return page `number` (from 1) of a tab."""
    rows, start = _of(tab), (number - 1) * PAGE_SIZE
    some = rows.select_related("topic").defer("markdown").order_by(_ORDER[tab], "-id")[start : start + PAGE_SIZE]
    return Page([_row(campaign) for campaign in some], number, PAGE_SIZE, rows.count())


def _of(tab: Tab) -> QuerySet[Campaign]:
    if tab is Tab.HIDDEN:
        return Campaign.objects.filter(archived_at__isnull=False)
    return Campaign.objects.filter(archived_at=None, state__in=_STATES[tab])


def _row(campaign: Campaign) -> CampaignRow:
    if campaign.started_at is None:
        return CampaignRow(campaign, None)
    over_at = campaign.finished_at
    settled = over_at is not None and clock.now() - over_at > _SETTLED
    return CampaignRow(campaign, _settled(campaign.id, over_at) if settled else sending.progress(campaign.id))


@lru_cache(maxsize=1_000)
def _settled(campaign_id: UUID, finished_at: datetime) -> Progress:
    """Return the numbers of a campaign that is over. They stay until it is retried, and counting a million rows takes a
    tenth of a second."""
    return sending.progress(campaign_id)


def campaign(campaign_id: UUID) -> Campaign | None:
    """Return a campaign with its topic; None if there is none."""
    return Campaign.objects.select_related("topic").filter(id=campaign_id).first()


# -- one campaign that was started ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StateCount:
    """Recipients in one state: a row of the table, and a piece of the bar."""

    name: str
    label: str
    meaning: str
    count: int
    x: float
    """Where its piece of the bar begins, in per cent."""
    width: float
    link: bool = False
    """Whether there is a list of these recipients."""


LABELS = {
    "sent": ("Sent", "accepted by the SMTP server"),
    "waiting": ("Waiting", "still to be sent"),
    "held": ("Held", "an owner reviews these under Held mail"),
    "uncertain": ("Uncertain", "the connection broke: may have arrived"),
    "failed": ("Failed", "rejected, or given up after several attempts"),
    "suppressed": ("Suppressed", "held for review, and dropped by an owner"),
    "skipped": ("Skipped", "unsubscribed or paused meanwhile, or the campaign was cancelled"),
}
WITH_LIST = (Delivery.State.FAILED, Delivery.State.UNCERTAIN)


def state_counts(progress: Progress) -> list[StateCount]:
    """Return the recipients by state. They add up to the audience."""
    rows, x = [], 0.0
    for name, (label, meaning) in LABELS.items():
        count = getattr(progress, name)
        if name == "held" and not count:
            continue
        width = count / progress.audience * 100 if progress.audience else 0.0
        rows.append(
            StateCount(name, label, meaning, count, round(x, 3), round(width, 3), bool(count and name in WITH_LIST))
        )
        x += width
    return rows


def statistics_query(campaign: Campaign) -> str:
    """Return the query of the statistics page for visits that came from this campaign; empty if none are."""
    return urlencode({"period": "91", "campaign": campaign.link_name}) if campaign.link_name else ""


# -- its recipients ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Recipient:
    """Someone whose email failed or is uncertain."""

    person_id: UUID
    email: EmailAddress | None
    name: PersonName | None
    reason: str
    code: int | None
    """The SMTP server's last reply code."""


@dataclass(frozen=True, slots=True)
class RecipientsPage(Page[Recipient]):
    """A page of recipients, with the note about its access log row."""

    note: str = ""


def recipients(actor: UUID, campaign_id: UUID, state: str, number: int) -> RecipientsPage:
    """Open page `number` (from 1) of the recipients whose email is in `state`."""
    start = (number - 1) * PAGE_SIZE
    rows = _opened(actor, Reason.LIST_RECIPIENTS, campaign_id, sending.recipients(campaign_id, state, start, PAGE_SIZE))
    total = Delivery.objects.filter(about=campaign_id, state=state, person__isnull=False).count()
    opened = sum(row.email is not None for row in rows)
    people = "1 person" if opened == 1 else f"{opened} people"
    note = (
        f"Viewing this page was logged: {people}, purpose: administration." if opened else "No personal data was shown."
    )
    return RecipientsPage(rows, number, PAGE_SIZE, total, note)


def export(actor: UUID, campaign_id: UUID, state: str) -> Iterator[bytes]:
    """Yield the recipients whose email is in `state` as CSV. Each step writes a row to the access log."""
    yield _lines([("email", "name", "state", "reason", "code")])
    start = 0
    while people := sending.recipients(campaign_id, state, start, STEP):
        rows = _opened(actor, Reason.EXPORT_PEOPLE, campaign_id, people)
        yield _lines(_cells(row, state) for row in rows if row.email is not None)
        start += STEP


def _opened(actor: UUID, reason: Reason, campaign_id: UUID, people: Sequence[UUID]) -> list[Recipient]:
    """Return these people's rows, in this order. Restricted people keep their details to themselves."""
    readable = list(Person.objects.filter(id__in=people, frozen_at=None).values_list("id", flat=True))
    opened = keeper().open_records(reason, actor=actor, person_ids=readable) if readable else {}
    replies = Delivery.objects.filter(about=campaign_id, person__in=people).values_list("person", "reason", "code")
    outcomes = {person: (why, code) for person, why, code in replies}
    rows = []
    for person in people:
        details = opened.get(person, [None])[-1]
        email, name = (details.email, details.name) if isinstance(details, Details) else (None, None)
        why, code = outcomes.get(person, ("", None))
        rows.append(Recipient(person, email, name, in_words(why), code))
    return rows


def in_words(reason: str) -> str:
    """Return what a reason of the outbox means, as a clause."""
    return WORDS.get(reason, (reason.replace("_", " ").replace("-", " "), ""))[0]


def _cells(row: Recipient, state: str) -> tuple[str, ...]:
    email = row.email.reveal() if row.email else ""
    name = row.name.reveal() if row.name else ""
    return (email, name, state, row.reason, str(row.code or ""))


def _lines(rows: Iterable[tuple[str, ...]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([neutral(cell) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
