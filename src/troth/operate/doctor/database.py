"""What `troth doctor` asks the database: whether it is there, up to date, and belongs to the key store.

Reads opaque ids and counts, no box; changes nothing. A PostgreSQL on another machine is not asked.
"""

import json
import os
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from troth.core import clock, migrations
from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.core.site import Site
from troth.gate import doors
from troth.operate.doctor.finding import Finding
from troth.policy import text as policy
from troth.vault.errors import KeyStoreError
from troth.vault.key_store import KeyStore
from troth.worker.spool_reader import Place, waiting

type _Connect = Callable[[], Any]
_BACK = "Put it back from your backup: `troth restore BACKUPS --to SITE` (docs/backup.md)."
_MOMENT, _ALIVE, _ERASED_WITHIN = 3.0, timedelta(seconds=60), timedelta(minutes=10)
_UNDEFINED_TABLE = "42P01"
_INTO_FILE = "Put it alone into keys/database-password, closed to others."
_REFUSALS = (
    (
        ("Connection refused",),
        "Nobody answers where `url` under [database] says.",
        "Start PostgreSQL, or correct `url`.",
    ),
    (
        ('database "', "does not exist"),
        "PostgreSQL has no database of the name in `url` under [database].",
        "createdb --owner=USER NAME (docs/serve.md)",
    ),
    (
        ('role "', "does not exist"),
        "PostgreSQL does not know the user in `url` under [database].",
        "createuser USER (docs/serve.md)",
    ),
    (("password authentication failed",), "PostgreSQL does not take the password.", _INTO_FILE),
    (("no password supplied",), "PostgreSQL wants a password.", _INTO_FILE),
)
"""What PostgreSQL says when it lets nobody in (an answer in another language is told less exactly), and what we say."""


def look(site: Site, settings: Config, dated: Callable[[uuid.UUID], Iterator[Finding]]) -> Iterator[Finding]:
    """Everything about the database. `dated` judges the newest id against the clock."""
    if settings.database.url:
        yield from _postgres(site, settings, dated)
    elif not site.data.is_dir():
        return  # told already
    elif not site.database.exists() or site.database.stat().st_size == 0:
        yield from _empty(site, "There is no database yet: `troth serve` makes it.")
    else:
        yield from _asked(lambda: _sqlite(site.database), sqlite3.Error, site, dated)


def _empty(site: Site, fine: str) -> Iterator[Finding]:
    """No record is there: right at the beginning, and never again after the first person."""
    store = _store(site)
    if store is not None and store.slots:
        yield Finding("bad", "The database is gone: keys/people/ holds people's keys, and there are no records.", _BACK)
    else:
        yield Finding("ok", fine)


@dataclass(frozen=True, slots=True)
class _Store:
    """What is asked of the key store."""

    id: uuid.UUID
    slots: int


def _store(site: Site) -> _Store | None:
    """The key store; None where it cannot be opened, which is told already."""
    try:
        store = KeyStore.open(site.people_keys)
    except (KeyStoreError, PermissionError):
        return None
    with closing(store):
        return _Store(store.id, store.slots)


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
            if _has_no_table(connection):
                yield from _empty(site, "The database is empty: `troth serve` fills it.")
                return
            changes = list(_migrated(connection))
            yield from changes
            yield from _together(connection, site)
            yield from _aside(connection)
            yield from _waits(connection, site)
            yield from _erasures(connection)
            if not any(one.level == "bad" for one in changes):
                yield from _policy(connection, site)
                yield from _promises(connection)
                yield from _operators(connection)
                yield from _mails(connection)
            newest = connection.execute("SELECT id FROM vault_person ORDER BY id DESC LIMIT 1").fetchone()
    except refusal as error:
        what, mend = _refused(error)
        yield Finding("bad", what, mend)
        return
    if newest:
        yield from dated(newest[0] if isinstance(newest[0], uuid.UUID) else uuid.UUID(newest[0]))


