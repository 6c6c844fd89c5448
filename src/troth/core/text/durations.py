"""Lengths of time in words."""

from datetime import timedelta


def span(length: timedelta) -> str:
    """Return a length of time in words: whole years, else days, at least one."""
    days = max(1, round(length / timedelta(days=1)))
    count, unit = (days // 365, "year") if days % 365 == 0 else (days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"
