"""The statistics' API: each question with its parameters and its answer, typed. The OpenAPI document is made from it.

What is not in `ENDPOINTS` is not answered. An endpoint reaches this room's tables and no others: `audience` imports
neither the vault nor a room that does (the import contract "counting", V1). Answers are JSON, or CSV for those who
say `format=csv`, with cells that no spreadsheet takes for a formula.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from troth.audience.counting.cells import Dim
from troth.audience.queries import answers
from troth.audience.queries.answers import Answer, Asked, LastDay, NotAnswered, Point, Row, Series, Top, Totals
from troth.audience.queries.queries import Drill
from troth.core.text.csv_cells import neutral

BASE = "/api/v1"
_HOW = "A period lies in the site's time zone, both days counted."
Format = Annotated[Literal["json", "csv"], Meta(description="JSON, or CSV (RFC 4180) of the rows or points.")]
First = Annotated[date, Meta(description=f"The first day; the last four weeks, if left out. {_HOW}")]
Last = Annotated[date, Meta(description="The last day; the site's present day, if left out.")]
About = Annotated[Dim, Meta(description="Ask about one thing of this kind; `name` says which.")]
Name = Annotated[str, Meta(min_length=1, max_length=200, description="Which one, as an answer names it.")]
Limit = Annotated[int, Meta(ge=1, le=1000, description="How many rows at most.")]
Kind = Annotated[Dim, Meta(description="Of what kind.")]


class BadParameter(NotAnswered):
    """A parameter that cannot be understood."""


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a question. One that is not here is refused."""

    format: Format = "json"


class PeriodQuery(Query, frozen=True, kw_only=True):
    """A period, and one thing that everything is about."""

    first: First | UnsetType = UNSET
    last: Last | UnsetType = UNSET
    about: About | UnsetType = UNSET
    name: Name | UnsetType = UNSET

    def asked(self) -> Asked:
        """The question that this is. Raises `NotAnswered`."""
        if (self.about is UNSET) != (self.name is UNSET):
            field = "name" if self.name is UNSET else "about"
            raise NotAnswered("`about` and `name` go together.", field=field, mend="Give both, or neither.")
        drill = None if self.about is UNSET or self.name is UNSET else Drill(self.about, self.name)
        return Asked(answers.period(_given(self.first), _given(self.last)), drill)


class TopQuery(PeriodQuery, frozen=True, kw_only=True):
    """And of what kind, and how many."""

    dim: Kind
    limit: Limit = 10


class LastDayQuery(Query, frozen=True, kw_only=True):
    """How many rows."""

    limit: Limit = 10


def _given(day: date | UnsetType) -> date | None:
    return None if day is UNSET else day


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One question. `path` may have one part in braces: a parameter of the query's type."""

    path: str
    summary: str
    query: type[Query]
    answer: type[Answer]
    ask: Callable[[Any], Answer]
    table: Callable[[Any], tuple[Sequence[str], Iterable[Sequence[object]]]]
    """An answer as a table: its heading and its rows."""

    @property
    def placed(self) -> str | None:
        """The parameter that stands in the path."""
        found = re.search(r"\{(\w+)\}", self.path)
        return found[1] if found else None

    def match(self, path: str) -> dict[str, str] | None:
        """What the path says, where it is this one's."""
        found = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[a-z]{1,20})", self.path), path)
        return found.groupdict() if found else None


# -- the questions ----------------------------------------------------------------------------------------------------


def _ask_totals(query: PeriodQuery) -> Totals:
    return answers.totals(query.asked())


def _ask_series(query: PeriodQuery) -> Series:
    return answers.series(query.asked())


def _ask_top(query: TopQuery) -> Top:
    return answers.top(query.asked(), query.dim, query.limit)


def _ask_last_day(query: LastDayQuery) -> LastDay:
    return answers.last_day(query.limit)


_SUMS = ("views", "visits", "visitors", "bounce_rate", "seconds_a_visit")


