"""Recognises which newsletter program wrote a file, by its column names, and says what its columns and states mean.

What each program writes, as read in November 2026:
- listmonk: `cmd/subscribers.go` of github.com/knadh/listmonk (its export does not name the lists);
- Mailchimp: mailchimp.com/help/view-export-contacts, and the samples in github.com/TryGhost/migrate,
  `packages/mg-mailchimp-members` (one file each for subscribed, unsubscribed and cleaned contacts);
- Ghost: github.com/TryGhost/Ghost, `core/server/services/members` (members export), and ghost.org/help/export-members;
- Buttondown: docs.buttondown.com/api-subscribers-introduction, `enums.json` of github.com/buttondown/openapi
  (`SubscriberType`), and docs.buttondown.com/subscriber-dashboard for the names of columns;
- Substack: the samples in github.com/TryGhost/migrate, `packages/mg-substack-members-csv`, and
  support.substack.com, "How do I export my email list";
- Kit, formerly ConvertKit: developers.kit.com (subscribers), and help.kit.com, "Subscriber types".

Touches nothing.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class ListState(StrEnum):
    """Where a program says that somebody stands. Only who is `SUBSCRIBED` comes in."""

    SUBSCRIBED = "subscribed"
    UNSUBSCRIBED = "unsubscribed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    PENDING = "not confirmed"
    REMOVED = "removed"
    NEVER = "never subscribed"


@dataclass(frozen=True, slots=True)
class Program:
    """A program's export. Columns are named in lower case, letters and digits only: `bare_name`."""

    name: str
    headers: tuple[frozenset[str], ...]
    """A file with all columns of one of these sets is taken for this program's."""
    consent_dates: tuple[str, ...]
    """When somebody joined: the first of these with a value counts."""
    topics: frozenset[str] = frozenset()
    """What somebody chose, or the operator's labels."""
    states: Mapping[str, Mapping[str, ListState]] = field(default_factory=dict)
    """Of columns with a word for where somebody stands: all their words."""
    gone: Mapping[str, ListState] = field(default_factory=dict)
    """What it means where a column says that somebody is gone."""
    not_kept: frozenset[str] = frozenset()
    """Columns that are known and not read: nothing in Troth needs them."""
    caution: str = ""
    """What the operator must know of its export, since the file does not say it."""


def bare_name(name: str) -> str:
    """Return a name's letters and digits, in lower case and without accents."""
    return "".join(char for char in unicodedata.normalize("NFKD", name).casefold() if char.isalnum())


def recognise(headers: Sequence[str]) -> Program | None:
    """Return the program whose export has these columns; None if it is none that is known."""
    names = frozenset(map(bare_name, headers))
    return next((program for program in PROGRAMS if any(names >= needed for needed in program.headers)), None)


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


def _words(**words_of: str) -> dict[str, ListState]:
    """Return the state of each word: `_words(subscribed="active confirmed")`."""
    return {word: ListState[name.upper()] for name, words in words_of.items() for word in words.split()}


_BUTTONDOWN = _words(
    subscribed="regular premium trialed gifted churning paused pastdue",
    unsubscribed="unsubscribed",
    bounced="undeliverable",
    complained="complained spammy",
    pending="unactivated unpaid churned upcoming",
    removed="removed blocked",
)
_KIT = _words(
    subscribed="active confirmed cold",
    unsubscribed="cancelled unsubscribed",
    bounced="bounced",
    complained="complained",
    pending="inactive unconfirmed",
    removed="blocked",
)
_OWN = _words(subscribed="confirmed", unsubscribed="left", pending="waiting")
PROGRAMS: tuple[Program, ...] = (
    Program(
        "Troth",
        (_set("email state signedup confirmed left"),),
        consent_dates=("confirmed",),
        topics=_set("topics"),
        states={"state": _OWN},
        gone={"left": ListState.UNSUBSCRIBED},
        not_kept=_set("signedup"),
    ),
    Program(
        "listmonk",
        (_set("email name attributes status"),),
        consent_dates=("createdat",),
        topics=_set("attributes lists"),
        states={"status": _words(subscribed="enabled", unsubscribed="disabled", removed="blocklisted")},
        not_kept=_set("uuid updatedat"),
        caution="In listmonk, somebody who unsubscribed from a list, or has not confirmed it, can still have the "
        "status enabled, and the file does not say so. Import only an export of one list with the subscription "
        "status confirmed. The file names neither the lists nor when somebody confirmed: the day they were added to "
        "listmonk (created_at) is taken for the date of consent; if you know a better one, do not read that column and "
        "state it. Of attributes, only topics are read.",
    ),
    Program(
        "Mailchimp",
        (_set("emailaddress optintime confirmtime"),),
        consent_dates=("confirmtime", "optintime"),
        topics=_set("tags"),
        gone={"unsubtime": ListState.UNSUBSCRIBED, "cleantime": ListState.BOUNCED},
        not_kept=_set(
            "memberrating optinip confirmip latitude longitude gmtoff dstoff timezone cc region lastchanged leid euid "
            "notes emailtype birthday"
        ),
    ),
    Program(
        "Ghost",
        (_set("email subscribedtoemails"),),
        consent_dates=("createdat",),
        topics=_set("labels"),
        gone={"subscribedtoemails": ListState.UNSUBSCRIBED, "deletedat": ListState.REMOVED},
        not_kept=_set("id note complimentaryplan stripecustomerid tiers giftid importtier"),
    ),
    Program(
        "Substack",
        (_set("email emaildisabled expiry"),),
        consent_dates=("createdat",),
        gone={"emaildisabled": ListState.UNSUBSCRIBED},
        not_kept=_set("activesubscription expiry plan firstpaymentat stripeconnectedcustomerid preferdigests"),
    ),
    Program(
        "Buttondown",
        (_set("email subscribertype"), _set("emailaddress type creationdate"), _set("email type creationdate")),
        consent_dates=("creationdate", "subscriptiondate"),
        topics=_set("tags"),
        states={"subscribertype": _BUTTONDOWN, "type": _BUTTONDOWN},
        gone={"unsubscriptiondate": ListState.UNSUBSCRIBED, "undeliverabilitydate": ListState.BOUNCED},
        not_kept=_set(
            "id secondaryid notes metadata source referrerurl utmcampaign utmmedium utmsource ipaddress avatarurl "
            "lastopendate lastclickdate lastopeneddate lastclickeddate openrate clickrate riskscore upgradedate "
            "churndate import"
        ),
    ),
    Program(
        "Kit (ConvertKit)",
        (_set("id firstname email status createdat"), _set("id firstname emailaddress state createdat")),
        consent_dates=("createdat",),
        topics=_set("tags segments"),
        states={"status": _KIT, "state": _KIT},
        not_kept=_set("id fields referrer referrerdomain"),
    ),
)

# listmonk writes times as Go prints them: 2024-05-01 12:00:00.12345 +0000 UTC. Zeros at the end of the fraction are
# left out, and Python takes such a fraction only where the offset follows at once; a zone without a name is its offset
# again.
_GO_ZONE = re.compile(r" ?([+-]\d{4}) (?:[A-Z]{1,5}|[+-]\d{2,4})$")


def without_zone_name(moment: str) -> str:
    """Return a time without what Go prints around its offset: a space, and the zone's name."""
    return _GO_ZONE.sub(r"\1", moment)
