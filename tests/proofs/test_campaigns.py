"""What proofs take for a breach in a campaign, and what they do not. The breaches themselves are mutants."""

import email
import email.policy
import logging
from datetime import timedelta

import pytest

from tests.proofs.scenes import scene
from troth.core import clock
from troth.gate.loopback import mail_relay
from troth.newsletter.campaigns import mails as campaign_mails
from troth.newsletter.models import Campaign, CampaignTest, MailTemplate, Subscription, TransactionalMail
from troth.newsletter.transactional import recipients
from troth.office.models import Operator
from troth.policy.promise import State
from troth.proofs import contact_not_shared, contact_not_shared_mail, contact_purpose
from troth.proofs.instruments import canary_campaign, canary_mail, canary_visit
from troth.proofs.instruments.canary_visit import CanaryCall
from troth.vault.records import CONSENT


@pytest.fixture
def here(site, settings):
    with scene(site, settings, count=6) as prepared:
        yield prepared


@pytest.fixture
def judged(here):
    """How the proof judges a campaign's email that was changed on its way."""
    sample = canary_campaign.samples(here, here.canaries[:1])[0]
    (attempt,) = mail_relay.send([sample.mail], here.site, here.config)
    (received,) = attempt.received

    def judge(old=b"", new=b""):
        assert old in received.content
        message = email.message_from_bytes(received.content.replace(old, new), policy=email.policy.SMTP)
        return contact_not_shared_mail._campaign_fault(sample, message)

    return judge


def test_a_campaign_as_it_should_be_is_let_pass(judged):
    assert judged() == ""


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (b"</body>", b'<img src="https://count.example/p.gif"></body>', "loads content"),
        (b"</body>", b'<img src="http://127.0.0.1:18300/images/12.gif"></body>', "loads content"),
        (b"</body>", b'<img src="//count.example/p.gif"></body>', "loads content"),
        (b"</body>", b"<div style='background:url(x)'></div></body>", "loads content"),
        (b'href="https://example.org/notes"', b'href="https://example.org/notes?u=12"', "a link that is neither"),
        (b'href="https://example.org/notes"', b'href="http://127.0.0.1:18300/go/12"', "a link that is neither"),
        (b"List-Unsubscribe-Post: List-Unsubscribe=One-Click", b"X: y", "with one click"),
        (b"List-Unsubscribe: <http", b"List-Unsubscribe: <https", "with one click"),
        (b"List-Id:", b"DKIM-Signature: v=1; h=from:list-unsubscribe;\r\nList-Id:", "does not cover"),
    ],
)
def test_what_a_campaign_must_not_have_is_seen(judged, old, new, fault):
    assert fault in judged(old, new)


def test_nothing_of_it_stays_in_the_database(here):
    canary = here.canaries[0]
    canary_campaign.samples(here, [canary])
    assert list(canary_campaign.unwanted(here, canary)) and canary_campaign.gets_it(here, canary)
    assert not (Campaign.objects.exists() or CampaignTest.objects.exists() or Operator.objects.exists())
    row = Subscription.with_canaries.get(person=canary.person)
    assert (row.state, row.paused_until) == (Subscription.State.CONFIRMED, None)


def test_the_whole_run_keeps_its_promises_whatever_the_shape_of_names(here):
    assert contact_not_shared_mail.mails_hold_own_details_only(here).state is State.KEPT
    assert contact_not_shared_mail.mails_with_others_details_are_held(here).state is State.KEPT


def test_details_that_are_written_to_the_output_while_sending_break_the_proof(here, monkeypatch):
    here.shared["called"] = CanaryCall(here.caller, (), trouble="not tried")
    address = here.canaries[0].invented.email
    assert address not in canary_campaign.output(here, here.canaries)
    composed = campaign_mails.merge_values

    def told(details):
        logging.getLogger("letters").debug("to %s", details.email.reveal())
        return composed(details)

    monkeypatch.setattr(campaign_mails, "merge_values", told)
    result = contact_not_shared.no_details_logged(here)
    assert (result.state, "sending them a campaign" in result.detail) == (State.BROKEN, True)


# -- leaving ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def called(here, monkeypatch):
    """A visit as if the site ran: its canary is subscribed, and leaves when it is told to."""
    canary = here.caller
    rows = Subscription.with_canaries.filter(person=canary.person)
    rows.update(state=Subscription.State.CONFIRMED, confirmed_at=clock.now())
    state = canary_visit.subscription(canary)
    call = CanaryCall(canary, (), opened=[200, 200, 200], before_opening=state, after_opening=state)
    call.consents = canary_visit._records(canary, canary_visit.Reason.SHOW_CONSENT, CONSENT)
    here.shared["called"] = call
    monkeypatch.setattr(canary_visit, "leaves", lambda *_: bool(rows.update(state=Subscription.State.LEFT)))
    return call


def test_one_who_leaves_and_gets_nothing_keeps_the_promise(here, called):
    result = contact_purpose.unsubscribing_is_obeyed(here)
    assert result.state is State.KEPT, result.detail


def test_what_is_not_obeyed_is_seen(here, called, monkeypatch):
    monkeypatch.setattr(canary_visit, "leaves", lambda *_: False)
    assert "is still on the list" in contact_purpose.unsubscribing_is_obeyed(here).detail
    monkeypatch.setattr(canary_visit, "leaves", lambda *_: True)
    assert "visitor who had unsubscribed" in contact_purpose.unsubscribing_is_obeyed(here).detail
    called.after_opening = (Subscription.State.CONFIRMED, clock.now() + timedelta(days=90), None, 0, 2)
    assert "only opened the links" in contact_purpose.unsubscribing_is_obeyed(here).detail
    called.opened = [200, 405]
    assert contact_purpose.unsubscribing_is_obeyed(here).state is State.UNPROVEN


def test_a_campaign_to_one_who_left_paused_or_never_confirmed_is_seen(here, called, monkeypatch):
    def everybody(_campaign, people):
        return dict(Subscription.with_canaries.filter(person__in=people).values_list("person_id", "id"))

    monkeypatch.setattr(campaign_mails, "still_wanted", everybody)
    result = contact_purpose.unsubscribing_is_obeyed(here)
    assert (result.state, result.detail) == (
        State.BROKEN,
        "A campaign was written to a test person who had unsubscribed.",
    )


def test_a_program_emails_nobody_who_left_has_not_confirmed_or_is_restricted_and_nothing_of_it_stays(here, monkeypatch):
    canary = next(canary for canary in here.canaries if canary.confirmed and not canary.has_written)
    assert not any(taken for _, taken in canary_mail.unwanted(canary))
    assert len(list(canary_mail.sample(canary))) == 1
    monkeypatch.setattr(recipients, "known", set)
    assert [why for why, taken in canary_mail.unwanted(canary) if taken] == [
        "had unsubscribed", "had unsubscribed after it was ordered",
        "had not confirmed", "had not confirmed after it was ordered",
    ]  # fmt: skip
    assert not (MailTemplate.objects.exists() or TransactionalMail.with_canaries.exists())


def test_a_transactional_email_is_among_those_that_are_examined(here):
    assert "transactional" in contact_not_shared_mail.mails_hold_own_details_only(here).detail
