"""The notice: a count and nothing else, to the operators, at most once each quarter of an hour."""

from datetime import timedelta

import msgspec
import pytest

from tests.contact.conftest import message
from tests.worker.test_intake import drain
from troth.contact import notices
from troth.core import clock
from troth.core.config.sections import OfficeSection
from troth.gate import message as letter
from troth.gate import outbox
from troth.gate.models import Delivery
from troth.worker.composers import COMPOSERS

TELL = ["desk@vendor.example", "boss@vendor.example"]


@pytest.fixture
def told(site, settings):
    """A site whose operators want to be told."""
    office = OfficeSection(notify=TELL, url="https://office.vendor.example")
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    return site


def sent(jobs):
    for job in jobs:
        outbox.record(job, outbox.Sent())
    return [job.mail for job in jobs]


def test_each_operator_is_told_how_many_and_nothing_else(told):
    told.submit(message("ada@example.com", "My secret question"), message("bo@example.com", "Another"))
    drain()
    mails = sent(outbox.claim(10, COMPOSERS))
    assert sorted(mail.to.reveal() for mail in mails) == sorted(TELL)
    assert {mail.subject() for mail in mails} == {"You have 2 new messages"}
    for mail in mails:
        to = letter.recipient(mail.to)
        raw = letter.write(mail, to, letter.Sender(letter.recipient("news@vendor.example"))).decode()
        assert "https://office.vendor.example/inbox/" in raw
        for word in ("ada", "Ada", "bo@", "secret", "Another"):
            assert word not in raw
    assert Delivery.objects.filter(person=None, kind="notice").count() == 2


def test_what_comes_within_a_quarter_of_an_hour_is_in_the_next_one(told, monkeypatch):
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    told.submit(message(text="one"))
    drain()
    sent(outbox.claim(10, COMPOSERS))
    for minutes in (1, 5, 9):
        monkeypatch.setattr(clock, "now", lambda minutes=minutes: now + timedelta(minutes=minutes))
        told.submit(message(text=f"after {minutes}"))
        drain()
        assert outbox.claim(10, COMPOSERS) == []
    monkeypatch.setattr(clock, "now", lambda: now + notices.BETWEEN)
    mails = sent(outbox.claim(10, COMPOSERS))
    assert [mail.count for mail in mails] == [3, 3]
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=2))
    assert outbox.claim(10, COMPOSERS) == []
    told.submit(message(text="much later"))
    drain()
    assert [mail.count for mail in sent(outbox.claim(10, COMPOSERS))] == [1, 1]


def test_nobody_is_told_where_nobody_wants_to_be(site):
    site.submit(message())
    drain()
    assert not Delivery.objects.exists()


def test_a_notice_to_one_who_is_no_longer_told_is_dropped(told, settings):
    told.submit(message())
    drain()
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=OfficeSection(notify=TELL[:1]))
    assert [mail.to.reveal() for mail in sent(outbox.claim(10, COMPOSERS))] == TELL[:1]
