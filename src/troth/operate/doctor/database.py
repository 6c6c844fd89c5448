"""Examine the database for `troth doctor`: does it exist, is it up to date, does it match the key store? Reads random
ids and counts, no encrypted record. Does not connect to a PostgreSQL on another machine."""

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

import django
import psycopg

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.core.schema import migrations
from troth.core.schema.renamed_tables import current
from troth.core.site import Site
from troth.gate import doors, failure_reasons
from troth.operate.doctor import shop
from troth.operate.doctor.finding import Finding
from troth.policy import text as policy
from troth.vault.errors import KeyStoreError
from troth.vault.key_store import KeyStore
from troth.worker import schema
from troth.worker.spool_reader import SpoolPosition, waiting

type _Connect = Callable[[], Any]
_RESTORE = "Restore it from your backup: `troth restore BACKUPS --to SITE` (docs/backup.md)."
_MOMENT, _ALIVE, _ERASED_WITHIN = 3.0, timedelta(seconds=60), timedelta(minutes=10)
_UNDEFINED_TABLE = "42P01"
_INTO_FILE = "Put it by itself into keys/database-password, readable to this user only."
_REFUSALS = (
    (
        ("Connection refused",),
        "No database responds at `url` under [database].",
        "Start PostgreSQL, or correct `url`.",
    ),
    (
        ('database "', "does not exist"),
        "PostgreSQL has no database with the name in `url` under [database].",
        "createdb --owner=USER NAME (docs/serve.md)",
    ),
    (
        ('role "', "does not exist"),
        "PostgreSQL does not know the user in `url` under [database].",
        "createuser USER (docs/serve.md)",
    ),
    (("password authentication failed",), "PostgreSQL rejects the password.", _INTO_FILE),
    (("no password supplied",), "PostgreSQL requires a password.", _INTO_FILE),
)
"""PostgreSQL's messages when it refuses a connection, and ours. In other languages the finding is less exact."""


def look(site: Site, settings: Config, dated: Callable[[uuid.UUID], Iterator[Finding]]) -> Iterator[Finding]:
    """Yield findings about the database. `dated` compares the newest id with the clock."""
    if settings.database.url:
        yield from _postgres(site, settings, dated)
    elif not site.data.is_dir():
        return  # reported already
    elif not site.database.exists() or site.database.stat().st_size == 0:
        yield from _empty(site, "There is no database yet: `troth serve` creates it.")
    else:
        yield from _asked(lambda: _sqlite(site.database), sqlite3.Error, site, dated)


def _empty(site: Site, fine: str) -> Iterator[Finding]:
    """Report a database without records: right for a new site, wrong once there are people's keys."""
    store = _store(site)
    if store is not None and store.slots:
        yield Finding(
            "bad", "The database is lost: keys/people/ has people's keys, but there are no records.", _RESTORE
        )
    else:
        yield Finding("ok", fine)


@dataclass(frozen=True, slots=True)
class _Store:
    """The key store's id and size."""

    id: uuid.UUID
    slots: int


def _store(site: Site) -> _Store | None:
    """Return the key store; None if it cannot be opened, which is reported already."""
    try:
        store = KeyStore.open(site.people_keys)
    except (KeyStoreError, PermissionError):
        return None
    with closing(store):
        return _Store(store.id, store.slots)


def _sqlite(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)


def _postgres(site: Site, settings: Config, dated: Callable[[uuid.UUID], Iterator[Finding]]) -> Iterator[Finding]:
    door = doors.database(settings.database)
    if door is None or not door.is_local:
        yield Finding("ok", "The database on another machine was not checked: doctor connects only to this one.")
        return
    url = urlsplit(settings.database.url)
    file = site.database_password
    password = file.read_text().strip() if file.is_file() else None
    login: dict[str, Any] = {
        "user": unquote(url.username or "") or None,
        "dbname": unquote(url.path.strip("/")),
        "password": password,
    }
    yield from _asked(
        lambda: psycopg.connect(host=door.host, port=door.port, connect_timeout=5, **login), psycopg.Error, site, dated
    )


