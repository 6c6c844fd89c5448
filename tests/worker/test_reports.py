"""The report by mail: once for each period, to those who want it, figures about nobody, whatever dies when."""

import email
import email.policy
from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from tests.audience.figures import day_of, fold
from tests.audience.public.test_public import zoned
from tests.conftest import both
from tests.contact.test_notices import TELL
from tests.gate.relays import Handler, relay
from tests.gate.relays import settings as mail_settings
from troth.audience.counting.page_names import OTHER
from troth.audience.models import Reported
from troth.core import clock
from troth.core.config.sections import OfficeSection
from troth.gate import outbox
from troth.gate.mailer import Post, Sent
from troth.gate.models import Delivery
from troth.worker import report_mail, timers
from troth.worker.composers import COMPOSERS

SUNDAY = date(2026, 11, 22)
MONDAY_MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
LONG = "/a-page-with-a-very-long-name/that-goes-on-and-on/until-it-is-far-too-long-for-a-column"


@pytest.fixture
def held(site, settings):
    """A Monday morning at six, two weeks counted: 100 visits a day, and 50 in the week before."""
    office = OfficeSection(notify=TELL, url="https://office.vendor.example")
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    zoned(settings, report="weekly")
    for back in range(14):
        visits = 100 if back < 7 else 50
        pages = {"/docs": visits - 10, LONG: 9, "/<b>bold</b>": 1}
        fold([(SUNDAY - timedelta(days=back), day_of(pages, source={"Bing": visits - 10, OTHER: 10}))])
    with clock.hold(MONDAY_MORNING) as held:
        yield held


def claimed():
    return [job.mail for job in outbox.claim(10, COMPOSERS)]


@both
def test_it_is_queued_once_for_each_operator_and_week(held):
    assert report_mail.queue() == 2
    assert report_mail.queue() == 0
    mails = claimed()
    assert sorted(mail.to.reveal() for mail in mails) == sorted(TELL)
    assert {mail.subject() for mail in mails} == {"Example Software: visitor statistics, 16 to 22 November 2026"}
    held.move(days=6, hours=23)
    assert report_mail.queue() == 0
    held.move(hours=1)
    assert report_mail.queue() == 2
    assert Reported.objects.count() == 2 and Delivery.objects.filter(kind="report", person=None).count() == 4


@both
def test_a_worker_that_dies_while_it_queues_has_done_nothing_and_does_it_all_again(held, monkeypatch):
    made = outbox.new
    calls = []

    def dying(*told, **more):
        calls.append(told)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return made(*told, **more)

    monkeypatch.setattr(report_mail.outbox, "new", dying)
    with pytest.raises(KeyboardInterrupt):
        report_mail.queue()
    assert not Reported.objects.exists() and not Delivery.objects.exists()
    monkeypatch.setattr(report_mail.outbox, "new", made)
    assert report_mail.queue() == 2


def test_the_timer_queues_it(held):
    queued = next(timer for timer in timers.TIMERS if timer.name == "reports_queued")
    assert queued.job(None) == 2


def test_the_week_is_over_at_six_in_the_sites_zone(held, settings):
    held.at = MONDAY_MORNING - timedelta(minutes=61)
    zoned(settings, timezone="Europe/Berlin")
    report_mail.queue()
    assert Reported.objects.get().at == (SUNDAY - timedelta(days=13)).toordinal()
    held.move(minutes=1)
    report_mail.queue()
    assert Reported.objects.latest("id").at == (SUNDAY - timedelta(days=6)).toordinal()


@pytest.mark.parametrize(
    ("now", "words"),
    [
        (datetime(2026, 12, 1, 6, tzinfo=UTC), "November 2026"),
        (datetime(2026, 12, 1, 5, 59, tzinfo=UTC), "October 2026"),
        (datetime(2027, 1, 1, 7, tzinfo=UTC), "December 2026"),
        (datetime(2028, 3, 1, 7, tzinfo=UTC), "February 2028"),
    ],
)
def test_a_month_is_told_when_it_is_over(held, settings, now, words):
    zoned(settings, report="monthly")
    fold([(date(2026, 10, 1), day_of({"/": 1}))])
    held.at = now
    report_mail.queue()
    assert {mail.period for mail in claimed()} == {words}


def test_a_house_that_was_down_for_weeks_tells_the_last_one_only(held):
    held.move(weeks=5)
    assert report_mail.queue() == 2 and Reported.objects.count() == 1


@pytest.mark.parametrize("change", [{"report": "never"}, {}])
def test_nobody_is_told_who_did_not_ask(held, settings, change):
    if change:
        zoned(settings, **change)
    else:
        settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=OfficeSection(notify=[]))
    assert report_mail.queue() == 0 and not Reported.objects.exists()


def test_before_anything_was_counted_there_is_nothing_to_tell(held):
    held.at = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
    assert report_mail.queue() == 0 and not Reported.objects.exists()


def test_who_is_no_longer_told_gets_none(held, settings):
    report_mail.queue()
    office = msgspec.structs.replace(settings.TROTH_CONFIG.office, notify=TELL[:1])
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, office=office)
    assert [mail.to.reveal() for mail in claimed()] == TELL[:1]
    assert Delivery.objects.filter(state="suppressed").count() == 1


async def _through_a_relay(mails):
    handler = Handler()
    with relay(handler) as port:
        async with Post(mail_settings(port), None, None) as post:
            assert [await post.send(mail) for mail in mails] == [Sent()] * len(mails)
    return handler.mails


def test_it_arrives_as_text_and_page_with_figures_change_and_tops(held):
    import asyncio

    report_mail.queue()
    mails = claimed()
    went = asyncio.run(_through_a_relay(mails))
    assert sorted(to for _, to, _ in went) == sorted(TELL)
    message = email.message_from_bytes(went[0][2], policy=email.policy.SMTP)
    text, page = (message.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for told in (text, page):
        for words in ("700", "+100%", "(350 before)", "1,400", "50%", "10 s", "/docs", "630", "Bing", "Others"):
            assert words in told, words
        assert "https://office.vendor.example/" in told
    assert max(map(len, text.splitlines())) < 78 and "…" in text
    assert "&lt;b&gt;bold" in page and "<b>bold" not in page


def test_it_loads_nothing_from_anywhere_and_names_nobody(held):
    report_mail.queue()
    for mail in claimed():
        for words in ("<img", "<script", "<link", "url(", "src=", "@"):
            assert words not in mail.page().replace("@media", ""), words
        assert not any(address in mail.text() for address in TELL)


def test_an_empty_week_is_told_as_such(held):
    held.move(weeks=2)
    report_mail.queue()
    text = claimed()[0].text()
    assert "Visits" in text and "pages" not in text.lower().replace("pages shown", "")
