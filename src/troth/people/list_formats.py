"""The forms of an exported list: Troth's own, which its import reads again whole, Mailchimp's and listmonk's.

A file for another program holds people of one state, because neither program's import reads a state: it subscribes
everybody in the file. So who has not confirmed is never in one, and whoever unsubscribed is in a file of its own, with
no more than it takes to keep them off a list. As read in November 2026:
- listmonk: `cmd/import.go` and `internal/subimporter/importer.go` of github.com/knadh/listmonk. It reads the columns
  `email`, `name` and `attributes` (JSON), and refuses a file without `email`;
- Mailchimp: its help, "Format guidelines for your import file" and "View or export contacts". A person imports each
  file with a status of their choice.

Touches nothing.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from troth.core.errors import TrothError
from troth.core.personal import each_detail
from troth.core.purpose import BASIC
from troth.newsletter.models import Subscription
from troth.people.csv_export import Cell
from troth.people.queries import SubscriberState
from troth.vault.records import Details


class ListFormat(StrEnum):
    """For which program a list is exported."""

    TROTH = "troth"
    MAILCHIMP = "mailchimp"
    LISTMONK = "listmonk"

    @property
    def label(self) -> str:
        """Return the name that people read."""
        return {"troth": "Troth", "mailchimp": "Mailchimp", "listmonk": "listmonk"}[self.value]


@dataclass(frozen=True, slots=True, repr=False)
class ListEntry:
    """A person as they stand in an exported list."""

    details: Details
    created_at: datetime
    subscription: Subscription | None
    topics: tuple[str, ...]
    """By name."""


@dataclass(frozen=True, slots=True)
class ListForm:
    """What a file of one format and state looks like."""

    headers: tuple[str, ...]
    row: Callable[[ListEntry], tuple[Cell, ...]]
    file_name: str
    state: SubscriberState | None
    """None for everybody."""
    advice: str = ""
    """How the other program imports the file."""

    @property
    def for_program(self) -> bool:
        """Return whether another program reads the file: it knows no pauses, and takes no apostrophes off."""
        return bool(self.advice)


def form_of(list_format: ListFormat, state: SubscriberState | None) -> ListForm:
    """Return the form of a file; without a state, everybody's in Troth's own, and confirmed subscribers' in the others.
    Raises `TrothError` where another program would subscribe people who did not confirm."""
    if list_format is ListFormat.TROTH:
        return ListForm(OWN_HEADERS, _own, f"people{f'-{state}' if state else ''}.csv", state)
    if state is SubscriberState.WAITING:
        raise TrothError(
            f"People who have not confirmed are not exported for {list_format.label}: it would send them emails to "
            "which they have not agreed.",
            mend="Export confirmed subscribers, or choose Troth's own format.",
        )
    return _FORMS[list_format, state or SubscriberState.CONFIRMED]


# -- Troth ------------------------------------------------------------------------------------------------------------

OWN_HEADERS = (
    *(category.value for category in BASIC),
    "state",
    "signed_up",
    "confirmed",
    "left",
    "topics",
    "paused_until",
    "language",
)


def _own(entry: ListEntry) -> tuple[Cell, ...]:
    details = tuple(value for _, value in each_detail(entry.details))
    place = entry.subscription
    if place is None:
        return (*details, None, entry.created_at, None, None, None, None, None)
    dates = (entry.created_at, place.confirmed_at, place.left_at)
    return (*details, str(place.state), *dates, quoted(entry.topics), place.paused_until, place.language)


def quoted(names: Iterable[str]) -> str:
    r"""Return names in one cell: each in quotation marks, with `""` and `\\` for these signs, separated by commas."""
    return ",".join('"' + name.replace("\\", "\\\\").replace('"', '""') + '"' for name in names)


# -- Mailchimp --------------------------------------------------------------------------------------------------------


def _mailchimp_subscribed(entry: ListEntry) -> tuple[Cell, ...]:
    """The whole name is the first name: where somebody's surname begins is not known."""
    joined, confirmed = _dates(entry, _MAILCHIMP_TIME)
    return (entry.details.email, entry.details.name, None, joined, confirmed, quoted(entry.topics))