def _asked(
    connect: _Connect, refusal: type[Exception], site: Site, dated: Callable[[uuid.UUID], Iterator[Finding]]
) -> Iterator[Finding]:
    try:
        with closing(connect()) as connection:
            if _has_no_table(connection):
                yield from _empty(site, "The database is empty: `troth serve` creates its tables.")
                return
            changes = list(_migrated(connection))
            yield from changes
            yield from _together(connection, site)
            yield from _aside(connection)
            yield from _waits(connection, site)
            yield from _erasures(connection)
            if not any(change.level == "bad" for change in changes):
                yield from _policy(connection, site)
                yield from _promises(connection)
                yield from _operators(connection)
                yield from _mails(connection)
                yield from shop.look_in(connection)
            newest = connection.execute("SELECT id FROM vault_person ORDER BY id DESC LIMIT 1").fetchone()
    except refusal as error:
        message, mend = _refused(error)
        yield Finding("bad", message, mend)
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
    """Return why the database did not respond, in our words: a driver's message may quote a value."""
    message = str(error)
    for words, problem, mend in _REFUSALS:
        if all(word in message for word in words):
            return problem, mend
    problem = f"The database reports an error ({type(error).__name__})."
    return problem, "Is it running, and does this user have access? If it is damaged, restore it from your backup."


def _migrated(connection: Any) -> Iterator[Finding]:
    applied = set(connection.execute("SELECT app, name FROM django_migrations").fetchall())
    if later := migrations.later(applied):
        mend = "Use the version of Troth that ran last, or a later one."
        yield Finding("bad", f"The database was changed by a later version of Troth ({later[0][1]}).", mend)
        return
    missing = migrations.missing(applied)
    altered = _altered(connection, current(applied) if missing else None)
    if altered is not None:
        yield altered
    elif missing:
        mend = "Run `troth upgrade`: it backs up first, and prints what it changes."
        yield Finding("bad", f"The database is not up to date ({len(missing)} changes missing).", mend)
    else:
        yield Finding("ok", "The database is up to date.")