def _has_no_table(connection: Any) -> bool:
    try:
        connection.execute("SELECT 1 FROM django_migrations")
    except Exception as error:
        if "no such table" in str(error) or getattr(error, "sqlstate", None) == _UNDEFINED_TABLE:
            return True
        raise
    return False


def _refused(error: Exception) -> tuple[str, str]:
    """Why the database did not answer, in words of ours: a driver's may quote a value."""
    told = str(error)
    for words, what, mend in _REFUSALS:
        if all(word in told for word in words):
            return what, mend
    what = f"The database does not answer as it should ({type(error).__name__})."
    return what, "Is it running, and is this user let in? A damaged one is put back from your backup."


def _migrated(connection: Any) -> Iterator[Finding]:
    done = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    ours = migrations.known()
    if later := [name for label, name in done if label in migrations.LABELS and (label, name) not in ours]:
        mend = "Use the version of Troth that served it last, or a later one."
        yield Finding("bad", f"The database was changed by a later version of Troth ({later[0]}).", mend)
        return
    missing = ours - done
    altered = _altered(connection, done if missing else None)
    if altered is not None:
        yield altered
    elif missing:
        mend = "Run `troth upgrade`: it makes a backup first, and says what changes."
        yield Finding("bad", f"The database wants changes of this version ({len(missing)}).", mend)
    else:
        yield Finding("ok", "The database is up to date.")


