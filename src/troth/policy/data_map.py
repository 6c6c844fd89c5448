"""The data map: what is kept of people, why, how long, and who receives it. The policy's tables are made from it.

It is held to the code: a field of an entry, a record's kind or a column that is not declared here fails the check, the
proof of `contact.basic`, and the build. Reads definitions and settings; opens nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
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

from troth.audience.counting import commit as audience
from troth.audience.counting.cells import Dim
from troth.contact import entry as inbox
from troth.core.config.sections import Config
from troth.core.entry import Entry
from troth.core.migrations import LABELS
from troth.core.purpose import Category, Purpose
from troth.gate.doors import Door, declared
from troth.newsletter import entry as letters
from troth.policy import retention
from troth.rights import entry as rights
from troth.vault.records import KINDS


@dataclass(frozen=True, slots=True)
class Kept:
    """One thing that is kept of a person: a row of the policy's table."""

    name: str
    """Of the record's kind, or of the table."""
    what: str
    why: Purpose
    how: str
    """Where it comes from and how it is protected, in words."""
    until: str
    """How long, in words that name the setting's value."""


_WORDS = {
    Category.EMAIL: "e-mail address",
    Category.NAME: "name",
    Category.TELEPHONE: "telephone number",
    Category.POSTAL_ADDRESS: "postal address",
    Category.COMPANY: "company",
    Category.MESSAGE: "message",
}
_ENCRYPTED = "typed by you; encrypted"
_OR_BROUGHT = "typed by you, or from a list; encrypted"
_NOT_PERSONAL = frozenset({"wording", "act", "link", "wish", "packed"})
"""Fields of entries that are no detail: which sentence was agreed to, which link was pressed, sums about nobody."""


def asked_for(config: Config) -> list[Category]:
    """Every contact detail that some form of this site asks for."""
    found = [*config.newsletter.fields, *(config.contact.fields if config.contact.enabled else ())]
    return list(dict.fromkeys(found))


def kept(config: Config) -> list[Kept]:
    """What is kept, in the order of the policy's table."""
    details = ", ".join(_WORDS[category] for category in asked_for(config))
    after = f"{_span(timedelta(days=config.contact.keep_days))} after the conversation’s last message"
    waiting = _span(_kind("signups_unconfirmed").kept(config))
    consent = "noted by us; encrypted"
    mails, admin = "noted by us, under a number", Purpose.ADMINISTRATION
    return [
        Kept("details", details.capitalize(), admin, _OR_BROUGHT, "as the next table says"),
        Kept("pending", "Details not yet confirmed", admin, _ENCRYPTED, f"until then, or {waiting}"),
        Kept("consent", "What you agreed to, and when", Purpose.IDENTIFICATION, consent, "as long as your details"),
        Kept("message", "What you write to us", admin, _ENCRYPTED, after),
        Kept("answer", "What we answer", admin, "written by us; encrypted", after),
        Kept("mails", "Which mails went to you", admin, mails, _span(retention.DELIVERIES_KEPT)),
    ]


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long something stays: a row of the policy's table."""

    what: str
    until: str
    without: bool = False
    """It carries nobody's details: ids, moments, what is sealed."""


_FOR_VISITORS = {
    "signups_unconfirmed": "A sign-up that nobody confirms",
    "subscriptions_left": "Your details, once you have left",
    "conversations": "A conversation, after its last message",
    "deliveries": "Which mails went to you, under a number",
    "ledger": "When your details were opened, and what for",
    "erasures": "The receipt of an erasure, which names nobody",
    "held_exports": "That an export was held back",
    "aside": "A form that could not be filed, sealed",
    "sent": "What was sent to which number, so that a backup does not send it again",
    "statistics": "Sums of visits, which are about nobody",
    "replaced": "A database that a restored backup took the place of",
    "backups_data": "Backups, shut without the keys",
    "backups_keys": "Backups of the keys",
}
"""What `retention` keeps for a time, as visitors read it. One that is not here is told in the operator's words."""
_WITHOUT = frozenset({"deliveries", "ledger", "erasures", "held_exports", "aside", "sent", "statistics", "replaced"})
"""Of these, what carries nobody's details that could be read."""


