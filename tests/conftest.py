"""Throwaway sites on real databases: SQLite in a file, PostgreSQL where its binaries are.

`site` is a site folder with keys, an empty key store and a migrated database that Django is pointed at.
A test marked `postgres` gets PostgreSQL; `both` runs a test on each.
"""

import contextlib
import copy
import itertools
import os
import shutil
import uuid
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import settings as hypothesis_settings

from tests import session
from troth.core import clock, frames
from troth.core.config.sections import Config, NewsletterSection, SiteSection
from troth.core.entry import Entry
from troth.core.epochs import epoch_of
from troth.core.site import Site
from troth.operate.create_site import policy_text
from troth.vault.envelope import OpeningKey, SealingKey

# A busy machine is no mistake. Each landing tries the same examples, `make trial` others every time, and more of them.
hypothesis_settings.register_profile("patient", deadline=None, derandomize=True)
hypothesis_settings.register_profile("curious", deadline=None, max_examples=500)
hypothesis_settings.load_profile("patient")

_numbers = itertools.count(1)
_IN_MEMORY = pytest.StashKey[Path | None]()

both = pytest.mark.parametrize(
    "database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)


def pytest_configure(config):
    """Once, not by each of several workers: they inherit it."""
    if not hasattr(config, "workerinput"):
        config.stash[_IN_MEMORY] = session.begin()
    worker = getattr(config, "workerinput", {"workerid": "gw0", "workercount": 1})
    config.args = session.share(config.args, int(worker["workerid"][2:]), worker["workercount"])
    config.option.loadscopereorder = False  # of xdist's, which would start the files of many tests first, long or not


def pytest_collection_modifyitems(items):
    """Long files first; else by name, whatever a worker began to collect with."""
    items.sort(key=lambda item: session.place_of(item.path))


def pytest_unconfigure(config):
    """What it began, it ends."""
    session.end(config.stash.get(_IN_MEMORY, None))


class SampleSite(Site):
    """A site, and a hand that does what fronts and clerk do."""

    def __init__(self, root: Path) -> None:
        object.__setattr__(self, "root", root)
        object.__setattr__(self, "id", uuid.uuid4())
        object.__setattr__(self, "segment", 1)

    def key(self) -> SealingKey:
        """The present epoch's sealing key."""
        epoch = epoch_of(clock.now())
        path = self.seal_keys / f"{epoch}.key"
        if not path.exists():
            path.write_bytes(OpeningKey.generate())
        return SealingKey(self.id, epoch, OpeningKey(self.id, epoch, path.read_bytes()).public)

    def spooled(self, *envelopes: bytes, kind: int = 1) -> None:
        """Append frames to the open segment."""
        path = self.spool / frames.segment_name(self.segment)
        if not path.exists():
            path.write_bytes(frames.header(self.segment))
        offset = path.stat().st_size
        with path.open("ab") as file:
            for envelope in envelopes:
                written = frames.frame(self.segment, offset, kind, envelope)
                file.write(written)
                offset += len(written)

    def submit(self, *entries: Entry) -> None:
        """Seal and spool entries."""
        key = self.key()
        for entry in entries:
            self.spooled(key.seal(entry), kind=int(entry.kind))

    def next_segment(self) -> None:
        """Close the segment."""
        object.__setattr__(self, "segment", self.segment + 1)
        (self.spool / frames.segment_name(self.segment)).write_bytes(frames.header(self.segment))


def make_site(root: Path) -> SampleSite:
    """A site folder with all it needs but a database."""
    from troth.vault.key_store import KeyStore

    site = SampleSite(root)
    folders = (site.seal_keys, site.sign_keys, site.people_keys, site.data, site.spool, site.public)
    for folder in folders:
        folder.mkdir(parents=True)
    site.site_id.write_text(str(site.id))
    site.policy.write_text(policy_text(), "utf-8")
    (site.sign_keys / "1.key").write_bytes(Ed25519PrivateKey.generate().private_bytes_raw())
    for purpose in ("administration", "identification"):
        (site.people_keys / f"index-{purpose}.key").write_bytes(os.urandom(32))
    KeyStore.create(site.people_keys)
    return site


@pytest.fixture(scope="session")
def django_db_setup():
    """Nobody takes pytest-django's database: it is in memory, where Django closes nothing, and `site` lets go of it."""
    pytest.fail("A test that needs a database asks for `site`.")


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory, django_db_blocker):
    """An empty, migrated SQLite database, to be copied."""
    path = tmp_path_factory.mktemp("template") / "troth.sqlite3"
    from django.core.management import call_command
    from django.db import connections

    with django_db_blocker.unblock():
        _point_at(_sqlite(path))
        call_command("migrate", verbosity=0, interactive=False)
        connections["default"].cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()
    return path


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL of our own; skipped where there are no binaries."""
    from trial.postgres import Postgres, binaries

    if binaries() is None:
        pytest.skip("PostgreSQL's binaries are not installed")
    with Postgres(fsync=False) as server:  # no test here cuts the machine's power, and each has a database made
        yield server


@pytest.fixture(scope="session")
def postgresql_template(postgres_server, django_db_blocker):
    """The name of an empty, migrated database on that server, to be copied."""
    from django.core.management import call_command
    from django.db import connections

    postgres_server.execute("CREATE DATABASE template")
    with django_db_blocker.unblock():
        _point_at(_postgres(postgres_server, "template"))
        call_command("migrate", verbosity=0, interactive=False)
        connections.close_all()  # a database somebody is connected to is not copied
    return "template"


@pytest.fixture
def database(request):
    """Which database the test runs on."""
    return getattr(request, "param", "postgresql" if request.node.get_closest_marker("postgres") else "sqlite")


def _sqlite(path):
    from troth.django_settings import sqlite

    return sqlite(str(path))


def _postgres(server, name):
    from troth.django_settings import postgresql

    return postgresql(server.at(name), Path("/nonexistent"))


def address_of_the_database():
    """What a process of its own writes in troth.toml to reach what Django is pointed at here: nothing for SQLite."""
    from django.db import connection

    told = connection.settings_dict
    server = f"postgresql://{told['USER']}@{told['HOST']}:{told['PORT']}/{told['NAME']}"
    return "" if connection.vendor == "sqlite" else server


def _point_at(options):
    from django.db import connections

    connections.close_all()
    defaults = connections["default"].settings_dict
    merged = {**defaults, "USER": "", "PASSWORD": "", "HOST": "", "PORT": "", "OPTIONS": {}, **options}
    connections.databases["default"] = merged
    del connections["default"]


@pytest.fixture(autouse=True)
def _a_clock_that_is_believed():
    """What one test made of the clock is no other's."""
    yield
    clock._doubted, clock._checked_at = False, None


