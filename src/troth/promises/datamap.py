"""The data map: what is kept of people, why, how long, and who receives it. The policy's tables are made from it.

It is held to the code: a field of an entry, a record's kind or a column that is not declared here fails the check, the
proof of `contact.basic`, and the build. Reads definitions and settings; opens nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

import msgspec
from django.apps import apps
from django.db.models import BinaryField, CharField, EmailField, Field, GenericIPAddressField, JSONField, TextField

from troth.gate.doors import Door, declared
from troth.ground.config import Config
from troth.ground.purpose import Category, Purpose
from troth.inbox import entry as inbox
from troth.letters import entry as letters
from troth.promises import entry as rights
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
_ENCRYPTED = "typed by you; encrypted under a key of your own"
_NOT_PERSONAL = frozenset({"wording", "act", "link", "wish"})
"""Fields of entries that are no detail: which sentence was agreed to, which link was pressed."""


def asked_for(config: Config) -> list[Category]:
    """Every contact detail that some form of this site asks for."""
    found = [*config.newsletter.fields, *(config.contact.fields if config.contact.enabled else ())]
    return list(dict.fromkeys(found))


def kept(config: Config) -> list[Kept]:
    """What is kept, in the order of the policy's table."""
    details = ", ".join(_WORDS[category] for category in asked_for(config))
    form = config.newsletter
    return [
        Kept(
            "details",
            details.capitalize(),
            Purpose.ADMINISTRATION,
            _ENCRYPTED,
            "until you ask to be erased; a sign-up that nobody confirms, "
            f"{form.confirm_hours + 7 * 24} hours; after a conversation, {config.contact.keep_days} days",
        ),
        Kept(
            "pending",
            "Details that wait for your confirmation",
            Purpose.ADMINISTRATION,
            _ENCRYPTED,
            f"until you confirm, or {form.confirm_hours + 7 * 24} hours",
        ),
        Kept(
            "consent",
            "What you agreed to, and when",
            Purpose.IDENTIFICATION,
            "noted by us; encrypted under a key of your own",
            "as long as your details",
        ),
        Kept(
            "message",
            "What you write to us",
            Purpose.ADMINISTRATION,
            _ENCRYPTED,
            f"{config.contact.keep_days} days after the conversation’s last message",
        ),
        Kept(
            "answer",
            "What we answer",
            Purpose.ADMINISTRATION,
            "written by us; encrypted under a key of your own",
            f"{config.contact.keep_days} days after the conversation’s last message",
        ),
    ]


def receivers(config: Config) -> list[tuple[str, str, str]]:
    """Who must carry something for us: who, what for, what they see."""
    found = [(door.who, _purpose(door), _seen(door)) for door in declared(config)]
    return [*found, ("the company whose machine this runs on", "keeping it", "what is encrypted, and what passes")]


def _purpose(door: Door) -> str:
    return "delivering our mail to you" if door.name == "mail-relay" else f"{door.purpose.value}, on our own machines"


def _seen(door: Door) -> str:
    if door.name == "database":
        return "what is encrypted, and when something happened"
    return f"your {' and '.join(_WORDS[one] for one in Category if one in door.categories)}, and the mail itself"


# -- held to the code -------------------------------------------------------------------------------------------------

_COLUMNS = frozenset({
    # Opaque ids, states and closed words. No visitor's detail can be in a column: the classes below hold text or bytes.
    "vault.Record.purpose", "vault.Record.kind", "vault.Record.box", "vault.Erasure.asked_by", "vault.Erasure.receipt",
    "vault.LedgerRow.content", "vault.LedgerRow.salt", "vault.LedgerRow.commitment", "vault.LedgerRow.link",
    "vault.LedgerHead.link", "vault.AsideItem.reason",
    "gate.Delivery.kind", "gate.Delivery.state", "gate.Delivery.message_id", "gate.Delivery.reason",
    "gate.Delivery.tripped", "inbox.Thread.state", "inbox.Message.direction",
    "letters.Subscription.state", "letters.Request.state", "letters.DomainHour.domain",
    # The policy and what was proven: about nobody.
    "promises.PolicyVersion.text", "promises.PolicyVersion.digest", "promises.PolicyVersion.said",
    "promises.ProofRun.results",
    # Words of the operators' own: what they call conversations, and answers they keep ready.
    "inbox.Label.name", "inbox.Canned.title", "inbox.Canned.text",
    # Operators and their sessions: people who work here, none who came by a form.
    "office.Operator.email", "office.Operator.name", "office.Operator.role", "office.Operator.password",
    "office.Welcome.digest",
})  # fmt: skip
_OURS = ("vault", "gate", "letters", "inbox", "promises", "office")
_TEXT = (CharField, TextField, EmailField, BinaryField, JSONField, GenericIPAddressField)


def undeclared(config: Config) -> list[str]:
    """What the code keeps and this map does not name: fields of entries, kinds of records, columns that hold text."""
    return [*_entries(config), *_kinds(config), *_columns()]


def _entries(config: Config) -> Iterator[str]:
    known = {category.value for category in Category} | _NOT_PERSONAL
    for entry in (*letters.ENTRIES, *inbox.ENTRIES, *rights.ENTRIES):
        for field in msgspec.structs.fields(entry):
            if field.name not in known:
                yield f"{entry.__name__}.{field.name}"


def _kinds(config: Config) -> Iterator[str]:
    rows = {row.name: row for row in kept(config)}
    for kind, (_, purpose) in KINDS.items():
        if kind not in rows or rows[kind].why is not purpose:
            yield f"records of the kind {kind}"


def _columns() -> Iterator[str]:
    for label in _OURS:
        if not apps.is_installed(f"troth.{label}"):
            continue
        for model in apps.get_app_config(label).get_models():
            for field in model._meta.get_fields():
                name = f"{label}.{model.__name__}.{field.name}"
                if isinstance(field, Field) and isinstance(field, _TEXT) and name not in _COLUMNS:
                    yield name


# -- as tables --------------------------------------------------------------------------------------------------------


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """An HTML table; the first cell of each row is its heading."""
    heads = "".join(f'<th scope="col">{escape(one)}</th>' for one in head)
    body = "".join(
        f'<tr><th scope="row">{escape(first)}</th>{"".join(f"<td>{escape(one)}</td>" for one in rest)}</tr>'
        for first, *rest in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def collected_table(config: Config) -> str:
    """What is collected, why, and how it is kept."""
    rows: list[tuple[str, ...]] = [(row.what, row.why.value.capitalize(), row.how) for row in kept(config)]
    return table(("What", "What for", "How"), rows)


def lifetimes_table(config: Config) -> str:
    """How long each is kept."""
    rows: list[tuple[str, ...]] = [(row.what, row.until) for row in kept(config)]
    rows.append(("Which details were opened, when and for what", "400 days, without your details"))
    rows.append(("Backups of the data", f"{config.backup.data_days} days; they cannot be read once you are erased"))
    rows.append(("Backups of the keys", f"{config.backup.keys_days} days"))
    return table(("What", "How long"), rows)


def receivers_table(config: Config) -> str:
    """Who must carry something for us."""
    return table(("Who", "What for", "What they see"), [*receivers(config)])