def _altered(connection: Any, made: set[tuple[str, str]] | None) -> Finding | None:
    """What is said where the tables are not what the list of changes says: those that were `made`; None: all."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")
    import django

    django.setup()  # the models only: without a site it has a database in memory, and this one is asked as it is
    from troth.worker import schema

    vendor = "sqlite" if isinstance(connection, sqlite3.Connection) else "postgresql"
    known = None if made is None else schema.models_after(made)
    try:
        schema.check(vendor, lambda query: connection.execute(query).fetchall(), known)
    except TrothError as error:
        return Finding("bad", str(error), error.mend)
    return None


def _together(connection: Any, site: Site) -> Iterator[Finding]:
    mark = connection.execute("SELECT store FROM vault_storemark WHERE id = 1").fetchone()
    people = connection.execute("SELECT count(*) FROM vault_person").fetchone()[0]
    store = _store(site)
    if store is None:
        return
    if mark is None and people == 0:
        if store.slots:
            yield from _empty(site, "")
        return
    known = mark[0] if mark and isinstance(mark[0], uuid.UUID) else uuid.UUID(mark[0]) if mark else None
    if known != store.id:
        mend = "Restore keys/people/ and the database from backups that belong together."
        yield Finding("bad", "The key store and the data do not belong together: nobody can be read.", mend)
    else:
        yield Finding("ok", "Key store and data belong together.")


def _policy(connection: Any, site: Site) -> Iterator[Finding]:
    """Whether what visitors read is what lies in `policy.md`."""
    there = connection.execute("SELECT count(*) FROM django_migrations WHERE app = 'promises'").fetchone()[0]
    row = "SELECT number, digest FROM promises_policyversion ORDER BY number DESC LIMIT 1"
    found = connection.execute(row).fetchone() if there else None
    try:
        text = policy.read(site.policy)
    except policy.PolicyError as error:
        yield Finding("bad", str(error), error.mend)
        return
    if found is None:
        mend = "The worker publishes the first by itself, unless `troth policy check` finds something bad."
        yield Finding("warn", "No policy is published yet.", mend)
    elif found[1] != text.digest:
        mend = "`troth policy publish`, or put it back: `troth policy show > policy.md`."
        yield Finding("warn", f"policy.md is edited, not published: visitors read version {found[0]}.", mend)
    else:
        yield Finding("ok", f"Version {found[0]} of the policy is published, and it is what lies in policy.md.")


def _promises(connection: Any) -> Iterator[Finding]:
    """Whether the last proofs found a promise broken: from the newest run back to the last whole one."""
    asked = "SELECT light, results FROM promises_proofrun WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 100"
    found: dict[str, tuple[str, dict[str, Any]]] = {}
    for light, results in connection.execute(asked).fetchall():
        told = json.loads(results) if isinstance(results, str) else results
        found = {proof: (promise, one) for promise, each in told.items() for proof, one in each.items()} | found
        if not light:
            break
    for promise, one in found.values():
        if one["state"] == "broken":
            mend = "Your visitors see it, too. Mend what it names, then run `troth prove` (docs/proofs.md)."
            yield Finding("bad", f"The promise {promise} is broken: {one['detail']}", mend)
        elif one["state"] != "kept":
            mend = "`troth prove` tries again, and says why (docs/proofs.md)."
            yield Finding("warn", f"The promise {promise} is not proven: {one['detail']}", mend)
    if found and all(one["state"] == "kept" for _, one in found.values()):
        yield Finding("ok", "Every promise was kept when it was tried last.")


def _aside(connection: Any) -> Iterator[Finding]:
    (count,) = connection.execute("SELECT count(*) FROM vault_asideitem WHERE filed_at IS NULL").fetchone()
    if count:
        yield Finding("warn", f"{count} items could not be filed and were set aside.", "`troth aside list` shows them.")


def _waits(connection: Any, site: Site) -> Iterator[Finding]:
    """Whether what came in is filed: where something waits, once more a moment later, for it may have just come."""
    row = connection.execute("SELECT beat_at FROM vault_workerstate WHERE id = 1").fetchone()
    place, (size, oldest) = _place(connection), _left(connection, site)
    if not size or oldest is None:
        return
    begun = time.monotonic()
    while time.monotonic() - begun < _MOMENT and _place(connection) == place and size:
        time.sleep(0.25)
        size, _ = _left(connection, site)
    if not size or _place(connection) != place:
        return
    what = (
        f"What came in waits to be filed: {max(1, size // 1024):,} KiB, since {oldest:%Y-%m-%d %H:%M} (UTC) or before."
    )
    if row and _moment(row[0]) > clock.now() - _ALIVE:
        yield Finding("bad", what, "The worker is there and cannot file it: the log's last lines say why.")
    else:
        yield Finding("warn", what, "The worker files it: `troth serve`, or `systemctl start troth`.")


def _place(connection: Any) -> Place:
    row = connection.execute('SELECT segment, "offset" FROM vault_position WHERE id = 1').fetchone()
    return Place(*row) if row else Place(0, 0)


def _left(connection: Any, site: Site) -> tuple[int, datetime | None]:
    try:
        return waiting(site.spool, _place(connection))
    except PermissionError:
        return 0, None  # told elsewhere


def _erasures(connection: Any) -> Iterator[Finding]:
    rows = connection.execute("SELECT asked_at FROM vault_erasure WHERE done_at IS NULL").fetchall()
    late = [asked for asked in (_moment(row[0]) for row in rows) if asked < clock.now() - _ERASED_WITHIN]
    if late:
        what = (
            f"{len(late)} people were to be erased and are not yet, the first since {min(late):%Y-%m-%d %H:%M} (UTC)."
        )
        yield Finding("bad", what, "The worker tries every minute: the log says why it cannot.")


def _moment(value: Any) -> datetime:
    """A moment as the driver gives it: SQLite keeps text, in UTC."""
    found = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _operators(connection: Any) -> Iterator[Finding]:
    (count,) = connection.execute("SELECT count(*) FROM office_operator").fetchone()
    if not count:
        yield Finding("warn", "Nobody can enter the office yet.", "troth operator add NAME EMAIL")


def _mails(connection: Any) -> Iterator[Finding]:
    from troth.gate import failure_reasons

    states = ", ".join(f"'{state}'" for state in failure_reasons.TOLD)
    asked = (
        f"SELECT state, reason, count(*) FROM gate_delivery WHERE reason <> '' AND state IN ({states}) "  # noqa: S608
        "AND (person_id IS NULL OR person_id NOT IN (SELECT person_id FROM vault_canary)) GROUP BY 1, 2"
    )
    for row in connection.execute(asked).fetchall():
        why = failure_reasons.Why(*row)
        yield Finding("warn", why.line, why.mend or "Nothing, if they stay few (docs/mail.md).")
