"""Returns the present moment in the site's time zone, in which days, hours and minutes of statistics begin."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from troth.core import clock


def now() -> datetime:
    """Return the present moment, aware, in the site's zone."""
    return clock.now().astimezone(ZoneInfo(settings.TROTH_CONFIG.audience.timezone))


def today() -> date:
    """Return today in the site's zone."""
    return now().date()


def minute_of(at: datetime) -> int:
    """Return the minute of `at` (in the site's zone), as `Minute.at` stores it."""
    return (at.date().toordinal() * 24 + at.hour) * 60 + at.minute
