"""Sums out of the tables, less what the operator took out: so that every figure is shown without it.

A question fixes some things (this page, that source), leaves one free (each country) or none, and is answered from the
cells of just those dims, of which there are at most two. What was taken out is subtracted by the cells that know it
together with what is asked, day by day; where no cell knows it, `untold` says so. May touch: reads this room's tables.
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
from troth.audience.queries.periods import DAYS, HOURS, Span, within
from troth.audience.storage import read
from troth.audience.storage.column_block import Figures
from troth.audience.storage.fold import dims_of, kind_of

_PAIRS = TOGETHER - {(Dim.STEP, Dim.STEP)}


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums. `visitors` is exact-within-the-error for one day; for more it is the days' visitors, summed; None where
    the different visitors are not counted."""

    views: int = 0
    visits: int = 0
    bounces: int = 0
    seconds: int = 0
    visitors: int | None = None
    began: int | None = None
    """Of a page: visits that began there. A bounce is told by where a visit began."""

    @property
    def bounce_rate(self) -> float:
        """Share of visits with one view only, 0 to 1; of a page, of the visits that began there."""
        of = self.visits if self.began is None else self.began
        return min(1.0, self.bounces / of) if of else 0.0

    @property
    def seconds_a_visit(self) -> float:
        """Time really looked, for each visit."""
        return self.seconds / self.visits if self.visits else 0.0


class Question(NamedTuple):
    """What is asked. `fixed`: dims with the number of a name; `free`: the dim of which each name is a row."""

    fixed: Mapping[Dim, int]
    free: Dim | None = None

    @property
    def of_pages(self) -> bool:
        """Whether a page is in it: then visits are those that saw it, and bounces stand with entries."""
        return Dim.PAGE in self.fixed or self.free is Dim.PAGE


class Out(NamedTuple):
    """What was taken out: a thing, and the days (as in `Day.at`)."""

    dim: Dim
    name: int
    first: int
    last: int


class _Shape(NamedTuple):
    """Which rows of a table. None: any."""

    kind: int
    column: str
    name: int | None
    by: int | None


class _Part(NamedTuple):
    """One SELECT of those that are added up."""

    span: Span
    shape: _Shape
    sign: Literal["", "-"] = ""
    entries: bool = False
    """Only what a page's entries know of it."""


def outs() -> list[Out]:
    """All that was taken out: of the figures, not of what a proof brought."""
    if read.asks_of_proofs():
        return []
    rows = TakenOut.objects.order_by("first", "id").values_list("kind", "name", "first", "last")
    return [Out(dims_of(kind)[0], name, first, last) for kind, name, first, last in rows]


def countable(question: Question) -> bool:
    """Whether there are cells that answer it."""
    return _shape(question) is not None


def _shape(question: Question) -> _Shape | None:
    fixed, free = question
    dims = [*fixed, *([free] if free is not None and free not in fixed else [])]
    if not dims:
        return _Shape(kind_of(Dim.ALL), "0", 0, 0)
    if len(dims) == 1:
        return _Shape(kind_of(dims[0]), "0" if free is None else "name", fixed.get(dims[0]), 0)
    if len(dims) > 2:
        return None
    one, other = dims if tuple(dims) in _PAIRS else reversed(dims)
    if (one, other) not in _PAIRS:
        return None
    column = "name" if free is one else "by" if free is other else "0"
    return _Shape(kind_of(one, other), column, fixed.get(one), fixed.get(other))


def _shapes(question: Question) -> Iterator[tuple[_Shape, bool]]:
    shape = _shape(question)
    if shape is None:
        return
    yield shape, False
    if question.of_pages:
        free = Dim.ENTRY if question.free is Dim.PAGE else question.free
        entries = _shape(Question(_as_entry(question.fixed), free))
        if entries is not None:
            yield entries, True


def _as_entry(fixed: Mapping[Dim, int]) -> dict[Dim, int]:
    return {Dim.ENTRY if dim is Dim.PAGE else dim: name for dim, name in fixed.items()}


def _parts(question: Question, spans: Sequence[Span], taken: Sequence[Out]) -> Iterator[_Part]:
    for shape, entries in _shapes(question):
        for span in spans:
            if not (entries and span.unit == HOURS):
                yield _Part(span, shape, "", entries)
    for one in taken:
        yield from _less(question, spans, (one,), "-")
    for two in combinations(taken, 2):  # what both brought went twice
        yield from _less(question, spans, two, "")


