"""A campaign from its draft to its last mail: who gets it, what is counted, and what stops it."""

import itertools
import uuid
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from django.db import transaction

from tests.conftest import both
from tests.newsletter.subscribers import leave, subscribe
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.purpose import Category, Reason
from troth.core.signed_links import Act
from troth.gate import bulk, mailer, outbox
from troth.gate.mailer import Permanent, Sent, Temporary, Uncertain
from troth.gate.models import Delivery, DeliveryTotal
from troth.gate.sender_dns import stored
from troth.gate.sender_dns.examine import RecordCheck
from troth.newsletter.campaigns import audience, drafts, mails, sending
from troth.newsletter.campaigns.mails import CAMPAIGN
from troth.newsletter.campaigns.pace import Pace
from troth.newsletter.campaigns.sending import CampaignRefused, moment
from troth.newsletter.models import Campaign, Subscription, Topic, TopicSubscription
from troth.vault import ledger, signing_keys
from troth.vault.keeper import keeper
from troth.vault.models import Canary, LedgerRow, Person
from troth.worker.composers import COMPOSERS

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
WORDS = {"subject": "News for {{ first_name | you }}", "markdown": "Hello {{ name | there }},\n\nwe have news."}


@pytest.fixture
def held(site):
    with clock.hold(NOW) as held:
        yield held


def draft(**values):
    made = drafts.create()
    drafts.save(made.id, made.revision, **{**WORDS, **values})
    return Campaign.objects.get(id=made.id)


def started(**values):
    campaign = draft(**values)
    sending.send(campaign.id)
    while Campaign.objects.get(id=campaign.id).state == "preparing":
        sending.advance()
    return Campaign.objects.get(id=campaign.id)


def claimed(campaign, limit=100):
    return outbox.claim(limit, COMPOSERS, campaign.id)


def deliver(campaign, outcome=None, limit=100):
    jobs = claimed(campaign, limit)
    for job in jobs:
        outbox.record(job, outcome or Sent())
    return jobs


def told(campaign):
    progress = sending.progress(campaign.id)
    assert progress.adds_up, progress
    return {name: value for name, value in progress.told().items() if value}


# -- who gets it ------------------------------------------------------------------------------------------------------


@both
def test_everybody_who_confirmed_gets_it_once_and_the_sums_add_up(held):
    for number in range(7):
        subscribe(f"reader{number}@example.com")
    subscribe("waiting@example.com", confirm=False)
    leave(subscribe("gone@example.com"))
    campaign = started()
    assert told(campaign) == {"audience": 7, "waiting": 7, "state": "sending"}
    jobs = deliver(campaign)
    assert sorted(job.mail.to.reveal() for job in jobs) == [f"reader{number}@example.com" for number in range(7)]
    assert len({job.mail.message_id for job in jobs}) == 7
    sending.advance()
    assert told(campaign) == {"audience": 7, "sent": 7, "state": "sent"}
    assert claimed(campaign) == []


@both
def test_recipients_are_those_of_the_start_however_long_writing_them_down_takes(held):
    for number in range(5):
        subscribe(f"reader{number}@example.com")
    campaign = draft()
    sending.send(campaign.id)
    campaign.refresh_from_db()
    assert not audience.write_down(campaign, step=2)
    held.move(minutes=1)
    subscribe("late@example.com")
    leave(Subscription.objects.order_by("person").last().person_id, at=clock.now())
    campaign = Campaign.objects.get(id=campaign.id)
    while not audience.write_down(campaign, step=2):
        campaign = Campaign.objects.get(id=campaign.id)
    assert Campaign.objects.get(id=campaign.id).audience == 5


@both
def test_a_worker_killed_while_it_writes_recipients_down_misses_nobody_and_doubles_nobody(held):
    for number in range(5):
        subscribe(f"reader{number}@example.com")
    campaign = draft()
    sending.send(campaign.id)
    campaign = Campaign.objects.get(id=campaign.id)
    with pytest.raises(RuntimeError), transaction.atomic():
        audience.write_down(campaign, step=3)
        raise RuntimeError  # what a kill leaves of a transaction: nothing
    campaign = Campaign.objects.get(id=campaign.id)
    assert (campaign.audience, campaign.prepared_to) == (0, None)
    assert bulk.add(CAMPAIGN, campaign.id, [Person.objects.first().id] * 2, "example.com") == 1
    Delivery.objects.filter(about=campaign.id).delete()
    while campaign.state == "preparing":
        audience.write_down(campaign, step=2)
    assert told(campaign)["audience"] == 5


