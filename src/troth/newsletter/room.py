"""What the newsletter files, sends, stores and shows (`core.rooms`)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from troth.core.config.sections import Config
from troth.core.purpose import Purpose
from troth.core.rooms import Collected, Retained, Room, Timer
from troth.core.text.durations import span
from troth.gate.models import Delivery
from troth.newsletter import erase, rate_limits, services
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.mails import compose_confirmations
from troth.newsletter.models import Request, Subscription
from troth.vault import row_counts
from troth.vault.records import CONSENT, PENDING
from troth.vault.retained_rows import oldest

_UNCONFIRMED = Request.objects.filter(state__in=services.UNCONFIRMED)
_LEFT = Subscription.objects.filter(state=Subscription.State.LEFT, left_at__isnull=False)


def _unconfirmed_kept(config: Config) -> timedelta:
    return timedelta(hours=config.newsletter.confirm_hours) + services.GRACE


def _collects(config: Config) -> Sequence[Collected]:
    waiting = span(_unconfirmed_kept(config))
    return (
        Collected(
            PENDING,
            "Details not yet confirmed",
            Purpose.ADMINISTRATION,
            "typed by you; encrypted",
            f"until then, or {waiting}",
        ),
        Collected(
            CONSENT,
            "What you agreed to, and when",
            Purpose.IDENTIFICATION,
            "noted by us; encrypted",
            "as long as your details",
        ),
    )


def _status() -> Mapping[str, Mapping[str, int]]:
    counts = row_counts.counts("subscription")
    return {"subscriptions": {state.value: counts.get(state.value, 0) for state in Subscription.State}}


ROOM = Room(
    name="newsletter",
    asks=lambda config: config.newsletter.fields,
    files={Signup: services.file_signups, LinkUsed: services.use_links},
    checks={Signup: services.check_signup},
    mails={Delivery.Kind.CONFIRMATION: compose_confirmations},
    started=rate_limits.forget_hours,
    timers=(Timer("hours_forgotten", 600, rate_limits.forget_past_hours, removes=True),),
    holding=erase,
    forget_address=rate_limits.forget_address,
    retention=(
        Retained(
            name="signups_unconfirmed",
            title="Sign-ups that nobody confirmed",
            visitors="A sign-up that nobody confirms",
            keep_for=_unconfirmed_kept,
            oldest=lambda: oldest(_UNCONFIRMED.all(), "created_at"),
            sweep=lambda _config: services.purge_expired(),
            why="The link's time, and a week for a confirmation that waited on its way.",
        ),
        Retained(
            name="subscriptions_left",
            title="People who left the newsletter",
            visitors="Your details, once you have left",
            keep_for=lambda _config: services.LEFT_KEPT,
            oldest=lambda: oldest(_LEFT.all(), "left_at"),
            sweep=lambda _config: services.purge_left(),
            why="To be able to show that they had agreed, and that they left. Then a keyed mark remains, against "
            "re-import.",
        ),
    ),
    collects=_collects,
    record_words={PENDING: "Contact details that waited for a confirmation", CONSENT: "Records of what was agreed to"},
    columns=frozenset(
        {
            "letters.Subscription.state",
            "letters.Request.state",
            "letters.DomainHour.domain",
            # What one agrees to, in the operators' own words.
            "letters.Sentence.digest",
            "letters.Sentence.text",
        }
    ),
    status=_status,
)
