"""The data map: what is stored about people, why, how long, and who receives it. The policy's tables come from it. An
entry's field, a kind of record or a column not declared here fails the build and the proof of `contact.basic`."""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import msgspec
from django.apps import apps
from django.db.models import (
    AutoField,
    BooleanField,
    CompositePrimaryKey,
    DateTimeField,
    Field,
    IntegerField,
    UUIDField,
)
from django.db.models.fields.related import ForeignKey, ManyToManyField

from troth.audience.counting.cells import Dim
from troth.core.config.sections import Config
from troth.core.contact_details import WORDS
from troth.core.entry import Entry
from troth.core.purpose import Category, Purpose
from troth.core.rooms import Collected, rooms
from troth.core.schema.migrations import LABELS
from troth.core.text.durations import months_span, span
from troth.gate.doors import CARD_COMPANY, Door, declared
from troth.policy import retention
from troth.vault import legal_holds
from troth.vault.records import KINDS

_OR_IMPORTED = "entered by you, or imported from a list; encrypted"
_BY_LAW = "required by law; encrypted under a key of its own"
_NOT_PERSONAL = frozenset(
    {"wording", "act", "link", "wish", "packed", "topics", "policy", "seen", "chosen", "pause", "leave"}
    | {"notice", "signature", "checkout"}
)
"""Fields of entries that are not personal: the consent text's hash, a link, a request, totals of visits, topics, a
pause, the number of the policy's version. Of the card company's notice an event's id is kept, of a checkout its id."""


def asked_for(config: Config) -> list[Category]:
    """Return every contact detail that a form of this site asks for."""
    return list(dict.fromkeys(category for room in rooms() for category in room.asks(config)))


def kept(config: Config) -> list[Collected]:
    """Return what is stored, in the order of the policy's table."""
    details = ", ".join(WORDS[category] for category in asked_for(config))
    duties = legal_holds.named_in_policy()
    deliveries, admin = "by random ID", Purpose.ADMINISTRATION
    return [
        Collected("details", details.capitalize(), admin, _OR_IMPORTED, "as stated under how long we keep it"),
        *(row for room in rooms() for row in room.collects(config)),
        *(Collected(duty.name, duty.title, duty.purpose, _BY_LAW, duty.period) for duty in duties),
        Collected("mails", "Which emails we sent", admin, deliveries, span(retention.DELIVERIES_KEPT)),
    ]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long something is kept: a row of the policy's table."""

    title: str
    until: str
    without: bool = False
    """Whether it contains no readable personal details: random IDs, times, ciphertext."""


def lifetimes(config: Config) -> list[Lifetime]:
    """Return how long each thing is kept, from the table by which the worker removes it."""
    rows = [Lifetime("Your details as a subscriber", "until you unsubscribe or are deleted")]
    for kind in retention.kinds():
        rows.append(Lifetime(kind.visitors, retention.kept_for(kind, config), without=kind.anonymous))
    hashed = "A keyed hash of your address, once unsubscribed or deleted, against re-import"
    deleted = "The random ID of people who were deleted, so that a restored backup deletes them again"
    return [*rows, Lifetime(hashed, "indefinitely"), Lifetime(deleted, "indefinitely", without=True)]


COUNTED: dict[str, tuple[Dim, ...]] = {
    "Pages, entry and exit pages, page flow": (Dim.ALL, Dim.PAGE, Dim.ENTRY, Dim.EXIT, Dim.STEP),
    "Referring site, channel and campaign": (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN),
    "Country": (Dim.COUNTRY,),
    "Browser, operating system, device type, language, screen size": (
        Dim.BROWSER,
        Dim.SYSTEM,
        Dim.DEVICE,
        Dim.LANGUAGE,
        Dim.SCREEN,
    ),
    "Named events": (Dim.EVENT,),
    "Downloads, outbound links, missing pages": (Dim.DOWNLOAD, Dim.OUTBOUND, Dim.MISSING),
    "Products by version and operating system": (Dim.PRODUCT,),
    "What was not counted, and why": (Dim.ASKED, Dim.DROPPED),
}
"""Everything that is counted, in visitors' words. A dimension that is missing here fails the check."""