@both
def test_a_topic_and_days_of_sign_up_choose_who_gets_it(held):
    early = subscribe("early@example.com")
    held.move(days=10)
    subscribe("late@example.com")
    topic = Topic.objects.create(name="Releases", number=0)
    TopicSubscription.objects.create(topic=topic, subscription=Subscription.objects.get(person=early))
    assert audience.estimate(draft()) == 2
    assert audience.estimate(draft(topic=topic)) == 1
    assert audience.estimate(draft(signed_up_from=date(2026, 3, 3))) == 1
    assert audience.estimate(draft(signed_up_until=date(2026, 3, 2))) == 1
    assert audience.estimate(draft(signed_up_from=date(2026, 3, 13))) == 0


@both
def test_who_paused_or_is_restricted_gets_none(held):
    paused, frozen = subscribe("paused@example.com"), subscribe("frozen@example.com")
    subscribe("reader@example.com")
    Subscription.objects.filter(person=paused).update(paused_until=NOW + timedelta(days=30))
    Person.objects.filter(id=frozen).update(frozen_at=NOW)
    assert told(started())["audience"] == 1
    held.move(days=31)
    assert audience.estimate(draft()) == 2


# -- while it goes ----------------------------------------------------------------------------------------------------


@both
def test_who_leaves_or_is_deleted_while_it_goes_is_not_written_to_and_the_sums_stay_whole(held):
    people = [subscribe(f"reader{number}@example.com") for number in range(4)]
    campaign = started()
    leave(people[0])
    keeper().erase([people[1]])
    assert told(campaign) == {"audience": 4, "skipped": 1, "waiting": 3, "state": "sending"}
    assert len(deliver(campaign)) == 2
    sending.advance()
    assert told(campaign) == {"audience": 4, "sent": 2, "skipped": 2, "state": "sent"}
    keeper().erase([people[2]])
    assert told(campaign) == {"audience": 4, "sent": 2, "skipped": 2, "state": "sent"}
    assert not Delivery.objects.filter(person=people[2]).exists()


@both
def test_a_mail_that_is_being_sent_when_its_recipient_is_deleted_is_uncertain(held):
    person = subscribe("reader@example.com")
    campaign = started()
    (job,) = claimed(campaign)
    keeper().erase([person])
    assert outbox.record(job, Sent()) == "lost_claim"
    assert told(campaign) == {"audience": 1, "uncertain": 1, "state": "sending"}


@both
def test_each_outcome_has_its_place_and_what_failed_or_is_uncertain_can_be_sent_again(held):
    for number in range(4):
        subscribe(f"reader{number}@example.com")
    campaign = started()
    jobs = claimed(campaign)
    outcomes = (Sent(), Permanent(550, "no-such-address"), Temporary(450, "policy"), Uncertain("no-answer"))
    for job, outcome in zip(jobs, outcomes, strict=True):
        outbox.record(job, outcome)
    sending.advance()
    assert told(campaign) == {
        "audience": 4, "sent": 1, "failed": 1, "uncertain": 1, "waiting": 1, "state": "sending",
    }  # fmt: skip
    held.move(minutes=5)
    retried = deliver(campaign)  # greylisted, and the uncertain one once more
    assert len(retried) == 2 and sum(job.mail.maybe_twice for job in retried) == 1
    sending.advance()
    assert told(campaign)["state"] == "sent"
    assert sending.reasons(campaign.id) == [("failed", "no-such-address", 1)]
    assert len(sending.recipients(campaign.id, "failed", 0, 10)) == 1
    assert sending.retry(campaign.id, {"failed"}) == 1
    assert told(campaign) == {"audience": 4, "sent": 3, "waiting": 1, "state": "sending"}
    deliver(campaign)
    sending.advance()
    assert told(campaign) == {"audience": 4, "sent": 4, "state": "sent"}
    with pytest.raises(CampaignRefused):
        sending.retry(campaign.id, {"sent"})


