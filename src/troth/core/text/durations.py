"""Lengths of time in words: the same for visitors and operators, on forms, pages and receipts and in the policy."""

from datetime import timedelta


def days_span(days: int) -> str:
    """Return a number of days in words, as `span` does."""
    return span(timedelta(days=days))


def months_span(months: int) -> str:
    """Return a number of months in words: `25 months`."""
    return f"{months} month{'' if months == 1 else 's'}"


def span(length: timedelta) -> str:
    """Return a length of time in words: whole years, else days, at least one."""
    days = max(1, round(length / timedelta(days=1)))
    count, unit = (days // 365, "year") if days % 365 == 0 else (days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"
