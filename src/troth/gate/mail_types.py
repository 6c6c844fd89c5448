"""The emails to operators that no package with tables declares: the alarm, and the statistics report (WALL 3, C3).

An email can contain only its fields; one to an operator has no personal data. `gate.message` has what all types share.
May touch: nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from troth.gate.message import Mail, letter, one_line


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmMail(Mail):
    """To an operator: something is wrong. `what` and `mend` are our own words, from a closed list."""

    what: str
    mend: str

    def subject(self) -> str:
        return f"{one_line(self.site_name)}: {one_line(self.what)}"

    def text(self) -> str:
        return letter([self.what, self.mend], "Troth")


class ReportFigure(StrEnum):
    """What a report's figures and lists are called."""

    VISITS = "Visits"
    VIEWS = "Page views"
    VISITORS = "Visitors (daily uniques, added up)"
    BOUNCES = "Bounce rate"
    TIME = "Visit duration"
    PAGES = "Top pages"
    SOURCES = "Top sources"


@dataclass(frozen=True, slots=True)
class ReportLine:
    """One line of a report: what, how much, and how much in the period before. `what` is a `Figure`, or a name that
    several visitors brought."""

    what: str
    now: str
    beside: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportMail(Mail):
    """To an operator: the statistics of a week or a month. Sums about nobody; no field could hold a person."""

    period: str
    """`16 to 22 November 2026`."""
    figures: Sequence[ReportLine]
    tops: Sequence[tuple[str, Sequence[ReportLine]]]
    """A title, and its lines: top pages, top sources."""
    office_url: str

    FIGURES: ClassVar = frozenset({"period", "figures", "tops"})
    TEMPLATE: ClassVar = "gate/emails/report.html"

    def subject(self) -> str:
        return f"{one_line(self.site_name)}: visitor statistics, {self.period}"

    def text(self) -> str:
        parts = [f"Visitors to {one_line(self.site_name)}, {self.period}", _columns(self.figures)]
        parts += [f"{title}\n\n{_columns(lines)}" for title, lines in self.tops if lines]
        return letter([*parts, f"See all statistics:\n\n{self.office_url}"], "Troth")


_NAME_WIDTH = 48


def _columns(lines: Sequence[ReportLine]) -> str:
    """Return lines in columns for a fixed-width font; truncates long names."""
    names = [_cut(one_line(line.what)) for line in lines]
    wide, figures = max(map(len, names)), max(len(line.now) for line in lines)
    return "\n".join(
        f"  {name:<{wide}}  {line.now:>{figures}}  {line.beside}".rstrip()
        for name, line in zip(names, lines, strict=True)
    )


def _cut(name: str) -> str:
    return name if len(name) <= _NAME_WIDTH else f"{name[: _NAME_WIDTH - 1]}…"
