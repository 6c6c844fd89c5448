"""One page of a longer list, and what the links below it say."""

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.http import Http404, HttpRequest


@dataclass(frozen=True, slots=True)
class Page[Row]:
    """Some rows of a longer list, newest first."""

    rows: list[Row]
    number: int
    """From 1."""
    size: int
    total: int

    @property
    def first(self) -> int:
        """Which row of the whole list the first one here is, from 1; 0 if there is none."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Which row of the whole list the last one here is."""
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def pages(self) -> int:
        """How many pages there are, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def newer(self) -> int | None:
        """The page before this one."""
        return self.number - 1 if self.number > 1 else None

    @property
    def older(self) -> int | None:
        """The page after this one."""
        return self.number + 1 if self.number < self.pages else None


def number_asked(request: HttpRequest) -> int:
    """Which page the query's `page` names, from 1; the first where it names none. Raises `Http404`."""
    asked = request.GET.get("page", "1")
    if not asked.isascii() or not asked.isdigit() or not 1 <= len(asked) <= 7 or int(asked) < 1:
        raise Http404
    return int(asked)


def stretch(rows: QuerySet[Any, Any], number: int, size: int, total: int) -> list[Any]:
    """What is on page `number` (from 1) of `total` ordered rows, counted from the nearer end: the last is as near as
    the first. Ask for ids that an index holds in this order; then nothing else is read on the way to the page."""
    start = (number - 1) * size
    count = min(size, total - start)
    if start <= total // 2 or count <= 0:
        return list(rows[start : start + size])
    return list(rows.reverse()[total - start - count : total - start])[::-1]
