"""The public page of the visitor statistics: what the worker chose to show, and nothing else is here to be had."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from starlette.requests import Request
from starlette.responses import Response

from troth.audience.counting.page_names import OTHER
from troth.audience.public.disclosure import ShownRow, StatisticsPage
from troth.audience.queries import country_names
from troth.front import responses
from troth.front.request_context import visit

_TABLES: tuple[tuple[str, str, str, Callable[[str], str]], ...] = (
    ("pages", "Pages", "Page", str),
    ("sources", "Sources", "Source", str),
    ("countries", "Countries", "Country", country_names.country),
    ("devices", "Devices", "Device", str.capitalize),
)
"""What the page calls it, its heading, its column's, and how a name of it is read."""
_HEIGHT, _STEP, _GAP = 96, 10, 2


@dataclass(frozen=True, slots=True)
class ChartBar:
    """One day of the chart. Lengths are in the chart's own units."""

    day: date
    visits: int
    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class TableRow:
    """One row of a table; `share` of the first one, in percent."""

    name: str
    visits: int
    share: float


@dataclass(frozen=True, slots=True)
class StatisticsTable:
    """One table, for the template."""

    title: str
    column: str
    lines: list[TableRow]


async def show(request: Request) -> Response:
    """Answer GET with the page, as of the last whole week."""
    snapshot = visit(request).snapshot
    page = snapshot.published.statistics
    if page is None:
        return responses.error(request, snapshot, 404, "This site does not publish its statistics.")
    answer = responses.of(
        snapshot,
        "statistics.html",
        page=page,
        first=_first(page),
        last=_last(page),
        bars=list(_bars(page)),
        height=_HEIGHT,
        width=max(1, len(page.days)) * _STEP - _GAP,
        bar_width=_STEP - _GAP,
        total=sum(page.days),
        tables=[table for table in _tables(page) if table.lines],
        weeks=len(page.weeks),
    )
    answer.headers["cache-control"] = "public, max-age=600"
    return answer


def _first(page: StatisticsPage) -> date | None:
    return date.fromisoformat(page.weeks[0].first) if page.weeks else None


def _last(page: StatisticsPage) -> date | None:
    return date.fromisoformat(page.weeks[-1].first) + timedelta(days=6) if page.weeks else None


def _bars(page: StatisticsPage) -> Iterator[ChartBar]:
    """A bar for each day; a day without one is a hairline, so that it is seen to exist."""
    most = max([1, *page.days])
    days = [date.fromisoformat(week.first) + timedelta(days=n) for week in page.weeks for n in range(7)]
    for place, (day, visits) in enumerate(zip(days, page.days, strict=True)):
        tall = max(1.0, round(visits / most * _HEIGHT, 1))
        yield ChartBar(day, visits, place * _STEP, round(_HEIGHT - tall, 1), tall)


def _tables(page: StatisticsPage) -> Iterator[StatisticsTable]:
    for name, title, column, read in _TABLES:
        yield StatisticsTable(title, column, _lines(page.rows(name), read))


def _lines(rows: list[ShownRow], read: Callable[[str], str]) -> list[TableRow]:
    most = max((row.visits for row in rows), default=1)
    return [TableRow(_shown(row.name, read), row.visits, round(100 * row.visits / most, 1)) for row in rows]


def _shown(name: str, read: Callable[[str], str]) -> str:
    """A name as visitors read it."""
    return "All others" if name == OTHER else read(name)