def counted(config: Config) -> list[tuple[str, str]]:
    """Return what this site counts and how long the totals are kept, in the order of the policy's table."""
    audience_config = config.audience
    if not audience_config.enabled:
        return [("Nothing: visits are not counted on this site", "not kept")]
    without = {
        *((Dim.COUNTRY,) if not audience_config.country_database else ()),
        *((Dim.EVENT,) if not audience_config.events else ()),
        *((Dim.PRODUCT,) if not audience_config.products else ()),
    }
    period = months_span(audience_config.keep_months)
    totals = [(title, period) for title, dims in COUNTED.items() if not without.issuperset(dims)]
    return [*totals, ("Key that distinguishes visits, in memory only", "until midnight")]


def receivers(config: Config) -> list[tuple[str, str, str]]:
    """Return the processors: who, for what purpose, what they can see."""
    doors = [(door.who, _purpose(door), _seen(door)) for door in declared(config)]
    host = config.site.hosting or "the hosting provider of this server"
    return [*doors, (host, "hosting", "encrypted data, passing traffic")]


def _purpose(door: Door) -> str:
    if door.name == CARD_COMPANY:
        return "taking your payment"
    return "delivering our emails to you" if door.carries_mail else f"{door.purpose.value}, on our own servers"


def _seen(door: Door) -> str:
    if door.name == "database":
        return "encrypted data, and times of events"
    if door.name == CARD_COMPANY:
        return "what you enter on its own pages: card, name, addresses; and what you bought"
    details = " and ".join(WORDS[category] for category in Category if category in door.categories)
    return f"your {details}, and the emails’ content"


# -- checked against the code
# -------------------------------------------------------------------------------------------------

_COLUMNS = frozenset({
    # Ciphertext, random ids, states and closed words: no visitor's detail is in a column as plain text.
    "vault.Record.purpose", "vault.Record.kind", "vault.Record.box", "vault.Erasure.asked_by", "vault.Erasure.receipt",
    "vault.LegalHold.duty", "vault.LegalHold.until", "vault.LegalRecord.box", "vault.LedgerRow.ends_at",
    "vault.LedgerRow.content", "vault.LedgerRow.salt", "vault.LedgerRow.commitment", "vault.LedgerRow.link",
    "vault.LedgerHead.link", "vault.AsideItem.reason", "vault.Tally.name",
    "gate.Delivery.kind", "gate.Delivery.state", "gate.Delivery.message_id", "gate.Delivery.reason",
    "gate.Delivery.tripped", "gate.DeliveryTotal.state", "gate.Cause.category",
    # Operators: the vendor's own team.
    "office.Operator.email", "office.Operator.name", "office.Operator.role", "office.Operator.password",
    "office.Welcome.digest",
})  # fmt: skip
"""Columns of packages without a `room.py`; the others declare theirs there."""
_SUMS = frozenset({"kind", "at", "name", "by", "views", "visits", "bounces", "seconds"})
STATISTICS: dict[str, frozenset[str]] = {
    "audience_name": frozenset({"id", "text"}),
    "audience_hour": _SUMS,
    "audience_day": _SUMS | {"visitors"},
    "audience_minute": frozenset({"kind", "at", "name", "views", "visits"}),
    "audience_sheet": frozenset({"unit", "kind", "at", "cells", "data"}),
    "audience_registers": frozenset({"kind", "at", "name", "data"}),
    "audience_restart": frozenset({"id", "at", "hour"}),
    "audience_ownpage": frozenset({"id", "path"}),
    "audience_import": frozenset(
        {"id", "digest", "kind", "first", "last", "lines", "begun_at", "finished_at"},
    ),
    "audience_importedday": frozenset({"at", "source_id"}),
    "audience_annotation": frozenset({"id", "at", "text"}),
    "audience_takenout": frozenset({"id", "kind", "name", "first", "last"}),
    "audience_apitoken": frozenset({"id", "digest", "name", "scope", "made_at", "used_on"}),
    "audience_reported": frozenset({"id", "every", "at"}),
}
"""The tables of the statistics with their columns, as the database must have them. A new one is declared here, and none
may hold a visitor, a visit or a hit (V1)."""
PLAIN = (
    AutoField,
    BooleanField,
    CompositePrimaryKey,  # consists of others, which are checked themselves
    DateTimeField,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    UUIDField,
)
"""Column types that need no declaration: numbers, times, booleans and relations."""