def _work_on_a_copy(request, template, name):
    """Point Django at a new database that is a copy of the template: a file of SQLite's, or one on the server."""
    if isinstance(template, Path):
        shutil.copy(template, name)
        _point_at(_sqlite(name))
    else:
        server = request.getfixturevalue("postgres_server")
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        _point_at(_postgres(server, name))


_FILLED = {}


def _filled(request, template, fill):
    """The template of sites that `fill()` has filled, and what it told; it runs once for each kind of database."""
    from django.db import connection, connections

    if (template, fill) not in _FILLED:
        number = next(_numbers)
        kept = template.with_name(f"filled{number}.sqlite3") if isinstance(template, Path) else f"filled{number}"
        _work_on_a_copy(request, template, kept)
        told = fill()
        if isinstance(template, Path):
            connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connections.close_all()
        _FILLED[template, fill] = kept, told
    kept, told = _FILLED[template, fill]
    return kept, copy.deepcopy(told)


@pytest.fixture
def site(tmp_path, request, database, settings, django_db_blocker):
    """A throwaway site that Django and the keeper work on.

    A fixture `filling` that a module has, a function that fills the database and takes long, is run once; each test
    that asks for it has a copy of the outcome, and what the function returned as `site.filled`."""
    from django.db import connections

    from troth.newsletter import consent_texts
    from troth.vault import keeper

    made = make_site(tmp_path / "site")
    settings.TROTH_SITE = made
    settings.TROTH_CONFIG = Config(
        site=SiteSection(name="Example Software", url="http://127.0.0.1:18300"),
        newsletter=NewsletterSection(
            similar_addresses_per_day=500, emails_per_new_domain_per_hour=500
        ),  # tests' people look alike
    )
    before = connections.databases["default"]
    with django_db_blocker.unblock():
        template = request.getfixturevalue(f"{database}_template")
        if "filling" in request.fixturenames:
            template, told = _filled(request, template, request.getfixturevalue("filling"))
            object.__setattr__(made, "filled", told)
        name = made.database if database == "sqlite" else f"site{next(_numbers)}"
        _work_on_a_copy(request, template, name)
        consent_texts.keep("yes")  # what the sign-ups of these tests agree to
        yield made
        if keeper._keeper.cache_info().currsize:
            keeper.keeper().close()
        keeper._keeper.cache_clear()
        connections.close_all()
        if database != "sqlite":
            # A child that was killed may hold a connection.
            request.getfixturevalue("postgres_server").execute(f"DROP DATABASE {name} WITH (FORCE)")
        connections.databases["default"] = before
        with contextlib.suppress(AttributeError):  # a test that asked nothing of the database
            del connections["default"]
