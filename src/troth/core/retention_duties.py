"""Duties to keep records: which law wants a class of records kept, how long, and why."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from troth.core.purpose import Purpose


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionDuty:
    """A class of records that a law requires to be kept, even if the person is erased."""

    name: str
    """For programs and in the database, at most 16 characters."""
    title: str
    """For people, in the plural: on a deletion receipt, in an export, in the policy."""
    content: type[Any]
    """What a record holds: a subclass of `vault.records.RetainedContent`."""
    purpose: Purpose
    years: int
    """Whole years after the end of the year in which the record was made."""
    law: str
    """Which law, for people."""
    why: str
    """What the law wants it for, for people."""

    def until(self, on: date) -> date:
        """Return the last day on which a record of the day `on` is kept."""
        return date(on.year + self.years, 12, 31)

    @property
    def period(self) -> str:
        """Return how long, in words."""
        return f"{self.years} years from the end of the year ({self.law})"