def _mailchimp_unsubscribed(entry: ListEntry) -> tuple[Cell, ...]:
    return (entry.details.email, *_dates(entry, _MAILCHIMP_TIME), _left(entry, _MAILCHIMP_TIME))


_MAILCHIMP_TIME = "%Y-%m-%d %H:%M:%S"

# -- listmonk ---------------------------------------------------------------------------------------------------------


def _listmonk_enabled(entry: ListEntry) -> tuple[Cell, ...]:
    _, confirmed = _dates(entry, _LISTMONK_TIME)
    return (entry.details.email, entry.details.name, _attributes(entry.topics), "enabled", confirmed)


def _listmonk_blocklisted(entry: ListEntry) -> tuple[Cell, ...]:
    joined, _ = _dates(entry, _LISTMONK_TIME)
    return (entry.details.email, "blocklisted", joined, _left(entry, _LISTMONK_TIME))


_LISTMONK_TIME = "%Y-%m-%d %H:%M:%S +0000 UTC"
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "=+-@|%'"}
"""Signs with which a formula could begin: escaped, no apostrophe has to be put into the JSON."""


def _attributes(topics: Iterable[str]) -> str:
    return json.dumps({"topics": list(topics)}).translate(_ESCAPED)


# -- dates ------------------------------------------------------------------------------------------------------------


def _dates(entry: ListEntry, written: str) -> tuple[str, str]:
    """Return when somebody signed up and confirmed. Who was imported confirmed before they got their place here."""
    place = entry.subscription
    moments = [moment for moment in (place and place.created_at, place and place.confirmed_at) if moment]
    confirmed = place.confirmed_at if place else None
    return _at(min(moments, default=None), written), _at(confirmed, written)


def _left(entry: ListEntry, written: str) -> str:
    return _at(entry.subscription.left_at if entry.subscription else None, written)


def _at(moment: datetime | None, written: str) -> str:
    return moment.astimezone(UTC).strftime(written) if moment else ""


_FORMS = {
    (ListFormat.MAILCHIMP, SubscriberState.CONFIRMED): ListForm(
        ("Email Address", "First Name", "Last Name", "OPTIN_TIME", "CONFIRM_TIME", "TAGS"),
        _mailchimp_subscribed,
        "mailchimp-subscribed.csv",
        SubscriberState.CONFIRMED,
        "In Mailchimp, import it with the status Subscribed.",
    ),
    (ListFormat.MAILCHIMP, SubscriberState.LEFT): ListForm(
        ("Email Address", "OPTIN_TIME", "CONFIRM_TIME", "UNSUB_TIME"),
        _mailchimp_unsubscribed,
        "mailchimp-unsubscribed.csv",
        SubscriberState.LEFT,
        "In Mailchimp, import it with the status Unsubscribed and no other: any other would subscribe these people "
        "again.",
    ),
    (ListFormat.LISTMONK, SubscriberState.CONFIRMED): ListForm(
        ("email", "name", "attributes", "status", "created_at"),
        _listmonk_enabled,
        "listmonk-subscribers.csv",
        SubscriberState.CONFIRMED,
        "In listmonk, import it with the mode Subscribe and the status Confirmed. Topics become the attribute topics.",
    ),
    (ListFormat.LISTMONK, SubscriberState.LEFT): ListForm(
        ("unsubscribed_email", "status", "created_at", "updated_at"),
        _listmonk_blocklisted,
        "listmonk-blocklist.csv",
        SubscriberState.LEFT,
        "listmonk refuses this file as it is, because its import does not read the status and would subscribe these "
        "people again. To block them there, rename the column unsubscribed_email to email and import the file with the "
        "mode Blocklist.",
    ),
}
