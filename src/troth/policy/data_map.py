"""The data map: what is kept of people, why, how long, and who receives it. The policy's tables are made from it.

It is held to the code: a field of an entry, a record's kind or a column that is not declared here fails the check, the
proof of `contact.basic`, and the build. Reads definitions and settings; opens nobody.
"""

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
from troth.core.entry import Entry
from troth.core.migrations import LABELS
from troth.core.purpose import Category, Purpose
from troth.core.rooms import Collected, rooms
from troth.core.text.durations import span
from troth.gate.doors import Door, declared
from troth.policy import retention
from troth.vault.records import KINDS

_WORDS = {
    Category.EMAIL: "e-mail address",
    Category.NAME: "name",
    Category.TELEPHONE: "telephone number",
    Category.POSTAL_ADDRESS: "postal address",
    Category.COMPANY: "company",
    Category.MESSAGE: "message",
}
_OR_BROUGHT = "typed by you, or from a list; encrypted"
_NOT_PERSONAL = frozenset({"wording", "act", "link", "wish", "packed"})
"""Fields of entries that are no detail: which sentence was agreed to, which link was pressed, sums about nobody."""


def asked_for(config: Config) -> list[Category]:
    """Every contact detail that some form of this site asks for."""
    return list(dict.fromkeys(category for room in rooms() for category in room.asks(config)))


def kept(config: Config) -> list[Collected]:
    """What is kept, in the order of the policy's table."""
    details = ", ".join(_WORDS[category] for category in asked_for(config))
    mails, admin = "noted by us, under a number", Purpose.ADMINISTRATION
    return [
        Collected("details", details.capitalize(), admin, _OR_BROUGHT, "as the next table says"),
        *(row for room in rooms() for row in room.collects(config)),
        Collected("mails", "Which mails went to you", admin, mails, span(retention.DELIVERIES_KEPT)),
    ]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long something stays: a row of the policy's table."""

    what: str
    until: str
    without: bool = False
    """It carries nobody's details: ids, moments, what is sealed."""


def lifetimes(config: Config) -> list[Lifetime]:
    """How long each thing stays, from the same table by which the worker removes it."""
    rows = [Lifetime("Your details, on our list", "until you leave or are erased")]
    for kind in retention.kinds():
        until = _months(config) if kind.name == "statistics" else span(kind.period(config))
        rows.append(Lifetime(kind.visitors, until, without=kind.anonymous))
    mark = "A mark of who left or was erased, so that no list brings them back"
    number = "The number of who was erased, so that a restored backup forgets them again"
    return [*rows, Lifetime(mark, "without end"), Lifetime(number, "without end", without=True)]


COUNTED: dict[str, tuple[Dim, ...]] = {
    "Pages, where visits begin and end, steps between pages": (Dim.ALL, Dim.PAGE, Dim.ENTRY, Dim.EXIT, Dim.STEP),
    "Site, kind of link and campaign that they come from": (Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN),
    "Country": (Dim.COUNTRY,),
    "Browser, system, device, language, screen": (Dim.BROWSER, Dim.SYSTEM, Dim.DEVICE, Dim.LANGUAGE, Dim.SCREEN),
    "Named events": (Dim.EVENT,),
    "Downloads, links out, missing pages": (Dim.DOWNLOAD, Dim.OUTBOUND, Dim.MISSING),
    "Products by version and system": (Dim.PRODUCT,),
    "What was not counted, and why": (Dim.ASKED, Dim.DROPPED),
}
"""Everything that is counted, as visitors read it. A dim that is not here fails the check."""


def counted(config: Config) -> list[tuple[str, str]]:
    """What is counted on this site and how long the sums are kept, in the order of the policy's table."""
    told = config.audience
    if not told.enabled:
        return [("Nothing: visits are not counted here", "not at all")]
    without = {
        *((Dim.COUNTRY,) if not told.countries else ()),
        *((Dim.EVENT,) if not told.events else ()),
        *((Dim.PRODUCT,) if not told.products else ()),
    }
    sums = [(what, _months(config)) for what, dims in COUNTED.items() if not without.issuperset(dims)]
    return [*sums, ("Key that tells visits apart, in memory only", "until midnight")]


def _months(config: Config) -> str:
    months = config.audience.keep_months
    return f"{months} month{'' if months == 1 else 's'}"


def receivers(config: Config) -> list[tuple[str, str, str]]:
    """Who must carry something for us: who, what for, what they see."""
    found = [(door.who, _purpose(door), _seen(door)) for door in declared(config)]
    host = config.site.hosting or "the company that runs this machine"
    return [*found, (host, "keeping it", "what is encrypted, and what passes")]


def _purpose(door: Door) -> str:
    return "delivering our mail to you" if door.name == "mail-relay" else f"{door.purpose.value}, on our own machines"


def _seen(door: Door) -> str:
    if door.name == "database":
        return "what is encrypted, and when something happened"
    return f"your {' and '.join(_WORDS[one] for one in Category if one in door.categories)}, and the mail itself"


# -- held to the code -------------------------------------------------------------------------------------------------

