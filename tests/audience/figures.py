"""Days of sums for tests, as fronts would have sent them: about nobody, and small enough to add up by hand."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from troth.audience.counting.cells import Cell, Dim
from troth.audience.counting.commit import MinuteCounts
from troth.audience.models import Day
from troth.audience.storage.fold import CellFold, kind_of

type Sums = tuple[int, int, int, int]


def counted(day: date, cells: Mapping[Cell, Sums], hour: int = 10) -> MinuteCounts:
    """One group commit of these cells: views, visits, bounces, seconds."""
    names = sorted({""} | {name for cell in cells for name in (cell.name, cell.by_name)})
    place = {name: at for at, name in enumerate(names)}
    rows = [
        (cell.dim.code, place[cell.name], -1 if cell.by is None else cell.by.code, place[cell.by_name], *sums)
        for cell, sums in cells.items()
    ]
    return MinuteCounts(day.toordinal(), hour, names, rows, [])


def day_of(pages: Mapping[str, int] = {}, **dims: Mapping[str, int]) -> dict[Cell, Sums]:
    """The cells of a day: visits by page, and by other kinds. Each visit has two views and lasts ten seconds."""
    told = {Dim.PAGE: pages, **{Dim(name): found for name, found in dims.items()}}
    cells = {Cell(dim, name): (2 * n, n, n // 2, 10 * n) for dim, found in told.items() for name, n in found.items()}
    visits = max((sum(found.values()) for found in told.values()), default=0)
    cells[Cell(Dim.ALL, "")] = (2 * visits, visits, visits // 2, 10 * visits)
    return cells


def fold(days: Iterable[tuple[date, Mapping[Cell, Sums]]]) -> None:
    """Write these days down, as the worker does."""
    CellFold().fold([counted(day, cells) for day, cells in days])


def visitors(day: date, each: int) -> None:
    """Say that every page, source and country of that day had so many different visitors."""
    kinds = [kind_of(dim) for dim in (Dim.ALL, Dim.PAGE, Dim.SOURCE, Dim.COUNTRY)]
    Day.objects.filter(at=day.toordinal(), kind__in=kinds).update(visitors=each)


def days_up_to(last: date, count: int) -> list[date]:
    """So many days, the last one last."""
    return [last - timedelta(days=count - 1 - n) for n in range(count)]
