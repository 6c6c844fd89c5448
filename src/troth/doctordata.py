"""What `troth doctor` asks the database: whether it is there, up to date, and belongs to the key store.

Reads opaque ids and counts, no box; changes nothing. A PostgreSQL on another machine is not asked.
"""

import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from troth.doctor import Finding
from troth.gate import doors
from troth.ground.config import Config
from troth.ground.site import Site
from troth.vault.errors import KeyStoreError
from troth.vault.keystore import KeyStore

type _Connect = Callable[[], Any]


def look(site: Site, settings: Config, dated: Callable[[uuid.UUID], Iterator[Finding]]) -> Iterator[Finding]:
    """Everything about the database. `dated` judges the newest id against the clock."""
    if settings.database.url:
        yield from _postgres(site, settings, dated)
    elif not site.database.exists() or site.database.stat().st_size == 0:
        yield Finding("ok", "There is no database yet: `troth serve` makes it.")
    else:
        yield from _asked(lambda: _sqlite(site.database), sqlite3.Error, site, dated)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)


def _postgres(site: Site, settings: Config, dated: Callable[[uuid.UUID], Iterator[Finding]]) -> Iterator[Finding]:
    import psycopg

    door = doors.database(settings.database)
    if door is None or not doors.is_loopback(door.host):
        yield Finding("ok", "The database on another machine was not tried: doctor does not leave this one.")
        return
    url = urlsplit(settings.database.url)
    file = site.database_password
    password = file.read_text().strip() if file.is_file() else None
    told: dict[str, Any] = {
        "user": unquote(url.username or "") or None,
        "dbname": unquote(url.path.strip("/")),
        "password": password,
    }
    yield from _asked(
        lambda: psycopg.connect(host=door.host, port=door.port, connect_timeout=5, **told), psycopg.Error, site, dated
    )


def _asked(
    connect: _Connect, refusal: type[Exception], site: Site, dated: Callable[[uuid.UUID], Iterator[Finding]]
) -> Iterator[Finding]:
    try:
        with closing(connect()) as connection:
            connection.execute("SELECT 1")
            yield from _migrated(connection)
            yield from _together(connection, site)
            yield from _aside(connection)
            newest = connection.execute("SELECT id FROM vault_person ORDER BY id DESC LIMIT 1").fetchone()
    except refusal as error:
        # Only the kind: a driver's words may quote a value.
        mend = "Is it running, and is this user let in? A damaged one is put back from your backup."
        if "no such table" in str(error) or "does not exist" in str(error):
            yield Finding("ok", "The database is empty: `troth serve` fills it.")
        else:
            yield Finding("bad", f"The database does not answer as it should ({type(error).__name__}).", mend)
        return
    if newest:
        yield from dated(newest[0] if isinstance(newest[0], uuid.UUID) else uuid.UUID(newest[0]))


def _migrated(connection: Any) -> Iterator[Finding]:
    done = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    files = Path(__file__).parent.glob("*/migrations/[0-9]*.py")  # a room's folder is its label in the database
    ours = {(file.parent.parent.name, file.stem) for file in files}
    rooms = {room for room, _ in ours}
    if later := [name for room, name in done if room in rooms and (room, name) not in ours]:
        mend = "Use the version of Troth that served it last, or a later one."
        yield Finding("bad", f"The database was changed by a later version of Troth ({later[0]}).", mend)
    elif missing := ours - done:
        mend = "Run `troth upgrade`: it makes a backup first, and says what changes."
        yield Finding("bad", f"The database wants changes of this version ({len(missing)}).", mend)
    else:
        yield Finding("ok", "The database is up to date.")


def _together(connection: Any, site: Site) -> Iterator[Finding]:
    mark = connection.execute("SELECT store FROM vault_storemark WHERE id = 1").fetchone()
    people = connection.execute("SELECT count(*) FROM vault_person").fetchone()[0]
    try:
        store = KeyStore.open(site.people_keys)
    except (KeyStoreError, PermissionError):
        return  # told already
    store.close()
    if mark is None and people == 0:
        return
    known = mark[0] if mark and isinstance(mark[0], uuid.UUID) else uuid.UUID(mark[0]) if mark else None
    if known != store.id:
        mend = "Restore keys/people/ and the database from backups that belong together."
        yield Finding("bad", "The key store and the data do not belong together: nobody can be read.", mend)
    else:
        yield Finding("ok", "Key store and data belong together.")


def _aside(connection: Any) -> Iterator[Finding]:
    (count,) = connection.execute("SELECT count(*) FROM vault_asideitem WHERE filed_at IS NULL").fetchone()
    if count:
        yield Finding("warn", f"{count} items could not be filed and were set aside.", "`troth aside list` shows them.")
