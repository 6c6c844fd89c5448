"""Epochs: the weeks by which sealing keys change (WALL 2). Epoch 0 begins on Monday 2026-01-05 at midnight UTC. An
envelope names its epoch in two bytes, enough until the year 3281. Standard library only."""

from datetime import UTC, datetime, timedelta

_FIRST = datetime(2026, 1, 5, tzinfo=UTC)
LENGTH = timedelta(weeks=1)
"""How long one epoch lasts."""
LAST = 0xFFFF
"""The last epoch that an envelope can name."""


def epoch_of(at: datetime) -> int:
    """Return the epoch in which `at` (aware) lies. `ValueError` before epoch 0 and without a time zone."""
    if at.tzinfo is None:
        raise ValueError("an epoch is told from an aware datetime")
    epoch = (at - _FIRST) // LENGTH
    if not 0 <= epoch <= LAST:
        raise ValueError(f"the clock says {at.year}, which lies outside the epochs that envelopes can name")
    return epoch


def starts_at(epoch: int) -> datetime:
    """Return the first moment of `epoch`, in UTC."""
    return _FIRST + epoch * LENGTH


def ends_at(epoch: int) -> datetime:
    """Return the moment at which `epoch` is over: the first of the next one."""
    return starts_at(epoch + 1)
