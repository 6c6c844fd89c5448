"""Stores the operator's notes on days of the chart. May touch: this room's tables."""

from dataclasses import dataclass
from datetime import date

from troth.audience.models import Annotation
from troth.audience.queries.periods import Period
from troth.core.errors import TrothError
from troth.core.text.card_numbers import mask

LONGEST = 120
MOST_IN_A_DAY = 5


class NotNoted(TrothError):
    """Why a note cannot be saved, in a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class DayNote:
    """A note on a day."""

    id: int
    day: date
    text: str


def add(day: date, text: str) -> None:
    """Add a note to a day, card numbers masked (B2). Raises `NotNoted`."""
    text = mask(" ".join(text.split()))
    if not text or len(text) > LONGEST or not text.isprintable():
        raise NotNoted(f"A note must have 1 to {LONGEST} characters.")
    if Annotation.objects.filter(at=day.toordinal()).count() >= MOST_IN_A_DAY:
        raise NotNoted(f"A day can have at most {MOST_IN_A_DAY} notes. Remove one first.")
    Annotation.objects.create(at=day.toordinal(), text=text)


def text_of(number: int) -> str:
    """Return a note's text; empty where it does not exist."""
    return Annotation.objects.filter(id=number).values_list("text", flat=True).first() or ""


def remove(number: int) -> bool:
    """Remove a note; return whether it existed."""
    return bool(Annotation.objects.filter(id=number).delete()[0])


def within(period: Period) -> list[DayNote]:
    """Return the notes of a period, oldest first, at most 100."""
    rows = Annotation.objects.filter(at__range=(period.first.toordinal(), period.last.toordinal()))
    return [DayNote(row.id, date.fromordinal(row.at), row.text) for row in rows.order_by("at", "id")[:100]]
