"""The present moment as the site's visitors have it: days, hours and minutes of statistics begin in the site's zone."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.conf import settings

from troth.core import clock


def now() -> datetime:
    """The present moment, aware, in the site's zone."""
    return clock.now().astimezone(ZoneInfo(settings.TROTH_CONFIG.audience.timezone))


def today() -> date:
    """The site's present day."""
    return now().date()


def minute_of(at: datetime) -> int:
    """The minute that `at` (in the site's zone) lies in, as `Minute.at` has it."""
    return (at.date().toordinal() * 24 + at.hour) * 60 + at.minute
