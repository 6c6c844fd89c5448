"""Formats figures for people: thousands, shares in per cent, durations, changes. Touches nothing."""

from dataclasses import dataclass

_SPACE = "\u00a0"
"""A no-break space: a number stays with its unit."""


def count(number: int) -> str:
    """Return a number as `12,345`."""
    return f"{number:,}"


def short(number: float) -> str:
    """Return a number as `12.3k`, for an axis."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if abs(number) >= size:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return f"{number:.0f}"


def share(part: float) -> str:
    """Return 0.123 as `12 %`; below one per cent with a decimal, so that little does not look like none."""
    percent = part * 100
    return f"{percent:.1f}{_SPACE}%" if 0 < percent < 0.95 else f"{percent:.0f}{_SPACE}%"


def span(seconds: float) -> str:
    """Return 83 seconds as `1:23 min`."""
    total = round(seconds)
    if total < 60:
        return f"{total}{_SPACE}s"
    if total < 3_600:
        return f"{total // 60}:{total % 60:02}{_SPACE}min"
    return f"{total // 3_600}:{total % 3_600 // 60:02}{_SPACE}h"


@dataclass(frozen=True, slots=True)
class Change:
    """The change of a figure since the previous period."""

    text: str
    direction: str
    """`up`, `down` or `same`."""
    tone: str
    """`good`, `bad`, or nothing."""


def change(now: float, before: float, *, more_is_better: bool = True) -> Change | None:
    """Return the change in per cent of `before`; None where that is zero."""
    if not before:
        return None
    percent = round((now - before) / before * 100)
    if percent == 0:
        return Change(f"±0{_SPACE}%", "same", "")
    tone = "good" if (percent > 0) == more_is_better else "bad"
    sign = "+" if percent > 0 else "−"
    return Change(f"{sign}{abs(percent):,}{_SPACE}%", "up" if percent > 0 else "down", tone)
