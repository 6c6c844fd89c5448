"""Every kind of email: those that packages declare in their `room.py`, and two that the worker itself sends."""

from collections.abc import Mapping
from functools import cache

from django.conf import settings

from troth.core.rooms import EmailKind, rooms

REPORT = EmailKind(
    name="report",
    title="Statistics report",
    to="the operators to be notified",
    contains="every week or month, if you want it; totals",
    to_operators=True,
)
ALARM = EmailKind(
    name="alarm",
    title="Alert",
    to="the operators to be notified",
    contains="when a promise is broken or kept again, or the worker stops",
    to_operators=True,
)


@cache
def every_kind() -> Mapping[str, EmailKind]:
    """Return every kind of email by its name. Call it after Django is set up."""
    return {kind.name: kind for kind in (*(kind for room in rooms() for kind in room.mails), REPORT, ALARM)}


def kinds() -> Mapping[str, EmailKind]:
    """Return the kinds that this site sends: those of packages that are off are not among them."""
    unused = {kind.name for room in rooms() if not room.active(settings.TROTH_CONFIG) for kind in room.mails}
    return {name: kind for name, kind in every_kind().items() if name not in unused}


def title_of(name: str) -> str:
    """Return a kind's title; the name itself if this version of Troth has no such kind."""
    return every_kind()[name].title if name in every_kind() else name