def lifetimes(config: Config) -> list[Lifetime]:
    """How long each thing stays, from the same table by which the worker removes it."""
    rows = [Lifetime("Your details, on our list", "until you leave or are erased")]
    for one in retention.KINDS:
        words = _FOR_VISITORS.get(one.name, one.title)
        until = _months(config) if one.name == "statistics" else _span(one.kept(config))
        rows.append(Lifetime(words, until, without=one.name in _WITHOUT))
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
        *((Dim.COUNTRY,) if not told.country_database else ()),
        *((Dim.EVENT,) if not told.events else ()),
        *((Dim.PRODUCT,) if not told.products else ()),
    }
    sums = [(what, _months(config)) for what, dims in COUNTED.items() if not without.issuperset(dims)]
    return [*sums, ("Key that tells visits apart, in memory only", "until midnight")]


def _months(config: Config) -> str:
    months = config.audience.keep_months
    return f"{months} month{'' if months == 1 else 's'}"


def _kind(name: str) -> retention.Kind:
    return next(one for one in retention.KINDS if one.name == name)


def _span(kept: timedelta) -> str:
    """A length of time in words: whole years, else days."""
    days = max(1, round(kept / timedelta(days=1)))
    count, unit = (days // 365, "year") if days % 365 == 0 else (days, "day")
    return f"{count} {unit}{'' if count == 1 else 's'}"


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
    "gate.Delivery.tripped", "gate.Cause.category", "inbox.Thread.state", "inbox.Message.direction",
    "letters.Subscription.state", "letters.Request.state", "letters.DomainHour.domain",
    "promises.HeldExport.asked_by", "promises.HeldExport.reason", "promises.HeldExport.tripped",
    # The policy and what was proven: about nobody.
    "promises.PolicyVersion.text", "promises.PolicyVersion.digest", "promises.PolicyVersion.said",
    "promises.PolicyVersion.by", "promises.PolicyVersion.tables", "promises.PolicyVersion.link",
    "promises.ProofRun.results",
    # Words of the operators' own: what they call conversations, answers they keep ready, what one agrees to.
    "letters.Sentence.digest", "letters.Sentence.text",
    "inbox.Label.name", "inbox.Canned.title", "inbox.Canned.text",
    # Operators and their sessions: people who work here, none who came by a form.
    "office.Operator.email", "office.Operator.name", "office.Operator.role", "office.Operator.password",
    "office.Welcome.digest",
})  # fmt: skip
_OF_STATISTICS = frozenset({
    # What the room `audience` keeps: names of what is counted, registers of a day that is not over, the operator's own
    # pages, and which files of figures were taken in. Never a row for a visitor, a visit or a hit (V1).
    "audience.Name.text", "audience.Registers.data",
    "audience.Sheet.data", "audience.OwnPage.path", "audience.Import.digest", "audience.Import.kind",
    # Words of the operators' own beside figures; tokens for programs, by their digest; which report went out.
    "audience.Annotation.text", "audience.ApiToken.digest", "audience.ApiToken.name", "audience.ApiToken.used_on",
    "audience.Reported.every",
})  # fmt: skip
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
    return [*letters.ENTRIES, *inbox.ENTRIES, *rights.ENTRIES, audience.Counted]


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


def _columns() -> Iterator[str]:
    for label, package in LABELS.items():
        if not apps.is_installed(f"troth.{package}"):
            continue
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                name = f"{label}.{model.__name__}.{field.name}"
                if isinstance(field, Field) and not isinstance(field, PLAIN) and name not in _COLUMNS | _OF_STATISTICS:
                    yield name


# -- as tables --------------------------------------------------------------------------------------------------------

type Table = list[list[str]]
"""Rows of cells; the first row is the heading."""


def tables(config: Config) -> dict[str, Table]:
    """The policy's tables as the code makes them now, by the place in the text that they fill."""
    collected = [[row.what, row.why.value.capitalize(), row.how] for row in kept(config)]
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
