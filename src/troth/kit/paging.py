"""Splits a long list into pages, with the links between them."""

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
        """Return the position of the first row here in the whole list, from 1; 0 without rows."""
        return (self.number - 1) * self.size + 1 if self.rows else 0

    @property
    def last(self) -> int:
        """Return the position of the last row here in the whole list."""
        return (self.number - 1) * self.size + len(self.rows)

    @property
    def pages(self) -> int:
        """Return the number of pages, at least 1."""
        return max(1, -(-self.total // self.size))

    @property
    def newer(self) -> int | None:
        """Return the previous page's number, or None."""
        return self.number - 1 if self.number > 1 else None

    @property
    def older(self) -> int | None:
        """Return the next page's number, or None."""
        return self.number + 1 if self.number < self.pages else None


def number_asked(request: HttpRequest) -> int:
    """Read the page number from the query's `page`; 1 by default. Raises `Http404`."""
    text = request.GET.get("page", "1")
    if not text.isascii() or not text.isdigit() or not 1 <= len(text) <= 7 or int(text) < 1:
        raise Http404
    return int(text)


def stretch(rows: QuerySet[Any, Any], number: int, size: int, total: int) -> list[Any]:
    """Return the rows of page `number` (from 1) of `total` ordered rows, counted from the nearer end, so that the last
    page is as quick as the first. Ask for ids in the order of an index."""
    start = (number - 1) * size
    count = min(size, total - start)
    if start <= total // 2 or count <= 0:
        return list(rows[start : start + size])
    return list(rows.reverse()[total - start - count : total - start])[::-1]
