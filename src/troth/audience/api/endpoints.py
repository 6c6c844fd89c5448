"""Lists the endpoints of the statistics API with typed parameters and answers, from which OpenAPI is generated. They
read this package's tables only (the import contract "counting", V1). Answers are JSON, or CSV with `format=csv`, whose
cells no spreadsheet takes for a formula."""

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
from troth.audience.queries.answers import LastDay, NotAnswered, Point, Published, Row, Series, Top, Totals
from troth.audience.queries.queries import Drill, Query
from troth.core.text.csv_cells import neutral

BASE = "/api/v1"
_HOW = "Days are those of the site's time zone; both ends are included."
Format = Annotated[Literal["json", "csv"], Meta(description="`json`, or `csv` (RFC 4180) of the rows or points.")]
First = Annotated[date, Meta(description=f"First day. Default: 28 days up to `last`. {_HOW}")]
Last = Annotated[date, Meta(description="Last day. Default: today in the site's time zone.")]
About = Annotated[Dim, Meta(description="Filter by this dimension; `name` is the value.")]
Name = Annotated[str, Meta(min_length=1, max_length=200, description="The value of the filter, as answers write it.")]
Limit = Annotated[int, Meta(ge=1, le=1000, description="Maximum number of rows.")]
Kind = Annotated[Dim, Meta(description="The dimension to list.")]


class BadParameter(NotAnswered):
    """A parameter that is not valid."""


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The parameters of an endpoint. Any other is rejected."""

    format: Format = "json"


class PeriodParameters(Parameters, frozen=True, kw_only=True):
    """A period and a filter."""

    first: First | UnsetType = UNSET
    last: Last | UnsetType = UNSET
    about: About | UnsetType = UNSET
    name: Name | UnsetType = UNSET

    def query(self, limit: int = 10) -> Query:
        """Return the query. Raises `NotAnswered`."""
        if (self.about is UNSET) != (self.name is UNSET):
            field = "name" if self.name is UNSET else "about"
            raise NotAnswered("`about` and `name` belong together.", field=field, mend="Give both or neither.")
        filters = () if self.about is UNSET or self.name is UNSET else (Drill(self.about, self.name),)
        return Query(answers.period(_or_none(self.first), _or_none(self.last)), filters, limit=limit)


class TopParameters(PeriodParameters, frozen=True, kw_only=True):
    """A period, a filter, a dimension and a number of rows."""

    dim: Kind
    limit: Limit = 10


class LastDayParameters(Parameters, frozen=True, kw_only=True):
    """A number of rows."""

    limit: Limit = 10


def _or_none(day: date | UnsetType) -> date | None:
    return None if day is UNSET else day


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint. `path` may have one part in braces: a field of `parameters`."""

    path: str
    summary: str
    parameters: type[Parameters]
    answer: type[Published]
    ask: Callable[[Any], Published]
    table: Callable[[Any], tuple[Sequence[str], Iterable[Sequence[object]]]]
    """Returns an answer as a table: heading and rows."""

    @property
    def path_parameter(self) -> str | None:
        """Return the name of the parameter in the path."""
        match = re.search(r"\{(\w+)\}", self.path)
        return match[1] if match else None

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's parameter, or None where the path is another's."""
        matched = re.fullmatch(re.sub(r"\{(\w+)\}", r"(?P<\1>[a-z]{1,20})", self.path), path)
        return matched.groupdict() if matched else None


# -- the endpoints ----------------------------------------------------------------------------------------------------


_SUMS = ("views", "visits", "visitors", "bounce_rate", "seconds_a_visit")


def _sums(figures: answers.Figures) -> tuple[object, ...]:
    return tuple(getattr(figures, name) for name in _SUMS)


def _totals_table(totals: Totals) -> tuple[Sequence[str], list[Sequence[object]]]:
    days = totals.period.first, totals.period.last
    return ("span", "first", "last", *_SUMS), [
        ("period", *days, *_sums(totals.figures)),
        ("before", "", "", *_sums(totals.before)),
    ]


def _points_table(points: list[Point]) -> tuple[Sequence[str], list[Sequence[object]]]:
    return ("at", "views", "visits"), [(point.at, point.views, point.visits) for point in points]


def _rows_table(rows: list[Row]) -> tuple[Sequence[str], list[Sequence[object]]]:
    return ("name", *_SUMS), [(row.name, *_sums(row)) for row in rows]


ENDPOINTS = (
    Endpoint(
        f"{BASE}/statistics/totals",
        "Totals of a period and of the previous period",
        PeriodParameters,
        Totals,
        lambda parameters: answers.totals(parameters.query()),
        _totals_table,
    ),
    Endpoint(
        f"{BASE}/statistics/series",
        "Page views and visits by hour, day or month",
        PeriodParameters,
        Series,
        lambda parameters: answers.series(parameters.query()),
        lambda answer: _points_table(answer.points),
    ),
    Endpoint(
        f"{BASE}/statistics/top/{{dim}}",
        "Top pages, sources, countries and other dimensions",
        TopParameters,
        Top,
        lambda parameters: answers.top(parameters.query(parameters.limit), parameters.dim),
        lambda answer: _rows_table(answer.rows),
    ),
    Endpoint(
        f"{BASE}/statistics/last-day",
        "Today by the hour, with top pages and sources",
        LastDayParameters,
        LastDay,
        lambda parameters: answers.last_day(parameters.limit),
        lambda answer: _points_table(answer.hours),
    ),
)


# -- parameters and answers -------------------------------------------------------------------------------------------


def find(path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """Return the endpoint at a path, with the path's parameter."""
    for endpoint in ENDPOINTS:
        in_path = endpoint.match(path)
        if in_path is not None:
            return endpoint, in_path
    return None


