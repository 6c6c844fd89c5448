"""What the newsletter files, sends, stores and shows (`core.rooms`)."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from troth.core.config.sections import Config
from troth.core.purpose import Purpose
from troth.core.rooms import BulkMail, Collected, MenuLink, Retained, Room, Timer
from troth.core.text.durations import span
from troth.kit.roles import DESK
from troth.newsletter import erase, preferences, rate_limits, services
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.mails import CAMPAIGN, CAMPAIGN_TEST, compose_campaigns, compose_tests
from troth.newsletter.entry import EarlierSignup, LinkUsed, PreferencesSet, Signup
from troth.newsletter.mails import CONFIRMATION, compose_confirmations
from troth.newsletter.models import Request, Subscription, TransactionalMail
from troth.newsletter.transactional import mails as transactional
from troth.newsletter.transactional import retention as transactional_kept
from troth.newsletter.transactional.mails import TRANSACTIONAL
from troth.vault import row_counts
from troth.vault.records import CONSENT, MAIL_DATA, PENDING
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
            "Unconfirmed details",
            Purpose.ADMINISTRATION,
            "entered by you; encrypted",
            f"until confirmed, or {waiting}",
        ),
        Collected(
            CONSENT,
            "What you agreed to, and when",
            Purpose.IDENTIFICATION,
            "recorded by us; encrypted",
            "as long as your details",
        ),
        Collected(
            "topics",
            "Topics, language, pauses",
            Purpose.ADMINISTRATION,
            "by random ID",
            "until you unsubscribe",
        ),
        Collected(
            MAIL_DATA,
            "Receipts and notices",
            Purpose.ADMINISTRATION,
            "encrypted",
            span(transactional_kept.KEPT),
        ),
    )


def _status() -> Mapping[str, Mapping[str, int]]:
    return {"subscriptions": row_counts.counts("subscription")}


ROOM = Room(
    name="newsletter",
    asks=lambda config: config.newsletter.fields,
    files={
        Signup: services.file_signups,
        EarlierSignup: services.file_earlier_signups,
        LinkUsed: services.use_links,
        PreferencesSet: preferences.apply,
    },
    checks={Signup: services.check_signup, EarlierSignup: services.check_signup},
    mails={
        CONFIRMATION: compose_confirmations,
        CAMPAIGN: compose_campaigns,
        CAMPAIGN_TEST: compose_tests,
        TRANSACTIONAL: transactional.compose,
    },
    bulk=BulkMail(sending.due, sending.advance),
    started=rate_limits.forget_hours,
    timers=(Timer("hours_forgotten", 600, rate_limits.forget_past_hours, removes=True),),
    holding=erase,
    forget_address=rate_limits.forget_address,
    retention=(
        Retained(
            name="signups_unconfirmed",
            title="Unconfirmed sign-ups",
            visitors="An unconfirmed sign-up",
            period=_unconfirmed_kept,
            oldest=lambda: oldest(_UNCONFIRMED.all(), "created_at"),
            sweep=lambda _config: services.purge_expired(),
            why="While the confirmation link is valid, and a week more for confirmations received late.",
        ),
        Retained(
            name="subscriptions_left",
            title="Unsubscribed people",
            visitors="Your details after you unsubscribe",
            period=lambda _config: services.LEFT_KEPT,
            oldest=lambda: oldest(_LEFT.all(), "left_at"),
            sweep=lambda _config: services.purge_left(),
            why="As evidence that they consented and unsubscribed. Then a keyed hash of the address remains, so that "
            "no import adds them again.",
        ),
        Retained(
            name="transactional_mails",
            title="What transactional emails contained",
            visitors="Receipts and notices",
            period=lambda _config: transactional_kept.KEPT,
            oldest=lambda: oldest(TransactionalMail.objects.all(), "created_at"),
            sweep=lambda _config: transactional_kept.sweep(),
            why="While your program may ask what became of them, or repeat a request.",
        ),
    ),
    collects=_collects,
    record_words={PENDING: "Unconfirmed contact details", CONSENT: "Consent records", MAIL_DATA: "Contents of emails"},
    columns=frozenset(
        {
            "newsletter.Subscription.state",
            "newsletter.Subscription.language",
            "newsletter.Request.state",
            "newsletter.Request.language",
            "newsletter.DomainHour.domain",
            "newsletter.Campaign.state",
            "newsletter.Campaign.paused_from",
            "newsletter.Campaign.problem",
            "newsletter.Campaign.template",
            "newsletter.Campaign.language",
            "newsletter.Campaign.to_language",
            "newsletter.Campaign.scheduled_time",
            "newsletter.Campaign.scheduled_zone",
            "newsletter.Campaign.signed_up_from",
            "newsletter.Campaign.signed_up_until",
            "newsletter.CampaignImage.name",
            "newsletter.CampaignImage.media_type",
            # In the operators' own words: campaigns, topics, consent texts.
            "newsletter.Campaign.subject",
            "newsletter.Campaign.preheader",
            "newsletter.Campaign.markdown",
            "newsletter.Campaign.link_name",
            "newsletter.CampaignImage.data",
            # Hashes of the ids in the operators' own feeds.
            "newsletter.DraftedFeed.key",
            "newsletter.DraftedFeed.items",
            "newsletter.MailTemplate.name",
            "newsletter.MailTemplate.subject",
            "newsletter.MailTemplate.markdown",
            "newsletter.MailTemplate.template",
            "newsletter.MailTemplate.language",
            # An HMAC under a token that is stored nowhere.
            "newsletter.TransactionalMail.fingerprint",
            "newsletter.Topic.name",
            "newsletter.Topic.description",
            "newsletter.Sentence.digest",
            "newsletter.Sentence.text",
            "newsletter.Sentence.language",
        }
    ),
    urls="troth.newsletter.urls",
    navigation=(
        MenuLink(
            place=25,
            url_name="campaigns",
            label="Newsletter",
            icon="newsletter",
            also=(
                "campaign",
                "campaign_from_feed",
                "campaign_feed_items",
                "campaign_save",
                "campaign_preview",
                "campaign_review",
                "campaign_check_dns",
                "campaign_schedule",
                "campaign_send",
                "campaign_resume",
                "campaign_cancel",
                "campaign_retry",
                "campaign_delete",
                "campaign_recipients",
                "topics",
                "topic",
                "topic_new",
                "mail_templates",
                "mail_template",
                "mail_template_new",
                "mail_template_delete",
            ),
            roles=DESK,
        ),
    ),
    status=_status,
)
