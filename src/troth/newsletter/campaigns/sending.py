"""Sending a campaign: start, schedule, pause, resume, cancel, retry, and how far it is.

    draft -> scheduled -> preparing -> sending -> sent          (paused and back; cancelled for good)

Operators decide in the office, which sends nothing; the worker does what they decided (`advance`). At any time
`audience = sent + failed + suppressed + uncertain + skipped`, and what waits. May touch: the database.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import Count

from troth.core import clock
from troth.core.errors import TrothError
from troth.gate import bulk
from troth.gate.common_words import Public
from troth.gate.leak_check import LeakFinding, Leaks
from troth.gate.models import Delivery
from troth.gate.sender_dns import stored
from troth.gate.sender_dns.examine import RecordCheck, aligned
from troth.newsletter.campaigns import audience, mails
from troth.newsletter.campaigns.content import Content
from troth.newsletter.models import Campaign
from troth.vault.keeper import keeper

State = Campaign.State
_CANCEL_STEP = 5_000
_MENDS: dict[str, str] = {State.SCHEDULED: "Make it a draft again first.", State.DRAFT: "Send or schedule it first."}
_RECENT = timedelta(minutes=2)
"""From how long before now the speed is told."""


class CampaignRefused(TrothError):
    """What was asked of a campaign cannot be done in its state, or it is not ready."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a campaign cannot start, and how to fix it."""

    what: str
    mend: str
    acceptable: bool = False
    """Whether an owner may look at it and send all the same."""
    record: str = ""
    """The DNS record to publish, if that is the fix."""

    def refusal(self) -> CampaignRefused:
        """Return it as an error."""
        return CampaignRefused(self.what, mend=f"{self.mend}\n{self.record}".strip())


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a campaign is: recipients by state."""

    state: str
    audience: int
    sent: int
    failed: int
    suppressed: int
    uncertain: int
    skipped: int
    waiting: int
    """Still to be sent, or being sent."""
    held: int
    """An owner has to look at these (Held mail)."""
    started_at: datetime | None
    finished_at: datetime | None
    per_second: float
    """Emails sent a second, over the last two minutes."""
    problem: str = ""

    @property
    def adds_up(self) -> bool:
        """Whether the states add up to the audience."""
        ended = self.sent + self.failed + self.suppressed + self.uncertain + self.skipped
        return self.audience == ended + self.waiting + self.held

    @property
    def seconds_left(self) -> float | None:
        """About how long it will take; None while nothing moves."""
        return self.waiting / self.per_second if self.per_second and self.state == State.SENDING else None

    def told(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "audience": self.audience, "sent": self.sent, "failed": self.failed, "suppressed": self.suppressed,
            "uncertain": self.uncertain, "skipped": self.skipped, "waiting": self.waiting, "held": self.held,
            "state": self.state, "problem": self.problem,
        }  # fmt: skip


# -- what operators decide --------------------------------------------------------------------------------------------


def problems(campaign: Campaign) -> list[Problem]:
    """Return why this campaign cannot start; empty if it can."""
    return list(_problems(campaign))


def _problems(campaign: Campaign) -> Iterator[Problem]:
    config = settings.TROTH_CONFIG
    if not campaign.subject.strip():
        yield Problem("There is no subject.", "Write one.")
    if not campaign.markdown.strip():
        yield Problem("The email is empty.", "Write something.")
    else:
        try:
            content = mails.content_of(campaign, config)
        except TrothError as error:
            yield Problem(str(error), error.mend)
        else:
            yield from _details_in(campaign, content)
    yield from _unsigned()
    yield from sender_problems()
    if campaign.topic is not None and campaign.topic.archived_at is not None:
        yield Problem("Its topic is archived.", "Choose another topic, or restore this one.")
    if not audience.anybody(campaign):
        yield Problem("Nobody would get it: no confirmed subscriber matches.", "Check topic, language and dates.")


def _details_in(campaign: Campaign, content: Content) -> Iterator[Problem]:
    if campaign.details_accepted == campaign.revision:
        return
    finding = looked_through(content)
    if not finding.clear:
        kinds = ", ".join(category.value.replace("_", " ") for category in finding.categories) or "something unreadable"
        yield Problem(
            f"The text contains what looks like somebody’s details: {kinds}.",
            "Take them out. If they may be published, an owner can accept them.",
            acceptable=True,
        )


def looked_through(content: Content) -> LeakFinding:
    """Return what the words of a campaign, the same for everybody, carry of people on the list."""
    leaks = Leaks(keeper().marks, Public.of(settings.TROTH_CONFIG, settings.TROTH_SITE.policy))
    texts = [pattern.fallbacks() for pattern in (content.subject, content.text, content.html)]
    return leaks.check_campaign(texts)


def _unsigned() -> Iterator[Problem]:
    """Large mailbox providers refuse bulk email whose DKIM domain is not the sender's (DMARC alignment)."""
    mail = settings.TROTH_CONFIG.mail
    sender = mail.sender.rpartition("@")[2].lower()
    signs = (mail.dkim_domain or sender).lower()
    if not aligned(sender, signs):
        yield Problem(
            f"DKIM signs for {signs}, but emails come from {sender}: DMARC alignment would fail.",
            "Set `dkim_domain` under [mail] to the sender’s domain, and publish its record (docs/mail.md).",
        )