@both
def test_pausing_stops_it_resuming_goes_on_and_cancelling_skips_the_rest(held):
    for number in range(4):
        subscribe(f"reader{number}@example.com")
    campaign = started()
    deliver(campaign, limit=1)
    assert sending.due() == campaign.id
    sending.pause(campaign.id)
    assert sending.due() is None
    sending.resume(campaign.id)
    assert sending.due() == campaign.id
    deliver(campaign, limit=1)
    sending.cancel(campaign.id)
    assert sending.due() is None
    sending.advance()
    assert told(campaign) == {"audience": 4, "sent": 2, "skipped": 2, "state": "cancelled"}
    for refused in (sending.pause, sending.resume, sending.cancel, sending.send):
        with pytest.raises(CampaignRefused):
            refused(campaign.id)


@both
def test_a_campaign_keeps_no_other_mail_waiting(held):
    for number in range(3):
        subscribe(f"reader{number}@example.com")
    campaign = started()
    Delivery.objects.filter(bulk=False).delete()
    subscribe("new@example.com", confirm=False)
    (job,) = outbox.claim(10, COMPOSERS)
    assert job.mail.to.reveal() == "new@example.com"
    assert len(claimed(campaign)) == 3


@both
def test_old_rows_go_and_the_sums_stay(held):
    subscribe("reader@example.com")
    campaign = started()
    deliver(campaign)
    sending.advance()
    before = told(campaign)
    assert bulk.remove_old(NOW + timedelta(days=1)) >= 1
    assert not Delivery.objects.filter(about=campaign.id).exists()
    assert told(campaign) == before
    assert DeliveryTotal.objects.get().mails == 1


@both
def test_a_batch_is_one_row_of_the_access_log_that_names_its_people_and_no_more(held):
    people = {subscribe(f"reader{number}@example.com") for number in range(3)}
    campaign = started()
    claimed(campaign, limit=2)
    claimed(campaign, limit=2)
    uses = [use for row in LedgerRow.objects.all() if (use := ledger.read(row)) and use.reason is Reason.SEND_CAMPAIGN]
    assert [use.count for use in uses] == [2, 1]
    assert {uuid.UUID(bytes=person) for use in uses for person in use.people} == people


# -- what stops it ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"subject": " "}, "There is no subject."),
        ({"markdown": ""}, "The email is empty."),
        ({"markdown": "Hello {{ telephone | x }}"}, "telephone"),
        ({"signed_up_from": date(2027, 1, 1)}, "Nobody would get it"),
    ],
)
def test_what_is_not_ready_is_not_sent_and_stays_a_draft(held, values, words):
    subscribe("reader@example.com")
    campaign = draft(**values)
    with pytest.raises(TrothError, match=words):
        sending.send(campaign.id)
    assert Campaign.objects.get(id=campaign.id).state == "draft"


def test_somebodys_details_in_the_text_stop_it_unless_an_owner_accepts_them(held):
    subscribe("reader@example.com", name="Reader Someone")
    campaign = draft(markdown="As reader@example.com wrote to us, all is well.")
    with pytest.raises(CampaignRefused, match="email"):
        sending.send(campaign.id)
    sending.send(campaign.id, owner_accepts=True)
    sending.advance()
    campaign.refresh_from_db()
    assert (campaign.state, campaign.problem) == ("sending", "")


def test_the_worker_looks_itself_whatever_the_office_let_pass(held):
    subscribe("reader@example.com")
    campaign = draft(markdown="As reader@example.com wrote to us, all is well.")
    Campaign.objects.filter(id=campaign.id).update(state="preparing", started_at=clock.now())
    sending.advance()
    campaign.refresh_from_db()
    assert campaign.state == "paused" and "details" in campaign.problem
    assert not Delivery.objects.filter(about=campaign.id).exists()


def test_a_merge_field_never_carries_anothers_details(held):
    subscribe("reader@example.com", name="Anna Someone")
    subscribe("other@example.com", name="Anna Someone")  # both are called so, and neither learns anything
    campaign = started()
    jobs = claimed(campaign)
    assert all("Anna Someone" in job.mail.text() for job in jobs)


def test_a_dkim_domain_of_somebody_else_stops_it(held, settings):
    subscribe("reader@example.com")
    mail = settings.TROTH_CONFIG.mail

    settings.TROTH_CONFIG = msgspec.structs.replace(
        settings.TROTH_CONFIG, mail=msgspec.structs.replace(mail, dkim_domain="other.example.org")
    )
    with pytest.raises(CampaignRefused, match="alignment"):
        sending.send(draft().id)


