"""The mail that a promise is broken, and the one that none is any more: once for each turn, whoever asks how often."""

from datetime import timedelta

import msgspec
import pytest

from tests.proofs.runs import write_run
from troth.gate.models import Delivery
from troth.worker import broken_promise_mail
from troth.worker.composers import COMPOSERS


@pytest.fixture(autouse=True)
def _told(settings, site):
    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org", "olga@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)


def mails():
    rows = list(Delivery.objects.filter(kind="alarm").order_by("created_at"))
    return [COMPOSERS["alarm"]([row])[row.id] for row in rows]


def test_nobody_is_mailed_while_all_is_kept_or_nothing_could_be_tried(site):
    assert broken_promise_mail.queue() == 0
    write_run(ago=timedelta(hours=3))
    write_run(light=True, state="unproven")
    assert broken_promise_mail.queue() == 0


def test_each_is_told_once_that_it_is_broken_and_once_that_it_is_not(site):
    write_run(ago=timedelta(hours=5))
    write_run(ago=timedelta(hours=4), visits_nowhere="broken")
    assert broken_promise_mail.queue() == 2
    assert broken_promise_mail.queue() == 0
    write_run(ago=timedelta(hours=3), light=True)  # it does not try what is broken
    assert broken_promise_mail.queue() == 0
    first, other = mails()
    assert first.subject().endswith("A promise is broken")
    assert "visitors.aggregate" in first.text() and "/promises/" in first.text()
    assert {first.to.reveal(), other.to.reveal()} == {"desk@example.org", "olga@example.org"}
    write_run(ago=timedelta(hours=2), visits_nowhere="broken", cards_nowhere="broken")
    assert broken_promise_mail.queue() == 2
    assert mails()[-1].subject().endswith("2 promises are broken")
    write_run(ago=timedelta(hours=1))
    assert broken_promise_mail.queue() == 2
    assert mails()[-1].subject().endswith("All promises are kept again")
    assert broken_promise_mail.queue() == 0


def test_what_nobody_looked_for_again_is_still_broken_after_the_worker_was_away(site):
    write_run(ago=timedelta(hours=4), visits_nowhere="broken")
    write_run(ago=timedelta(hours=2), visits_nowhere="broken")
    assert broken_promise_mail.queue() == 2


def test_one_who_is_told_no_longer_gets_none(site, settings):
    write_run(visits_nowhere="broken")
    broken_promise_mail.queue()
    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=["desk@example.org"])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    rows = list(Delivery.objects.filter(kind="alarm"))
    assert [mail.to.reveal() for mail in COMPOSERS["alarm"](rows).values()] == ["desk@example.org"]