def sender_problems() -> Iterator[Problem]:
    """Yield what is wrong with the sender's DNS records, as far as that is known (`gate.sender_dns`)."""
    yield from (_as_problem(check) for check in _sender_checks("wrong"))


def sender_doubts() -> list[Problem]:
    """Return what may be wrong with the sender's DNS records, or could not be checked. It stops no campaign."""
    config = settings.TROTH_CONFIG
    if config.checks_dns and stored.read(settings.TROTH_SITE, config) is None:
        words = "The DNS records of the sender’s domain (SPF, DKIM, DMARC) have not been checked yet."
        return [Problem(words, "They are checked within a minute of a start of `troth serve`.")]
    return [_as_problem(check) for check in _sender_checks("warn", "unknown")]


def sender_checked_at() -> datetime | None:
    """Return when the sender's DNS records were last checked; None where that is not known."""
    checked = stored.read(settings.TROTH_SITE, settings.TROTH_CONFIG)
    return checked.at if checked else None


def _sender_checks(*states: str) -> list[RecordCheck]:
    checked = stored.read(settings.TROTH_SITE, settings.TROTH_CONFIG)
    return [check for check in checked.checks if check.state in states] if checked else []


def _as_problem(check: RecordCheck) -> Problem:
    return Problem(check.what, check.mend, record=check.record)


def send(campaign_id: UUID, *, owner_accepts: bool = False) -> None:
    """Start a campaign now. Raises `CampaignRefused` with the first problem."""
    campaign = _ready(campaign_id, owner_accepts=owner_accepts)
    _move(campaign, (State.DRAFT, State.SCHEDULED), state=State.PREPARING, started_at=clock.now(), due_at=None)


def _ready(campaign_id: UUID, *, owner_accepts: bool) -> Campaign:
    campaign = _campaign(campaign_id)
    if owner_accepts and campaign.details_accepted != campaign.revision:
        campaign.details_accepted = campaign.revision
        Campaign.objects.filter(id=campaign.id).update(details_accepted=campaign.revision)
    for problem in _problems(campaign):
        raise problem.refusal()
    return campaign


def schedule(campaign_id: UUID, wall_time: str, *, owner_accepts: bool = False) -> datetime:
    """Start a campaign at this time, such as `2026-12-01T09:00`, in the site's time zone; return the moment.

    Raises `CampaignRefused` for a time that is past or that a clock change skips. A time that comes twice is its first.
    """
    campaign, zone = _ready(campaign_id, owner_accepts=owner_accepts), settings.TROTH_CONFIG.zone
    due_at = moment(wall_time, zone)
    if due_at <= clock.now():
        raise CampaignRefused("This time is past.", mend="Choose a later one, or send now.")
    _move(
        campaign,
        (State.DRAFT, State.SCHEDULED),
        state=State.SCHEDULED,
        scheduled_time=wall_time,
        scheduled_zone=zone.key,
        due_at=due_at,
    )
    return due_at


