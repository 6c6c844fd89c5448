"""Reads sums from the tables, without excluded traffic.

A question fixes some dimensions (this page, that source) and leaves one or none free (each country). It is answered
from the cells of these dimensions, two at most. Excluded traffic is subtracted by the cells that combine it with the
question; `untold` returns what cannot be. May touch: reads this room's tables.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from typing import Literal, NamedTuple

from django.db.models import Q
from django.db.models.functions import Lower

from troth.audience.counting.cells import TOGETHER, Dim
from troth.audience.models import Name, TakenOut
from troth.audience.queries.periods import DAYS, HOURS, SheetSpan, within
from troth.audience.storage import read
from troth.audience.storage.column_block import Figures
from troth.audience.storage.fold import dims_of, kind_of

_PAIRS = TOGETHER - {(Dim.STEP, Dim.STEP)}


@dataclass(frozen=True, slots=True)
class SumTotals:
    """The totals of a question. `visitors`: estimated for one day, daily uniques added up for more, None where not
    counted."""

    views: int = 0
    visits: int = 0
    bounces: int = 0
    seconds: int = 0
    visitors: int | None = None
    began: int | None = None
    """Of a page: the visits that began there, of which bounces are a share."""

    @property
    def bounce_rate(self) -> float:
        """Return the share of visits with one view, 0 to 1; of a page, of the visits that began there."""
        of = self.visits if self.began is None else self.began
        return min(1.0, self.bounces / of) if of else 0.0

    @property
    def seconds_a_visit(self) -> float:
        """Return the average seconds in focus per visit."""
        return self.seconds / self.visits if self.visits else 0.0


class SumQuery(NamedTuple):
    """A question. `fixed`: dimensions with the id of a name; `free`: the dimension whose names are the rows."""

    fixed: Mapping[Dim, int]
    free: Dim | None = None

    @property
    def of_pages(self) -> bool:
        """Return whether it involves a page: then visits are those that saw it, and bounces come from entries."""
        return Dim.PAGE in self.fixed or self.free is Dim.PAGE


class Out(NamedTuple):
    """An exclusion: a name, and its days (as in `Day.at`)."""

    dim: Dim
    name: int
    first: int
    last: int


class _Shape(NamedTuple):
    """The rows of a table to read. None: any."""

    kind: int
    column: str
    name: int | None
    by: int | None


class _Select(NamedTuple):
    """One of the SELECTs that are added up."""

    span: SheetSpan
    shape: _Shape
    sign: Literal["", "-"] = ""
    entries: bool = False
    """Whether it reads a page's entries, for bounces."""


def outs() -> list[Out]:
    """Return all exclusions; none while a proof reads its own hits."""
    if read.asks_of_proofs():
        return []
    rows = TakenOut.objects.order_by("first", "id").values_list("kind", "name", "first", "last")
    return [Out(dims_of(kind)[0], name, first, last) for kind, name, first, last in rows]


def countable(question: SumQuery) -> bool:
    """Return whether cells exist that answer a question."""
    return _shape(question) is not None


def _shape(question: SumQuery) -> _Shape | None:
    fixed, free = question
    dims = [*fixed, *([free] if free is not None and free not in fixed else [])]
    if not dims:
        return _Shape(kind_of(Dim.ALL), "0", 0, 0)
    if len(dims) == 1:
        return _Shape(kind_of(dims[0]), "0" if free is None else "name", fixed.get(dims[0]), 0)
    if len(dims) > 2:
        return None
    dim, second = dims if tuple(dims) in _PAIRS else reversed(dims)
    if (dim, second) not in _PAIRS:
        return None
    column = "name" if free is dim else "by" if free is second else "0"
    return _Shape(kind_of(dim, second), column, fixed.get(dim), fixed.get(second))


def _shapes(question: SumQuery) -> Iterator[tuple[_Shape, bool]]:
    shape = _shape(question)
    if shape is None:
        return
    yield shape, False
    if question.of_pages:
        free = Dim.ENTRY if question.free is Dim.PAGE else question.free
        entries = _shape(SumQuery(_as_entry(question.fixed), free))
        if entries is not None:
            yield entries, True


def _as_entry(fixed: Mapping[Dim, int]) -> dict[Dim, int]:
    return {Dim.ENTRY if dim is Dim.PAGE else dim: name for dim, name in fixed.items()}


def _parts(question: SumQuery, spans: Sequence[SheetSpan], excluded: Sequence[Out]) -> Iterator[_Select]:
    for shape, entries in _shapes(question):
        for span in spans:
            if not (entries and span.unit == HOURS):
                yield _Select(span, shape, "", entries)
    for out in excluded:
        yield from _less(question, spans, (out,), "-")
    for two in combinations(excluded, 2):  # what both brought went twice
        yield from _less(question, spans, two, "")


