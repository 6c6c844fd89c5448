"""Ninety generated days: every panel has something, nothing is added twice, and they are made in seconds."""

import time
from datetime import date, timedelta

from tests.audience.asked import series, top, totals
from tests.conftest import both
from troth.audience.counting.cells import Dim
from troth.audience.models import Annotation
from troth.audience.queries.queries import Drill, Period
from troth.demo import visits

TODAY = date(2026, 11, 25)
HOST = "localhost"
ALL = Period(TODAY - timedelta(days=90), TODAY)
PANELS = (
    *(Dim.PAGE, Dim.ENTRY, Dim.EXIT, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE),
    *(Dim.BROWSER, Dim.SYSTEM, Dim.LANGUAGE, Dim.SCREEN, Dim.EVENT, Dim.DOWNLOAD),
)


@both
def test_ninety_days_fill_every_panel_and_hold_together(site):
    begun = time.process_time()
    made = visits.fill(TODAY, HOST, frozenset({"trial"}))
    assert time.process_time() - begun < 30
    whole = totals(ALL)
    assert whole.visits >= made > 5_000 and whole.visitors > 5_000 and whole.views > whole.visits
    for dim in PANELS:
        assert top(ALL, dim), dim
    days = series(Period(TODAY - timedelta(days=90), TODAY - timedelta(days=1)))
    assert len(days) == 90 and all(day.totals.views for day in days)
    assert totals(Period(TODAY, TODAY)).views == 0
    of_google = top(ALL, Dim.PAGE, Drill(Dim.SOURCE, "Google"), limit=100)
    assert sum(row.totals.views for row in of_google) == totals(ALL, Drill(Dim.SOURCE, "Google")).views


def test_a_second_time_adds_nothing(site):
    visits.fill(TODAY, HOST, days=3)
    before = totals(ALL)
    assert visits.fill(TODAY, HOST, days=3) == 0 and totals(ALL) == before


def test_they_are_marked_as_what_they_are(site):
    visits.fill(TODAY, HOST, days=3)
    marked = Annotation.objects.get()
    assert "Generated" in marked.text and marked.at == TODAY.toordinal() - 1