def moment(wall_time: str, zone: ZoneInfo) -> datetime:
    """Return when a clock in `zone` shows this time. Raises `CampaignRefused` where it never does."""
    try:
        naive = datetime.strptime(wall_time, "%Y-%m-%dT%H:%M")  # noqa: DTZ007, a wall time has no zone
    except ValueError:
        raise CampaignRefused("This is not a date and time.", mend="Write it like 2026-12-01T09:00.") from None
    local = naive.replace(tzinfo=zone)
    back = local.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != naive:
        raise CampaignRefused(
            f"{naive:%H:%M} does not exist on {naive:%-d %B %Y} in {zone.key}: clocks go forward.",
            mend=f"Choose {back:%H:%M}, or another time.",
        )
    return local.astimezone(UTC)


def unschedule(campaign_id: UUID) -> None:
    """Make a scheduled campaign a draft again."""
    cleared = {"due_at": None, "scheduled_time": "", "scheduled_zone": ""}
    _move(_campaign(campaign_id), (State.SCHEDULED,), state=State.DRAFT, **cleared)


def pause(campaign_id: UUID) -> None:
    """Send nothing more until it is resumed. What is being sent at this moment is finished."""
    campaign = _campaign(campaign_id)
    _move(campaign, (State.PREPARING, State.SENDING), state=State.PAUSED, paused_from=campaign.state)


def resume(campaign_id: UUID) -> None:
    """Go on with a paused campaign."""
    campaign = _campaign(campaign_id)
    _move(campaign, (State.PAUSED,), state=campaign.paused_from or State.SENDING, paused_from="", problem="")


def cancel(campaign_id: UUID) -> None:
    """Stop a campaign for good. The worker marks who has not got it as skipped."""
    started = (State.PREPARING, State.SENDING, State.PAUSED)
    _move(_campaign(campaign_id), started, state=State.CANCELLED, finished_at=clock.now(), problem="")


def retry(campaign_id: UUID, states: Collection[str]) -> int:
    """Send again what failed or is uncertain, of a campaign that is sending or sent; return how many."""
    campaign = _campaign(campaign_id)
    if not states or not set(states) <= {Delivery.State.FAILED, Delivery.State.UNCERTAIN}:
        raise CampaignRefused("Only failed and uncertain emails can be sent again.")
    if campaign.state not in (State.SENDING, State.PAUSED, State.SENT):
        raise CampaignRefused(f"This campaign is {campaign.state}: nothing can be sent again.")
    count = bulk.retry(campaign.id, states)
    if count and campaign.state == State.SENT:
        _move(campaign, (State.SENT,), state=State.SENDING, finished_at=None)
    return count


def _campaign(campaign_id: UUID) -> Campaign:
    campaign = Campaign.objects.select_related("topic").filter(id=campaign_id).first()
    if campaign is None:
        raise CampaignRefused("There is no such campaign.")
    return campaign


def _move(campaign: Campaign, states: Sequence[str], **changes: object) -> None:
    """Change the state of a campaign that is in one of `states`, whatever others do meanwhile."""
    if not Campaign.objects.filter(id=campaign.id, state__in=states).update(**changes):
        now = Campaign.objects.filter(id=campaign.id).values_list("state", flat=True).first() or "deleted"
        raise CampaignRefused(f"This campaign is {now}.", mend=_MENDS.get(now, "In this state, that cannot be done."))


# -- how far it is ----------------------------------------------------------------------------------------------------