_COLUMNS = frozenset({
    # Sealed boxes, opaque ids, states and closed words: no visitor's detail is in a column as it is.
    "vault.Record.purpose", "vault.Record.kind", "vault.Record.box", "vault.Erasure.asked_by", "vault.Erasure.receipt",
    "vault.LedgerRow.ends_at", "vault.LedgerRow.content",
    "vault.LedgerRow.salt", "vault.LedgerRow.commitment", "vault.LedgerRow.link",
    "vault.LedgerHead.link", "vault.AsideItem.reason", "vault.Tally.name",
    "gate.Delivery.kind", "gate.Delivery.state", "gate.Delivery.message_id", "gate.Delivery.reason",
    "gate.Delivery.tripped", "gate.Cause.category",
    # Operators and their sessions: people who work here, none who came by a form.
    "office.Operator.email", "office.Operator.name", "office.Operator.role", "office.Operator.password",
    "office.Welcome.digest",
})  # fmt: skip
"""Of packages that are no capability by themselves; the others declare theirs in `room.py`."""
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
    "audience_apitoken": frozenset({"id", "digest", "name", "made_at", "used_on"}),
    "audience_reported": frozenset({"id", "every", "at"}),
}
"""The tables of statistics with their columns, as the database itself must have them: whoever adds one says it here,
and none may be a visitor, a visit or a hit (V1)."""
PLAIN = (
    AutoField,
    BooleanField,
    CompositePrimaryKey,  # made of others, which are looked at themselves
    DateTimeField,
    ForeignKey,
    IntegerField,
    ManyToManyField,
    UUIDField,
)
"""Columns that need no word: numbers, moments, yes or no, and who belongs to whom."""


def undeclared(config: Config) -> list[str]:
    """What the code keeps and this map does not name: fields of entries, kinds of records, columns that
    are not plain, things that are counted."""
    return [*_entries(config), *_kinds(config), *_columns(), *_dims()]


def _dims() -> Iterator[str]:
    """Things that are counted and that no row of the policy's table names."""
    named = [dim for dims in COUNTED.values() for dim in dims]
    yield from (f"visits by {dim.value}" for dim in Dim if dim not in named)


def entries() -> list[type[Entry]]:
    """All that a front may seal."""
    return [entry for room in rooms() for entry in room.files]


def _entries(config: Config) -> Iterator[str]:
    known = {category.value for category in Category} | _NOT_PERSONAL
    for entry in entries():
        for field in msgspec.structs.fields(entry):
            if field.name not in known:
                yield f"{entry.__name__}.{field.name}"


def _kinds(config: Config) -> Iterator[str]:
    rows = {row.name: row for row in kept(config)}
    for kind, (_, purpose) in KINDS.items():
        if kind not in rows or rows[kind].why is not purpose:
            yield f"records of the kind {kind}"


def declared_columns() -> frozenset[str]:
    """Every column that holds more than numbers and times and was looked at, as `label.Model.field`."""
    return _COLUMNS.union(*(room.columns for room in rooms()))


def _columns() -> Iterator[str]:
    looked_at = declared_columns()
    for label, package in LABELS.items():
        if not apps.is_installed(f"troth.{package}"):
            continue
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                name = f"{label}.{model.__name__}.{field.name}"
                if isinstance(field, Field) and not isinstance(field, PLAIN) and name not in looked_at:
                    yield name


# -- as tables --------------------------------------------------------------------------------------------------------

type Table = list[list[str]]
"""Rows of cells; the first row is the heading."""


def tables(config: Config) -> dict[str, Table]:
    """The policy's tables as the code makes them now, by the place in the text that they fill."""
    collected = [[row.title, row.why.value.capitalize(), row.how] for row in kept(config)]
    return {
        "what_is_collected": [["What", "What for", "How"], *collected],
        "what_is_counted": [["What is counted", "How long"], *(list(row) for row in counted(config))],
        "who_receives_it": [["Who", "What for", "What they see"], *(list(row) for row in receivers(config))],
        "how_long": [["What", "How long"], *([one.what, one.until] for one in lifetimes(config) if not one.without)],
        "how_long_else": [["What", "How long"], *([one.what, one.until] for one in lifetimes(config) if one.without)],
    }


def as_html(rows: Table) -> str:
    """An HTML table; the first cell of each row is its heading."""
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in rows[0])
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(one)}</td>" for one in rest)}</tr>'
        for first, *rest in rows[1:]
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def fills(made: dict[str, Table]) -> dict[str, str]:
    """HTML for each place in the text, from these tables. What carries nobody's details is folded away."""
    found = {place: as_html(rows) for place, rows in made.items()}
    other = found.pop("how_long_else", "")
    if "what_is_counted" in found:
        shown = found["what_is_counted"]
        found["what_is_counted"] = f"<details><summary>What is counted</summary><div>{shown}</div></details>"
    if other:
        found["how_long"] += (
            f"<details><summary>What carries none of your details</summary><div>{other}</div></details>"
        )
    return found


def collected_table(config: Config) -> str:
    """What is collected, why, and how it is kept."""
    return as_html(tables(config)["what_is_collected"])


def lifetimes_table(config: Config) -> str:
    """How long each is kept."""
    return fills(tables(config))["how_long"]


def receivers_table(config: Config) -> str:
    """Who must carry something for us."""
    return as_html(tables(config)["who_receives_it"])