# -- the sender's DNS records -----------------------------------------------------------------------------------------


def published(settings, *checks):
    """What was found out about the sender's DNS records."""
    config = settings.TROTH_CONFIG
    url = msgspec.structs.replace(config.site, url="https://www.example.com/troth")
    settings.TROTH_CONFIG = msgspec.structs.replace(config, site=url)
    if checks:
        settings.TROTH_SITE.sender_dns.mkdir(exist_ok=True)
        stored.write(settings.TROTH_SITE, settings.TROTH_CONFIG, list(checks))


def missing():
    return RecordCheck("SPF", "wrong", "There is no SPF record.", "Publish this record.", "example.com", "v=spf1 ~all")


def test_a_missing_dns_record_stops_a_campaign_and_is_printed(held, settings):
    subscribe("reader@example.com")
    published(settings, missing())
    with pytest.raises(CampaignRefused, match="no SPF record") as refused:
        sending.send(draft().id)
    assert refused.value.mend == 'Publish this record.\nexample.com  TXT  "v=spf1 ~all"'


def test_one_that_is_missing_when_a_scheduled_campaign_starts_pauses_it(held, settings):
    subscribe("reader@example.com")
    campaign = draft()
    sending.send(campaign.id)
    published(settings, missing())
    sending.advance()
    campaign.refresh_from_db()
    assert campaign.state == "paused" and "no SPF record" in campaign.problem
    published(settings, RecordCheck("SPF", "ok", "There is one."))
    sending.resume(campaign.id)
    sending.advance()
    campaign.refresh_from_db()
    assert campaign.state != "paused"


def test_what_could_not_be_checked_is_told_and_stops_nothing(held, settings):
    subscribe("reader@example.com")
    published(settings)
    assert "not been checked" in sending.sender_doubts()[0].what
    published(settings, RecordCheck("SPF", "unknown", "It could not be checked: no answer."))
    assert [doubt.what for doubt in sending.sender_doubts()] == ["It could not be checked: no answer."]
    sending.send(draft().id)


# -- drafts -----------------------------------------------------------------------------------------------------------


def test_a_draft_saved_elsewhere_is_not_overwritten(held):
    made = drafts.create()
    assert drafts.save(made.id, 1, subject="One") == 2
    with pytest.raises(drafts.DraftConflict):
        drafts.save(made.id, 1, subject="Other")
    assert Campaign.objects.get(id=made.id).subject == "One"


def test_what_was_sent_cannot_be_changed_or_deleted_only_duplicated(held):
    subscribe("reader@example.com")
    campaign = started()
    with pytest.raises(CampaignRefused):
        drafts.save(campaign.id, campaign.revision, subject="Changed")
    with pytest.raises(CampaignRefused):
        drafts.delete(campaign.id)
    again = drafts.duplicate(campaign.id)
    assert (again.state, again.subject, again.audience) == ("draft", campaign.subject, 0)


# -- schedule ---------------------------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_scheduled_campaign_starts_at_its_time(held):
    subscribe("reader@example.com")
    campaign = draft()
    assert sending.schedule(campaign.id, "2026-03-02T13:00") == NOW + timedelta(hours=1)
    sending.advance()
    assert Campaign.objects.get(id=campaign.id).state == "scheduled"
    held.move(hours=1)
    sending.advance()
    assert told(campaign) == {"audience": 1, "waiting": 1, "state": "sending"}


def test_a_time_that_is_past_or_no_time_is_refused(held):
    subscribe("reader@example.com")
    for wall_time in ("2026-03-02T11:59", "tomorrow", "2026-13-01T09:00", ""):
        with pytest.raises(CampaignRefused):
            sending.schedule(draft().id, wall_time)


def test_a_time_that_a_clock_change_skips_is_refused_and_one_that_comes_twice_is_its_first():
    with pytest.raises(CampaignRefused, match="does not exist"):
        moment("2026-03-29T02:30", BERLIN)
    assert moment("2026-03-29T03:00", BERLIN) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert moment("2026-10-25T02:30", BERLIN) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_a_scheduled_campaign_waits_while_the_clock_is_doubted(held, monkeypatch):
    subscribe("reader@example.com")
    campaign = draft()
    sending.schedule(campaign.id, "2026-03-02T13:00")
    held.move(days=400)
    monkeypatch.setattr(clock, "doubted", lambda: True)
    sending.advance()
    assert Campaign.objects.get(id=campaign.id).state == "scheduled"


