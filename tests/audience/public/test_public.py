"""The public page: made once a week of what the tables say, and what was shown stays as it was."""

from datetime import UTC, date, datetime, timedelta

import msgspec
import pytest

from tests.audience.figures import day_of, days_up_to, fold, visitors
from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.models import Registers
from troth.audience.public import page as publicpage
from troth.audience.storage.fold import kind_of
from troth.core import clock
from troth.front import published
from troth.worker import publish

SUNDAY = date(2026, 11, 22)
MONDAY_MORNING = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)


def zoned(settings, **changes) -> None:
    """Change settings under [audience]."""
    config = settings.TROTH_CONFIG
    here = msgspec.structs.replace(config.audience, **changes)
    settings.TROTH_CONFIG = msgspec.structs.replace(config, audience=here)


@pytest.fixture
def held(site, settings):
    """A site whose statistics are public, on a Monday morning at six."""
    zoned(settings, public=True)
    with clock.hold(MONDAY_MORNING) as held:
        yield held


@pytest.fixture
def counted(held):
    """Five weeks: 33 visits a day, from two countries and, on Fridays only, from a third; one page that one saw."""
    days = days_up_to(SUNDAY, 35)
    for day in days:
        third = {"IS": 1} if day.weekday() == 4 else {}
        cells = day_of({"/": 33, "/for-one": 1}, country={"DE": 22, "FR": 10 if third else 11, **third})
        fold([(day, cells)])
        visitors(day, 9)
    return days


@both
def test_the_page_has_four_whole_weeks(counted):
    page = publicpage.made(None)
    assert [week.first for week in page.weeks] == ["2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16"]
    assert page.days == [30] * 28
    assert [(row.name, row.visits) for row in page.rows("countries")] == [("DE", 4 * 150), ("FR", 4 * 75)]
    assert [(row.name, row.visits) for row in page.rows("pages")] == [("/", 4 * 230), ("/for-one", 4 * 5)]


@both
def test_what_few_different_people_brought_is_not_there(counted):
    for day in counted:
        visitors(day, 2)
    page = publicpage.made(None)
    assert page.rows("pages") == page.rows("countries") == [] and page.days == [30] * 28


def test_nothing_is_public_unless_the_operator_says_so(counted, settings):
    zoned(settings, public=False)
    assert publicpage.made(None) is None


def test_a_week_is_shown_when_it_is_over_for_six_hours_in_the_sites_zone(counted, held, settings):
    held.move(minutes=-1)
    assert publicpage.made(None).weeks[-1].first == "2026-11-09"
    zoned(settings, timezone="Europe/Berlin")  # seven o'clock there
    assert publicpage.made(None).weeks[-1].first == "2026-11-16"


def test_it_waits_for_the_days_visitors_to_be_written_down(counted, held):
    before = publicpage.made(None)
    held.move(weeks=1)
    Registers.objects.create(kind=kind_of(Dim.ALL), at=SUNDAY.toordinal() + 7, name=0, data=b"\0")
    assert publicpage.made(before) == before
    Registers.objects.all().delete()
    assert publicpage.made(before).weeks[-1].first == "2026-11-23"


def test_without_a_whole_week_there_is_a_page_that_says_so(held):
    assert publicpage.made(None).weeks == []


@both
def test_a_week_that_was_shown_stays_as_it_was_whatever_comes_late(counted, held):
    before = publicpage.made(None)
    fold([(SUNDAY, day_of({"/": 4}, country={"DE": 2, "IS": 2}))])
    assert publicpage.made(before) == before
    held.move(weeks=1)
    after = publicpage.made(before)
    assert after.weeks[:3] == before.weeks[1:] and after.weeks[3].days == [0] * 7
    assert publicpage.made(None).weeks[2] != before.weeks[3]  # made anew it would tell what came late


def test_another_threshold_makes_all_weeks_anew(counted, settings):
    before = publicpage.made(None)
    zoned(settings, min_visitors=9)
    after = publicpage.made(before)
    assert after.step == 10 and after.rows("countries")[0].visits == 4 * 150 and after.rows("pages")[-1].name == "/"


def test_the_worker_publishes_it_once_and_not_again(counted):
    assert publish.publish() is not None
    told = published.load(publish.settings.TROTH_SITE.public).statistics
    assert told is not None and told.days == [30] * 28
    assert publish.publish() is None


def test_a_published_page_survives_the_operators_restart(counted, held):
    publish.publish()
    fold([(SUNDAY - timedelta(days=1), day_of({"/": 40}))])
    held.move(days=3)
    publish.publish()
    assert published.load(publish.settings.TROTH_SITE.public).statistics.days == [30] * 28