def progress(campaign_id: UUID) -> Progress:
    """Return how far a campaign is."""
    campaign = _campaign(campaign_id)
    sums = bulk.sums(campaign.id)
    since = clock.now() - _RECENT
    recent = bulk.sent_since(campaign.id, since) if campaign.state == State.SENDING else 0
    running = (clock.now() - max(since, campaign.started_at or since)).total_seconds()
    return Progress(
        state=campaign.state,
        audience=campaign.audience,
        **{name: sums[name] for name in ("sent", "failed", "suppressed", "skipped", "held")},
        uncertain=sums["uncertain"],
        waiting=sums["queued"] + sums["sending"],
        started_at=campaign.started_at,
        finished_at=campaign.finished_at,
        per_second=recent / running if running > 0 else 0.0,
        problem=campaign.problem,
    )


def reasons(campaign_id: UUID) -> list[tuple[str, str, int]]:
    """Return why emails were not sent: state, reason, and how many."""
    states = [Delivery.State.FAILED, Delivery.State.UNCERTAIN, Delivery.State.SKIPPED, Delivery.State.SUPPRESSED]
    rows = Delivery.objects.filter(about=campaign_id, state__in=states).values_list("state", "reason")
    return list(rows.annotate(mails=Count("id")).order_by("state", "-mails"))


def recipients(campaign_id: UUID, state: str, start: int, count: int) -> list[UUID]:
    """Return the people whose email failed or is uncertain, by opaque id; from `start`, at most `count`."""
    rows = Delivery.objects.filter(about=campaign_id, state=state, person__isnull=False).order_by("id")
    return [person for person in rows.values_list("person_id", flat=True)[start : start + count] if person]


# -- what the worker does ---------------------------------------------------------------------------------------------


def due() -> UUID | None:
    """Return the campaign whose emails are to be sent now: the one that started first."""
    sending = Campaign.objects.filter(state=State.SENDING).order_by("started_at")
    for campaign_id in sending.values_list("id", flat=True):
        if Delivery.with_canaries.filter(about=campaign_id, next_at__lte=clock.now()).exists():
            return campaign_id
    return None


def advance() -> int:
    """Do one step of what operators decided: start what is due, write recipients down, finish, clear cancelled ones.

    Returns how many recipients were written down.
    """
    if not clock.doubted():
        scheduled = Campaign.objects.filter(state=State.SCHEDULED, due_at__lte=clock.now())
        for campaign in scheduled:
            scheduled.filter(id=campaign.id).update(state=State.PREPARING, started_at=clock.now(), due_at=None)
    written = 0
    for campaign in Campaign.objects.filter(state=State.PREPARING).order_by("started_at"):
        before = campaign.audience
        if campaign.prepared_to is None and not _is_clear(campaign):
            continue
        audience.write_down(campaign)
        written += campaign.audience - before
    for campaign in Campaign.objects.filter(state=State.SENDING):
        if not bulk.unfinished(campaign.id):
            Campaign.objects.filter(id=campaign.id, state=State.SENDING).update(
                state=State.SENT, finished_at=clock.now()
            )
    recently = Campaign.objects.filter(state=State.CANCELLED, finished_at__gt=clock.now() - timedelta(days=30))
    for campaign_id in recently.values_list("id", flat=True):
        bulk.skip(campaign_id, _CANCEL_STEP)
    return written


def _is_clear(campaign: Campaign) -> bool:
    """Check a campaign once more before anything is sent: the office may have been wrong. Pauses it if not."""
    try:
        content = mails.content_of(campaign, settings.TROTH_CONFIG)
        clear = campaign.details_accepted == campaign.revision or looked_through(content).clear
        problem = "" if clear else "The text contains what looks like somebody’s details."
        problem = problem or next((f"{fault.what} {fault.mend}" for fault in sender_problems()), "")
    except TrothError as error:
        problem = str(error)
    if problem:
        preparing = Campaign.objects.filter(id=campaign.id, state=State.PREPARING)
        preparing.update(state=State.PAUSED, paused_from=State.PREPARING, problem=problem[:300])
    return not problem