def read(endpoint: Endpoint, in_path: Mapping[str, str], in_query: Mapping[str, Sequence[str]]) -> Parameters:
    """Return the parameters, typed. Raises `BadParameter`, which names the parameter and never its value."""
    fields = {field.name for field in msgspec.structs.fields(endpoint.parameters)} - {endpoint.path_parameter}
    for name, values in in_query.items():
        if name not in fields:
            raise BadParameter(
                "Unknown parameter.",
                field="",
                mend=f"Parameters: {', '.join(sorted(fields))}. Send the token in the Authorization header only.",
            )
        if len(values) != 1:
            raise BadParameter(f"`{name}` is given more than once.", field=name, mend="Give it once.")
    parameters = {**{name: values[0] for name, values in in_query.items()}, **in_path}
    try:
        return msgspec.convert(parameters, endpoint.parameters, strict=False)
    except msgspec.ValidationError as error:
        name = _at_fault(error)
        raise BadParameter(f"`{name}` is not valid.", field=name, mend=_FIXES[name]) from None


_FIXES = {
    "first": "Write a day as YYYY-MM-DD, such as 2026-11-25.",
    "last": "Write a day as YYYY-MM-DD, such as 2026-11-25.",
    "about": f"Use one of: {', '.join(Dim)}.",
    "dim": f"Use one of: {', '.join(Dim)}.",
    "name": "Use 1 to 200 characters.",
    "limit": "Use a whole number from 1 to 1000.",
    "format": "Use json or csv.",
}


def _at_fault(error: msgspec.ValidationError) -> str:
    """Return the parameter an error is about: its text ends with the place, as in "at `$.first`"."""
    match = re.search(r"`\$\.(\w+)`$", str(error))
    return match[1] if match and match[1] in _FIXES else "format"


def as_csv(endpoint: Endpoint, answer: Published) -> bytes:
    """Return an answer as CSV (RFC 4180) in UTF-8: heading, then rows."""
    heading, rows = endpoint.table(answer)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(heading)
    writer.writerows(["" if cell is None else neutral(str(cell)) for cell in row] for row in rows)
    return text.getvalue().encode("utf-8", "replace")
