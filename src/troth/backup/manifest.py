"""A backup's manifest, inside the encryption: site, time, version, database."""

import uuid
from datetime import datetime
from importlib.metadata import version

import msgspec

from troth.backup.errors import Altered, TooNew
from troth.core.schema import migrations

NAME = "manifest.json"
FORMAT = 1


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The first thing to know of either half. Unknown fields are passed over: a later version may have added some."""

    format: int = FORMAT
    program: str
    """The version of Troth that made it."""
    site: uuid.UUID
    store: uuid.UUID
    """The key store's id."""
    taken_at: datetime
    slots: int
    """How many slots the key store had: the data name none beyond."""


class DataManifest(Manifest, frozen=True, kw_only=True):
    """Of the half with the records."""

    database: str
    """`sqlite` or `postgresql`."""
    migrations: list[tuple[str, str]]
    people: int
    journal: uuid.UUID | None
    """The journal of what was sent, as it then was."""


def program() -> str:
    """Return this version of Troth."""
    return version("troth")


def read[M: Manifest](raw: bytes, kind: type[M], name: str) -> M:
    """Decode the manifest in `raw`, of the backup `name`. Raises `TooNew` or `Altered`."""
    try:
        manifest = msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError:
        raise Altered(f"{name} has an invalid manifest.", mend="Use another backup.") from None
    if manifest.format > FORMAT:
        raise too_new(name, manifest.program)
    return manifest


def check_migrations(manifest: DataManifest, name: str) -> None:
    """Refuse a database that was changed by a later version than this one."""
    if migrations.later(manifest.migrations):
        raise too_new(name, manifest.program)


def too_new(name: str, made_by: str) -> TooNew:
    """Return the error for a backup of a later version."""
    return TooNew(
        f"{name} was made by a later version of Troth ({made_by}; this is {program()}).",
        mend="Install that version or a later one, then restore.",
    )