def _altered(connection: Any, applied: set[tuple[str, str]] | None) -> Finding | None:
    """Return a finding if the tables are not what the `applied` migrations make; None: what all of them make."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")
    django.setup()  # for the models only: without a site, Django's own database is in memory
    vendor = "sqlite" if isinstance(connection, sqlite3.Connection) else "postgresql"
    known = None if applied is None else schema.models_after(applied)
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
    marked = mark[0] if mark and isinstance(mark[0], uuid.UUID) else uuid.UUID(mark[0]) if mark else None
    if marked != store.id:
        mend = "Restore keys/people/ and the database from backups that belong together."
        yield Finding("bad", "People's keys do not match the database: no record can be decrypted.", mend)
    else:
        yield Finding("ok", "People's keys match the database.")


def _policy(connection: Any, site: Site) -> Iterator[Finding]:
    """Report whether the published policy matches `policy.md`."""
    has_table = connection.execute("SELECT count(*) FROM django_migrations WHERE app = 'policy'").fetchone()[0]
    row = "SELECT number, digest FROM policy_policyversion ORDER BY number DESC LIMIT 1"
    published = connection.execute(row).fetchone() if has_table else None
    try:
        text = policy.read(site.policy)
    except policy.PolicyError as error:
        yield Finding("bad", str(error), error.mend)
        return
    if published is None:
        mend = "The worker publishes the first version by itself, unless `troth policy check` finds a problem."
        yield Finding("warn", "No policy is published yet.", mend)
    elif published[1] != text.digest:
        mend = "`troth policy publish`, or undo the changes: `troth policy show > policy.md`."
        yield Finding("warn", f"policy.md has unpublished changes: visitors read version {published[0]}.", mend)
    else:
        yield Finding("ok", f"The published policy, version {published[0]}, matches policy.md.")


def _promises(connection: Any) -> Iterator[Finding]:
    """Report promises that the last proofs found broken: from the newest run back to the last full one."""
    query = "SELECT light, results FROM policy_proofrun WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT 100"
    latest: dict[str, tuple[str, dict[str, Any]]] = {}
    for light, results in connection.execute(query).fetchall():
        promises = json.loads(results) if isinstance(results, str) else results
        run = {proof: (name, result) for name, proofs in promises.items() for proof, result in proofs.items()}
        latest = run | latest
        if not light:
            break
    for promise, result in latest.values():
        if result["state"] == "broken":
            mend = "Visitors see this, too. Fix what it names, then run `troth prove` (docs/proofs.md)."
            yield Finding("bad", f"The promise {promise} is broken: {result['detail']}", mend)
        elif result["state"] != "kept":
            mend = "`troth prove` tests it again and says why (docs/proofs.md)."
            yield Finding("warn", f"The promise {promise} is not proven: {result['detail']}", mend)
    if latest and all(result["state"] == "kept" for _, result in latest.values()):
        yield Finding("ok", "The last proofs found every promise kept.")


def _aside(connection: Any) -> Iterator[Finding]:
    (count,) = connection.execute("SELECT count(*) FROM vault_asideitem WHERE filed_at IS NULL").fetchone()
    if count:
        yield Finding("warn", f"Failed items: {count}.", "They could not be processed: `troth failed list` says why.")


def _waits(connection: Any, site: Site) -> Iterator[Finding]:
    """Report submissions that wait. Looks again a moment later, since they may have just arrived."""
    row = connection.execute("SELECT beat_at FROM vault_workerstate WHERE id = 1").fetchone()
    place, (size, oldest) = _place(connection), _left(connection, site)
    if not size or oldest is None:
        return
    started = time.monotonic()
    while time.monotonic() - started < _MOMENT and _place(connection) == place and size:
        time.sleep(0.25)
        size, _ = _left(connection, site)
    if not size or _place(connection) != place:
        return
    message = f"Submissions wait to be processed: {max(1, size // 1024):,} KiB, since {oldest:%Y-%m-%d %H:%M} (UTC)."
    if row and _moment(row[0]) > clock.now() - _ALIVE:
        yield Finding("bad", message, "The worker is running but cannot process them: see the end of the log.")
    else:
        yield Finding("warn", message, "Start the worker: `troth serve`, or `systemctl start troth`.")


def _place(connection: Any) -> SpoolPosition:
    row = connection.execute('SELECT segment, "offset" FROM vault_position WHERE id = 1').fetchone()
    return SpoolPosition(*row) if row else SpoolPosition(0, 0)


def _left(connection: Any, site: Site) -> tuple[int, datetime | None]:
    try:
        return waiting(site.spool, _place(connection))
    except PermissionError:
        return 0, None  # reported elsewhere


def _erasures(connection: Any) -> Iterator[Finding]:
    rows = connection.execute("SELECT asked_at FROM vault_erasure WHERE done_at IS NULL").fetchall()
    late = [requested for requested in (_moment(row[0]) for row in rows) if requested < clock.now() - _ERASED_WITHIN]
    if late:
        message = f"Overdue deletions: {len(late)}, the first since {min(late):%Y-%m-%d %H:%M} (UTC)."
        yield Finding("bad", message, "The worker tries every minute: the log says why it fails.")


def _moment(value: Any) -> datetime:
    """Return a time as a datetime: SQLite stores text, in UTC."""
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _operators(connection: Any) -> Iterator[Finding]:
    (count,) = connection.execute("SELECT count(*) FROM office_operator").fetchone()
    if not count:
        yield Finding("warn", "Nobody has access to the admin pages yet.", "troth operator add NAME EMAIL")


def _mails(connection: Any) -> Iterator[Finding]:
    states = ", ".join(f"'{state}'" for state in failure_reasons.TOLD)
    query = (
        f"SELECT state, reason, count(*) FROM gate_delivery WHERE reason <> '' AND state IN ({states}) "  # noqa: S608
        "AND (person_id IS NULL OR person_id NOT IN (SELECT person_id FROM vault_canary)) GROUP BY 1, 2"
    )
    for row in connection.execute(query).fetchall():
        why = failure_reasons.Why(*row)
        yield Finding("warn", why.line, why.mend or "Nothing to do if there are only a few (docs/mail.md).")