def undeclared(config: Config) -> list[str]:
    """Return what the code stores without a declaration here: fields of entries, kinds of records, columns of other
    types, dimensions of the statistics."""
    return [*_entries(config), *_kinds(config), *_columns(), *_dims()]


def _dims() -> Iterator[str]:
    """Yield dimensions that no row of the policy's table names."""
    named = [dim for dims in COUNTED.values() for dim in dims]
    yield from (f"visits by {dim.value}" for dim in Dim if dim not in named)


def entries() -> list[type[Entry]]:
    """Return all entries that a front may seal."""
    return [entry for room in rooms() for entry in room.files]


def _entries(config: Config) -> Iterator[str]:
    declared_names = {category.value for category in Category} | _NOT_PERSONAL
    for entry in entries():
        for field in msgspec.structs.fields(entry):
            if field.name not in declared_names:
                yield f"{entry.__name__}.{field.name}"


def _kinds(config: Config) -> Iterator[str]:
    rows = {row.name: row for row in kept(config)}
    for kind, (_, purpose) in KINDS.items():
        if kind not in rows or rows[kind].why is not purpose:
            yield f"records of the kind {kind}"


def declared_columns() -> frozenset[str]:
    """Return every column that holds more than numbers and times and was looked at, as `label.Model.field`."""
    return _COLUMNS.union(*(room.columns for room in rooms()))


def _columns() -> Iterator[str]:
    looked_at = declared_columns()
    for label in LABELS:
        if not apps.is_installed(f"troth.{label}"):
            continue
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                name = f"{label}.{model.__name__}.{field.name}"
                if isinstance(field, Field) and not isinstance(field, PLAIN) and name not in looked_at:
                    yield name


# -- as tables --------------------------------------------------------------------------------------------------------

type Table = list[list[str]]
"""Rows of cells; the first row is the header."""
_KEPT_HEADER = ["Data", "Kept for"]


def tables(config: Config) -> dict[str, Table]:
    """Return the policy's present tables, by the place in the text that they fill."""
    collected = [[row.title, row.why.value.capitalize(), row.how] for row in kept(config)]
    return {
        "what_is_collected": [["Data", "Purpose", "Source and protection"], *collected],
        "what_is_counted": [["What we count", "Kept for"], *(list(row) for row in counted(config))],
        "who_receives_it": [["Processor", "Purpose", "What they can see"], *(list(row) for row in receivers(config))],
        "how_long": [_KEPT_HEADER, *([row.title, row.until] for row in lifetimes(config) if not row.without)],
        "how_long_else": [_KEPT_HEADER, *([row.title, row.until] for row in lifetimes(config) if row.without)],
    }


def as_html(rows: Table) -> str:
    """Return an HTML table; the first cell of each row is its header."""
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in rows[0])
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'
        for first, *cells in rows[1:]
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def fills(policy_tables: dict[str, Table]) -> dict[str, str]:
    """Return HTML for each place in the text, from these tables. Rows without personal details are collapsed."""
    places = {place: as_html(rows) for place, rows in policy_tables.items()}
    without_details = places.pop("how_long_else", "")
    if "what_is_counted" in places:
        counted_table = places["what_is_counted"]
        places["what_is_counted"] = f"<details><summary>What we count</summary><div>{counted_table}</div></details>"
    if without_details:
        places["how_long"] += (
            f"<details><summary>Records without your details</summary><div>{without_details}</div></details>"
        )
    return places


def collected_table(config: Config) -> str:
    """Return the table of what is collected."""
    return as_html(tables(config)["what_is_collected"])


def lifetimes_table(config: Config) -> str:
    """Return the tables of how long it is kept."""
    return fills(tables(config))["how_long"]


def receivers_table(config: Config) -> str:
    """Return the table of processors."""
    return as_html(tables(config)["who_receives_it"])