# -- how fast ---------------------------------------------------------------------------------------------------------


def test_emails_are_spread_over_the_hour_altogether_and_for_each_domain():
    pace, ids = Pace(), [uuid.UUID(int=number) for number in range(6)]
    limits = {"": 0, "example.com": 60}
    moments = [pace.reserve(ident, limits, NOW) for ident in ids[:3]]
    assert moments == [None, NOW + timedelta(minutes=1), NOW + timedelta(minutes=2)]
    assert pace.reserve(ids[3], {"": 0, "example.org": 0}, NOW) is None
    assert pace.reserve(ids[1], limits, NOW + timedelta(minutes=1)) is None  # its turn, and it is not counted again
    assert pace.reserve(ids[4], limits, NOW + timedelta(minutes=1)) == NOW + timedelta(minutes=3)
    assert pace.reserve(ids[5], limits, NOW + timedelta(hours=1)) is None  # nobody came meanwhile


@both
def test_what_is_over_the_limit_waits_and_is_sent_in_its_turn(held, settings, monkeypatch):
    monkeypatch.setattr(mails, "PACE", Pace())
    newsletter = msgspec.structs.replace(settings.TROTH_CONFIG.newsletter, campaign_emails_per_domain_per_hour=60)
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, newsletter=newsletter)
    for address in ("one@example.com", "two@example.com", "three@example.org"):
        subscribe(address)
    campaign = started()
    sent = []
    for _ in range(4):
        sent.append(sorted(job.mail.to.reveal() for job in deliver(campaign)))
        held.move(minutes=1)
    assert sorted(address for batch in sent for address in batch) == [
        "one@example.com",
        "three@example.org",
        "two@example.com",
    ]
    assert max(map(len, sent)) < 3
    assert set(Delivery.objects.filter(about=campaign.id).values_list("attempts", flat=True)) == {1}


def test_a_campaigns_email_that_may_arrive_twice_says_so(written, subscribers):
    draft, [person] = written(), subscribers(1)
    row = Delivery(kind="campaign", about=draft.id, person_id=person, message_id="<x@example.com>")
    for maybe in (False, True):
        row.maybe_twice = maybe
        [mail] = mails.compose_campaigns([row]).values()
        assert ("You may get this email twice" in mail.text()) is maybe
        assert ("You may get this email twice" in mail.page()) is maybe
        assert "\ue000" not in mail.text() + mail.page() and "\ue002" not in mail.text() + mail.page()


@pytest.mark.parametrize(("language", "words"), [("de", "zweimal"), ("fr", "deux fois"), ("pt-BR", "duas vezes")])
def test_it_says_so_in_the_campaigns_language(written, subscribers, language, words):
    draft, [person] = written(language=language), subscribers(1)
    row = Delivery(kind="campaign", about=draft.id, person_id=person, message_id="<x@example.com>", maybe_twice=True)
    [mail] = mails.compose_campaigns([row]).values()
    assert words in mail.text() and words in mail.page()


@both
def test_who_is_restricted_after_the_recipients_were_written_down_is_skipped(held):
    frozen = subscribe("frozen@example.com")
    subscribe("reader@example.com")
    campaign = started()
    assert told(campaign)["audience"] == 2
    Person.objects.filter(id=frozen).update(frozen_at=clock.now())
    assert [job.mail.to.reveal() for job in deliver(campaign)] == ["reader@example.com"]
    assert told(campaign) == {"audience": 2, "sent": 1, "skipped": 1, "state": "sending"}


