"""Nobody is mailed more often than the settings say, and a full hour of a domain puts mails off, not away."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from tests.conftest import both
from troth.ground.config import NewsletterSection
from troth.letters.caps import DOMAIN_CAP, PERSON_CAP, Caps, Turn
from troth.letters.models import DomainHour

NOW = datetime(2026, 3, 2, 12, 20, tzinfo=UTC)
NEXT_HOUR = datetime(2026, 3, 2, 13, tzinfo=UTC)
WHO = [uuid.UUID(int=number) for number in range(10)]
HERE, THERE = b"h" * 16, b"t" * 16
HOUR = int(NOW.timestamp()) // 3600


def form(**settings):
    return NewsletterSection(**settings)


def caps(settings=None, at=NOW):
    return Caps(at, settings or form(), WHO, [HERE, THERE])


def test_a_person_gets_so_many_and_no_more(site):
    made = caps(form(mails_per_address_per_day=3))
    turns = [made.take(WHO[0], HERE) for _ in range(5)]
    assert turns == [Turn(NOW)] * 3 + [Turn(None, PERSON_CAP)] * 2
    assert made.take(WHO[1], HERE) == Turn(NOW)


def test_a_domain_that_is_full_waits_for_the_next_hour(site):
    made = caps(form(mails_per_domain_per_hour=2))
    turns = [made.take(who, HERE).at for who in WHO[:5]]
    assert turns == [NOW, NOW, NEXT_HOUR, NEXT_HOUR, NEXT_HOUR + timedelta(hours=1)]
    assert made.take(WHO[5], THERE) == Turn(NOW)


@pytest.mark.parametrize(("hours", "room"), [(1, 1), (4, 2), (48, 24)])
def test_a_mail_whose_link_would_have_run_out_by_half_is_held_back(site, hours, room):
    made = caps(form(mails_per_domain_per_hour=1, mails_per_address_per_day=100, confirm_hours=hours))
    turns = [made.take(WHO[0], HERE) for _ in range(room + 1)]
    assert all(turn.at for turn in turns[:room]) and turns[room] == Turn(None, DOMAIN_CAP)


@both
def test_what_was_taken_is_remembered_over_batches_by_the_hour(site):
    settings = form(mails_per_domain_per_hour=2)
    for _ in range(2):
        made = caps(settings)
        made.take(WHO[0], HERE)
        made.save()
    assert [(bytes(row.domain), row.hour, row.mails) for row in DomainHour.objects.all()] == [(HERE, HOUR, 2)]
    made = caps(settings)
    assert made.take(WHO[1], HERE).at == NEXT_HOUR
    made.save()
    assert caps(settings, NEXT_HOUR).take(WHO[2], HERE).at == NEXT_HOUR
    assert DomainHour.objects.count() == 2


@both
def test_a_clock_that_falls_back_gives_no_more_than_before(site):
    settings = form(mails_per_domain_per_hour=1)
    made = caps(settings)
    made.take(WHO[0], HERE)
    made.save()
    assert caps(settings, NOW - timedelta(minutes=10)).take(WHO[1], HERE).at == NEXT_HOUR


def test_a_mail_held_back_takes_no_room_from_anybody(site):
    made = caps(form(mails_per_address_per_day=1, mails_per_domain_per_hour=2))
    for _ in range(50):
        made.take(WHO[0], HERE)
    assert made.take(WHO[1], HERE) == Turn(NOW)