def _less(
    question: SumQuery, spans: Sequence[SheetSpan], excluded: Sequence[Out], sign: Literal["", "-"]
) -> Iterator[_Select]:
    """Return the parts that the exclusions share with the question, as far as cells exist."""
    span = within(spans, max(out.first for out in excluded), min(out.last for out in excluded))
    narrowed = _narrowed(question, excluded)
    if span is None or narrowed is None:
        return
    for shape, entries in _shapes(narrowed):
        if span.unit != HOURS or (shape.by == 0 and not entries):
            yield _Select(span, shape, sign, entries)


def _narrowed(question: SumQuery, excluded: Iterable[Out]) -> SumQuery | None:
    """Narrow the question to the visits of the exclusions; None where it has none of them."""
    fixed = dict(question.fixed)
    for out in excluded:
        if fixed.setdefault(out.dim, out.name) != out.name:
            return None
    return SumQuery(fixed, question.free)


def untold(question: SumQuery, spans: Sequence[SheetSpan], excluded: Sequence[Out]) -> list[Out]:
    """Return the exclusions that the answer still includes, because no cell combines them with the question."""
    included = []
    for out in excluded:
        narrowed, span = _narrowed(question, [out]), within(spans, out.first, out.last)
        if narrowed is None or span is None:
            continue
        shape = _shape(narrowed)
        if shape is None or (span.unit == HOURS and shape.by != 0):
            included.append(out)
    return included


# -- out of the cells -------------------------------------------------------------------------------------------------


def one_sum(question: SumQuery, spans: Sequence[SheetSpan], excluded: Sequence[Out] = ()) -> SumTotals:
    """Return the totals of a question without a free dimension."""
    sums = [0] * 6
    for part in _parts(question, spans, excluded):
        for _, figures in _told(part):
            _plus(sums, part, figures)
    return _totals(sums, question)


def sums_by_time(question: SumQuery, spans: Sequence[SheetSpan], excluded: Sequence[Out] = ()) -> dict[int, SumTotals]:
    """Return the same by `at` of hours or days; a month is under its negative."""
    by_time: dict[int, list[int]] = {}
    for part in _parts(question, spans, excluded):
        for at, figures in _told(part):
            _plus(by_time.setdefault(at, [0] * 6), part, figures)
    return {at: _totals(sums, question) for at, sums in by_time.items()}


def top_sums(
    question: SumQuery,
    spans: Sequence[SheetSpan],
    excluded: Sequence[Out] = (),
    *,
    limit: int,
    like: Sequence[str] = (),
) -> list[tuple[int, SumTotals]]:
    """Return the top names of the free dimension, by visits, then by views. `like`: only names that contain one of
    these."""
    parts = [
        read.Lines(_cells(part), part.shape.column == "by", part.shape.name, part.shape.by, part.sign == "-")
        for part in _parts(question, spans, excluded)
        if not part.entries
    ]
    rows = read.most(parts, limit, among=_like(like) if like else None)
    bounced = Dim.PAGE not in (question.free, *question.fixed)
    return [
        (name, _totals([views, visits, bounces * bounced, seconds, max(visitors, 0), 0], question))
        for name, (views, visits, bounces, seconds, visitors) in rows
    ]


def _cells(part: _Select) -> read.Cells:
    span, shape = part.span, part.shape
    first, last = date.fromordinal(span.first), date.fromordinal(span.last)
    return read.read(shape.kind, first, last, name=shape.name, by=shape.by, by_day=span.unit == DAYS)


def _told(part: _Select) -> Iterator[tuple[int, Figures]]:
    """Return times and figures of a part that is one cell."""
    span, shape = part.span, part.shape
    name, by = shape.name or 0, shape.by or 0
    if span.unit != HOURS:
        yield from read.by_at(_cells(part), name, by)
        return
    for day in range(span.first // 24, span.last // 24 + 1):
        for hour, figures in read.by_hour(shape.kind, date.fromordinal(day), name):
            yield day * 24 + hour, figures


def _plus(totals: list[int], part: _Select, figures: Figures) -> None:
    views, visits, bounces, seconds, visitors = figures
    more = (views, visits, 0 if Dim.PAGE in dims_of(part.shape.kind) else bounces, seconds, max(visitors, 0), 0)
    if part.entries:
        more = (0, 0, bounces, 0, 0, visits)
    for place, figure in enumerate(more):
        totals[place] += -figure if part.sign else figure


def _like(parts: Sequence[str]) -> set[int]:
    """Return the ids of names that contain one of these."""
    any_of = Q()
    for part in parts:
        any_of |= Q(lower__contains=part.lower())
    return set(Name.objects.annotate(lower=Lower("text")).filter(any_of).values_list("id", flat=True))


def _totals(sums: Sequence[int], question: SumQuery) -> SumTotals:
    views, visits, bounces, seconds, visitors, began = (max(0, figure) for figure in sums)
    return SumTotals(views, visits, bounces, seconds, visitors, began if question.of_pages else None)
