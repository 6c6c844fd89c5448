"""Nobody is mailed more often than the settings say, and a full hour of a domain puts mails off, not away."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import both
from troth.core.config.sections import NewsletterSection
from troth.newsletter.models import DomainHour
from troth.newsletter.rate_limits import ALIKE_HOURS, DOMAIN_CAP, PERSON_CAP, Caps, Mailboxes, New, Turn

NOW = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
NEXT_HOUR = datetime(2026, 3, 2, 13, tzinfo=UTC)
WHO = [uuid.UUID(int=number) for number in range(10)]
HERE, THERE = b"h" * 16, b"t" * 16
HOUR = int(NOW.timestamp()) // 3600


def form(**settings):
    return NewsletterSection(**settings)


def box(who):
    """The mark of a mailbox that is this person's alone."""
    return who.bytes


@pytest.fixture(autouse=True)
def _nobody_was_mailed(monkeypatch):
    monkeypatch.setattr("troth.newsletter.rate_limits.MAILBOXES", Mailboxes())


def caps(settings=None, at=NOW):
    return Caps(at, settings or form(), WHO, [HERE, THERE])


def test_a_person_gets_so_many_and_no_more(site):
    made = caps(form(emails_per_address_per_day=3))
    turns = [made.take(WHO[0], HERE, box(WHO[0])) for _ in range(5)]
    assert turns == [Turn(NOW)] * 3 + [Turn(None, PERSON_CAP)] * 2
    assert made.take(WHO[1], HERE, box(WHO[1])) == Turn(NOW)


def test_a_domain_that_is_full_waits_for_the_next_hour(site):
    made = caps(form(emails_per_domain_per_hour=2))
    turns = [made.take(who, HERE, box(who)).at for who in WHO[:5]]
    assert turns == [NOW, NOW, NEXT_HOUR, NEXT_HOUR, NEXT_HOUR + timedelta(hours=1)]
    assert made.take(WHO[5], THERE, box(WHO[5])) == Turn(NOW)


@pytest.mark.parametrize(("hours", "room"), [(1, 1), (4, 2), (48, 24)])
def test_a_mail_whose_link_would_have_run_out_by_half_is_held_back(site, hours, room):
    made = caps(form(emails_per_domain_per_hour=1, emails_per_address_per_day=100, confirm_hours=hours))
    turns = [made.take(WHO[0], HERE, box(WHO[0])) for _ in range(room + 1)]
    assert all(turn.at for turn in turns[:room]) and turns[room] == Turn(None, DOMAIN_CAP)


@both
def test_what_was_taken_is_remembered_over_batches_by_the_hour(site):
    settings = form(emails_per_domain_per_hour=2)
    for _ in range(2):
        made = caps(settings)
        made.take(WHO[0], HERE, box(WHO[0]))
        made.save()
    assert [(bytes(row.domain), row.hour, row.mails) for row in DomainHour.objects.all()] == [(HERE, HOUR, 2)]
    made = caps(settings)
    assert made.take(WHO[1], HERE, box(WHO[1])).at == NEXT_HOUR
    made.save()
    assert caps(settings, NEXT_HOUR).take(WHO[2], HERE, box(WHO[2])).at == NEXT_HOUR
    assert DomainHour.objects.count() == 2


@both
def test_a_clock_that_falls_back_gives_no_more_than_before(site):
    settings = form(emails_per_domain_per_hour=1)
    made = caps(settings)
    made.take(WHO[0], HERE, box(WHO[0]))
    made.save()
    assert caps(settings, NOW - timedelta(minutes=10)).take(WHO[1], HERE, box(WHO[1])).at == NEXT_HOUR


def test_a_mail_held_back_takes_no_room_from_anybody(site):
    made = caps(form(emails_per_address_per_day=1, emails_per_domain_per_hour=2))
    for _ in range(50):
        made.take(WHO[0], HERE, box(WHO[0]))
    assert made.take(WHO[1], HERE, box(WHO[1])) == Turn(NOW)


def test_a_mailbox_gets_what_one_address_gets_whatever_stands_behind_the_plus(site):
    made = caps()
    assert [made.take(who, HERE, b"one").reason for who in WHO[:4]] == ["", "", PERSON_CAP, PERSON_CAP]
    made.save()
    later = caps(at=NOW + timedelta(hours=23))
    assert later.take(WHO[5], HERE, b"one") == Turn(None, PERSON_CAP)
    assert later.take(WHO[5], HERE, b"other").at
    assert caps(at=NOW + timedelta(hours=25)).take(WHO[6], HERE, b"one").at


def test_new_addresses_that_look_alike_are_mailed_a_few_at_once_and_then_slowly(site):
    made, new = caps(form(similar_addresses_per_day=3)), New(b"looks", in_a_crowd=True)
    hours = [(made.take(who, HERE, box(who), new).at - NOW) / timedelta(hours=1) for who in WHO[:6]]
    assert hours[:3] == [0, 0, 0]
    assert ALIKE_HOURS - 1 < hours[3] < hours[4] < hours[5]
    made.save()
    assert caps().take(WHO[7], HERE, box(WHO[7]), new).at > NOW  # it waits; it is not shut out
    assert caps().take(WHO[8], HERE, box(WHO[8]), New(b"other", in_a_crowd=True)) == Turn(NOW)
    assert caps().take(WHO[9], HERE, box(WHO[9])) == Turn(NOW)  # whoever has confirmed is not new


def test_new_addresses_of_a_small_domain_are_mailed_more_slowly_than_a_providers(site):
    made = caps(form(emails_per_new_domain_per_hour=2))
    turns = [made.take(who, HERE, box(who), New(b"", in_a_crowd=False)).at for who in WHO[:3]]
    assert turns == [NOW, NOW, NEXT_HOUR]
    assert made.take(WHO[4], HERE, box(WHO[4])) == Turn(NOW)
    turns = [made.take(who, THERE, box(who), New(b"", in_a_crowd=True)).at for who in WHO[5:9]]
    assert turns == [NOW] * 4


def test_the_mailboxes_remembered_are_bounded(monkeypatch):
    monkeypatch.setattr(Mailboxes, "_MOST", 3)
    mailed = Mailboxes()
    mailed.note([b"1", b"2", b"3", b"4"], NOW)
    assert [mailed.count(mark, NOW - timedelta(days=1)) for mark in (b"1", b"2", b"3", b"4")] == [0, 1, 1, 1]