def _less(question: Question, spans: Sequence[Span], taken: Sequence[Out], sign: Literal["", "-"]) -> Iterator[_Part]:
    """What all of `taken` brought together to what is asked, as far as cells know it."""
    span = within(spans, max(one.first for one in taken), min(one.last for one in taken))
    narrowed = _narrowed(question, taken)
    if span is None or narrowed is None:
        return
    for shape, entries in _shapes(narrowed):
        if span.unit != HOURS or (shape.by == 0 and not entries):
            yield _Part(span, shape, sign, entries)


def _narrowed(question: Question, taken: Iterable[Out]) -> Question | None:
    """The question, of those visits only that `taken` brought; None where there are none of them in it."""
    fixed = dict(question.fixed)
    for one in taken:
        if fixed.setdefault(one.dim, one.name) != one.name:
            return None
    return Question(fixed, question.free)


def untold(question: Question, spans: Sequence[Span], taken: Sequence[Out]) -> list[Out]:
    """What was taken out elsewhere but not here: no cell knows it together with what is asked."""
    found = []
    for one in taken:
        narrowed, span = _narrowed(question, [one]), within(spans, one.first, one.last)
        if narrowed is None or span is None:
            continue
        shape = _shape(narrowed)
        if shape is None or (span.unit == HOURS and shape.by != 0):
            found.append(one)
    return found


# -- out of the cells -------------------------------------------------------------------------------------------------


def one_sum(question: Question, spans: Sequence[Span], taken: Sequence[Out] = ()) -> Totals:
    """The sums of a question that leaves nothing free."""
    found = [0] * 6
    for part in _parts(question, spans, taken):
        for _, figures in _told(part):
            _plus(found, part, figures)
    return _totals(found, question)


def sums_by_time(question: Question, spans: Sequence[Span], taken: Sequence[Out] = ()) -> dict[int, Totals]:
    """The same by `at` of hours or days; a month's stands under its negative."""
    found: dict[int, list[int]] = {}
    for part in _parts(question, spans, taken):
        for at, figures in _told(part):
            _plus(found.setdefault(at, [0] * 6), part, figures)
    return {at: _totals(sums, question) for at, sums in found.items()}


def top_sums(
    question: Question, spans: Sequence[Span], taken: Sequence[Out] = (), *, limit: int, like: Sequence[str] = ()
) -> list[tuple[int, Totals]]:
    """The most of what is free, by visits, then by views. `like`: only names with one of these in them, any case."""
    parts = [
        read.Lines(_cells(part), part.shape.column == "by", part.shape.name, part.shape.by, part.sign == "-")
        for part in _parts(question, spans, taken)
        if not part.entries
    ]
    found = read.most(parts, limit, among=_like(like) if like else None)
    bounced = Dim.PAGE not in (question.free, *question.fixed)
    return [
        (name, _totals([views, visits, bounces * bounced, seconds, max(visitors, 0), 0], question))
        for name, (views, visits, bounces, seconds, visitors) in found
    ]


def _cells(part: _Part) -> read.Cells:
    span, shape = part.span, part.shape
    first, last = date.fromordinal(span.first), date.fromordinal(span.last)
    return read.read(shape.kind, first, last, name=shape.name, by=shape.by, by_day=span.unit == DAYS)


def _told(part: _Part) -> Iterator[tuple[int, Figures]]:
    """When, and what: of a part that is one cell."""
    span, shape = part.span, part.shape
    name, by = shape.name or 0, shape.by or 0
    if span.unit != HOURS:
        yield from read.by_at(_cells(part), name, by)
        return
    for day in range(span.first // 24, span.last // 24 + 1):
        for hour, figures in read.by_hour(shape.kind, date.fromordinal(day), name):
            yield day * 24 + hour, figures


def _plus(held: list[int], part: _Part, figures: Figures) -> None:
    views, visits, bounces, seconds, visitors = figures
    more = (views, visits, 0 if Dim.PAGE in dims_of(part.shape.kind) else bounces, seconds, max(visitors, 0), 0)
    if part.entries:
        more = (0, 0, bounces, 0, 0, visits)
    for place, figure in enumerate(more):
        held[place] += -figure if part.sign else figure


def _like(parts: Sequence[str]) -> set[int]:
    """The names that have one of these in them."""
    any_of = Q()
    for one in parts:
        any_of |= Q(lower__contains=one.lower())
    return set(Name.objects.annotate(lower=Lower("text")).filter(any_of).values_list("id", flat=True))


def _totals(sums: Sequence[int], question: Question) -> Totals:
    views, visits, bounces, seconds, visitors, began = (max(0, one) for one in sums)
    return Totals(views, visits, bounces, seconds, visitors, began if question.of_pages else None)