@both
def test_the_estimate_is_what_looking_at_everybody_gives_whatever_the_segment(held):
    topic = Topic.objects.create(name="Releases", number=0)
    for number in range(24):
        person = subscribe(f"reader{number}@example.com", confirm=number % 8 != 7)
        held.move(days=1)
        row = Subscription.objects.filter(person=person)
        if number % 8 == 7:
            continue
        row.update(language=("de", "de-AT", "den", "")[number % 4])
        if number % 2:
            TopicSubscription.objects.create(topic=topic, subscription=row.get())
        if number % 3 == 0:
            row.update(paused_until=clock.now() + timedelta(days=300 if number % 2 else -1))
        if number % 5 == 0:
            Person.objects.filter(id=person).update(frozen_at=NOW)
        if number % 6 == 5:
            Canary.objects.create(person_id=person)
        if number == 22:
            leave(person)
    day = date(2026, 3, 14)
    names = ("topic", "to_language", "signed_up_from", "signed_up_until")
    choices = itertools.product((None, topic), ("", "de", "fr"), (None, day), (None, day))
    segments = [dict(zip(names, values, strict=True)) for values in choices]
    for segment in segments:
        campaign = draft(**segment)
        whole = audience._recipients(campaign, clock.now())
        assert audience.estimate(campaign) == whole.count(), segment
        assert audience.anybody(campaign) == whole.exists()
        everybody = draft(**segment | {"to_language": ""})
        unknown = audience._recipients(everybody, clock.now()).filter(language="").count()
        assert audience.of_unknown_language(campaign) == (unknown if segment["to_language"] else 0), segment
    assert {audience.estimate(draft(**segment)) for segment in segments} >= {0, 2}


@both
def test_who_is_restricted_or_left_since_is_among_a_claim_and_is_not_opened(held):
    people = [subscribe(f"reader{number}@example.com") for number in range(4)]
    campaign = started()
    Person.objects.filter(id=people[0]).update(frozen_at=NOW)
    Subscription.objects.filter(person=people[1]).update(paused_until=NOW + timedelta(days=1))
    jobs = claimed(campaign)
    assert sorted(job.mail.to.reveal() for job in jobs) == ["reader2@example.com", "reader3@example.com"]
    uses = [use for row in LedgerRow.objects.all() if (use := ledger.read(row)) and use.reason is Reason.SEND_CAMPAIGN]
    assert [{uuid.UUID(bytes=person) for person in use.people} for use in uses] == [set(people[2:])]
    assert outbox.record_all([(job, Sent()) for job in jobs]) == ["sent", "sent"]
    assert told(campaign) == {"audience": 4, "sent": 2, "skipped": 2, "state": "sending"}


@both
def test_a_result_counts_only_for_the_claim_that_sent_it(held):
    subscribe("reader@example.com")
    campaign = started()
    (job,) = claimed(campaign)
    other = replace(job, claim=uuid.uuid4())
    assert outbox.record_all([(other, Sent()), (job, Sent()), (job, Sent())]) == ["lost_claim", "sent", "sent"]
    assert outbox.record_all([(job, Sent())]) == ["lost_claim"]
    assert told(campaign) == {"audience": 1, "sent": 1, "state": "sending"}


@both
def test_what_is_uncertain_is_claimed_again_with_its_mark_and_topics_stand_in_its_link(held):
    person = subscribe("reader@example.com")
    topic = Topic.objects.create(name="Releases", number=3)
    TopicSubscription.objects.create(topic=topic, subscription=Subscription.objects.get(person=person))
    campaign = started(topic=topic)
    (first,) = deliver(campaign, Uncertain("no-answer"))
    held.move(minutes=5)
    (again,) = claimed(campaign)
    assert (first.mail.maybe_twice, again.mail.maybe_twice) == (False, True)
    link = signing_keys.verifier().verify(again.mail.preferences_url.rpartition("/")[2], Act.PREFERENCES)
    assert link.topics == 1 << 3
    assert Delivery.objects.get(about=campaign.id).attempts == 2


def test_anothers_details_in_one_email_of_many_hold_that_one_alone(held, settings):
    for number in range(5):
        subscribe(f"reader{number}@example.com", name=f"Reader Someone{'x' * number}")
    leaks = mailer.leaks(settings.TROTH_CONFIG)
    sending_mails = [job.mail for job in claimed(started())]
    assert all(finding.clear for finding in leaks.found_apart(sending_mails))
    for own, other in ((0, 1), (3, 2)):
        values = {**sending_mails[own].values, "company": sending_mails[other].values["name"]}
        sending_mails[own] = replace(sending_mails[own], values=values)
    findings = leaks.found_apart(sending_mails)
    assert [finding.clear for finding in findings] == [False, True, True, False, True]
    assert findings == [leaks.found(mail, b"", lambda _mail: b"") for mail in sending_mails]
    assert all(finding.categories == (Category.NAME,) for finding in findings if not finding.clear)
