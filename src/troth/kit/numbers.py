"""Figures as people read them: thousands apart, shares in per cent, times in minutes, what changed. Touches nothing."""

from dataclasses import dataclass

_SPACE = "\u00a0"
"""A space that does not break: a number stays with its unit."""


def count(number: int) -> str:
    """12,345."""
    return f"{number:,}"


def short(number: float) -> str:
    """12.3k, for an axis."""
    for unit, size in (("M", 1_000_000), ("k", 1_000)):
        if abs(number) >= size:
            return f"{number / size:.1f}".removesuffix(".0") + unit
    return f"{number:.0f}"


def share(part: float) -> str:
    """0.123 as 12 %; below one per cent with a decimal, so that little is not nothing."""
    percent = part * 100
    return f"{percent:.1f}{_SPACE}%" if 0 < percent < 0.95 else f"{percent:.0f}{_SPACE}%"


def span(seconds: float) -> str:
    """83 seconds as 1:23 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{_SPACE}s"
    if whole < 3_600:
        return f"{whole // 60}:{whole % 60:02}{_SPACE}min"
    return f"{whole // 3_600}:{whole % 3_600 // 60:02}{_SPACE}h"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of a figure since the period before."""

    text: str
    way: str
    """`up`, `down` or `same`."""
    tone: str
    """`good`, `bad`, or nothing."""


def change(now: float, before: float, *, more_is_better: bool = True) -> Change | None:
    """How much more, in per cent of before. None where there was nothing before."""
    if not before:
        return None
    percent = round((now - before) / before * 100)
    if percent == 0:
        return Change(f"±0{_SPACE}%", "same", "")
    tone = "good" if (percent > 0) == more_is_better else "bad"
    sign = "+" if percent > 0 else "−"
    return Change(f"{sign}{abs(percent):,}{_SPACE}%", "up" if percent > 0 else "down", tone)