def _sums(one: answers.Figures) -> tuple[object, ...]:
    return tuple(getattr(one, name) for name in _SUMS)


def _totals_table(told: Totals) -> tuple[Sequence[str], list[Sequence[object]]]:
    here = told.period.first, told.period.last
    return ("span", "first", "last", *_SUMS), [
        ("period", *here, *_sums(told.figures)),
        ("before", "", "", *_sums(told.before)),
    ]


def _points_table(points: list[Point]) -> tuple[Sequence[str], list[Sequence[object]]]:
    return ("at", "views", "visits"), [(one.at, one.views, one.visits) for one in points]


def _rows_table(rows: list[Row]) -> tuple[Sequence[str], list[Sequence[object]]]:
    return ("name", *_SUMS), [(one.name, *_sums(one)) for one in rows]


ENDPOINTS = (
    Endpoint(
        f"{BASE}/statistics/totals",
        "The sums of a period, beside those of as many days just before",
        PeriodQuery,
        Totals,
        _ask_totals,
        _totals_table,
    ),
    Endpoint(
        f"{BASE}/statistics/series",
        "Views and visits by hour, day or month",
        PeriodQuery,
        Series,
        _ask_series,
        lambda told: _points_table(told.points),
    ),
    Endpoint(
        f"{BASE}/statistics/top/{{dim}}",
        "The most of a kind: pages, sources, countries",
        TopQuery,
        Top,
        _ask_top,
        lambda told: _rows_table(told.rows),
    ),
    Endpoint(
        f"{BASE}/statistics/last-day",
        "The day that is running, by the hour, with its pages and sources",
        LastDayQuery,
        LastDay,
        _ask_last_day,
        lambda told: _points_table(told.hours),
    ),
)


# -- parameters and answers -------------------------------------------------------------------------------------------


def find(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The endpoint at a path, and what the path says."""
    for endpoint in ENDPOINTS:
        placed = endpoint.match(path)
        if placed is not None:
            return endpoint, placed
    return None


def read(endpoint: Endpoint, placed: Mapping[str, str], given: Mapping[str, Sequence[str]]) -> Query:
    """The parameters, typed. Raises `BadParameter`, which names the parameter and never its value."""
    fields = {field.name for field in msgspec.structs.fields(endpoint.query)} - {endpoint.placed}
    for name, values in given.items():
        if name not in fields:
            raise BadParameter(
                "There is a parameter that does not exist.",
                field="",
                mend=f"These exist: {', '.join(sorted(fields))}. A token stands in the header Authorization only.",
            )
        if len(values) != 1:
            raise BadParameter(f"`{name}` is given more than once.", field=name, mend="Give it once.")
    told = {**{name: values[0] for name, values in given.items()}, **placed}
    try:
        return msgspec.convert(told, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        name = _at_fault(error)
        raise BadParameter(f"`{name}` cannot be understood.", field=name, mend=_MENDS[name]) from None


_MENDS = {
    "first": "Write a day as 2026-11-25.",
    "last": "Write a day as 2026-11-25.",
    "about": f"It is one of: {', '.join(Dim)}.",
    "dim": f"It is one of: {', '.join(Dim)}.",
    "name": "It has 1 to 200 characters.",
    "limit": "It is a whole number from 1 to 1000.",
    "format": "It is json or csv.",
}


def _at_fault(error: msgspec.ValidationError) -> str:
    """Which parameter an error is about: it ends with its place, as in "at `$.first`"."""
    found = re.search(r"`\$\.(\w+)`$", str(error))
    return found[1] if found and found[1] in _MENDS else "format"


def as_csv(endpoint: Endpoint, answer: Answer) -> bytes:
    """An answer as CSV (RFC 4180) in UTF-8: a heading, then its rows."""
    heading, rows = endpoint.table(answer)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows(["" if cell is None else neutral(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
