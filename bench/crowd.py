"""A crowd of invented people in a CSV file, and a site to take them in, on SQLite or PostgreSQL.

`TROTH_CROWD` is how many. `TROTH_CROWD_AT` names a folder where the site is kept, so that the benchmarks that want a
million people make them once: `bench.import` first, then the others. Without it each makes its own and removes it.

The same number always makes the same person, so that a benchmark knows whom to look for. One in twenty has a name word
that 50,000 of a million share.
"""

import csv
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from bench.site import free_port, settings
from trial.postgres import Postgres
from troth.operate import create_site

FIRST = [f"{head}{tail}" for head in ("Bel", "Cor", "Dan", "Fen", "Gil", "Hal", "Jor") for tail in ("a", "in", "o")]
_SYLLABLES = ("ban", "cor", "dil", "fen", "gur", "hol", "jas", "kel", "lum", "mor", "nev", "pol", "ras", "sel", "tor")
HEADERS = ("email", "name", "telephone", "consent_date")


def last_name(number: int) -> str:
    """One of 50,625."""
    parts = []
    for _ in range(4):
        number, rest = divmod(number, len(_SYLLABLES))
        parts.append(_SYLLABLES[rest])
    return "".join(parts).title()


def person(number: int) -> tuple[str, str, str, str]:
    """Row `number` of the file."""
    domain = ("example.com", "example.net", "example.org", f"shop{number % 40_000}.example.com")[number % 4]
    telephone = f"+49 30 {10_000_000 + number}" if number % 3 == 0 else ""
    first = FIRST[number % len(FIRST)]
    day = f"20{15 + number % 10}-{1 + number % 12:02}-{1 + number % 28:02}"
    return f"{first.lower()}.{number}@{domain}", f"{first} {last_name(number * 7919)}", telephone, day


def write(path: Path, count: int) -> None:
    """The file, UTF-8."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADERS)
        writer.writerows(person(number) for number in range(count))


@contextmanager
def server(kind: str, keep: Path | None = None) -> Iterator[str]:
    """The address of a database of this kind: a PostgreSQL of our own, or nothing for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    with Postgres(keep) as made:
        yield made.url


@contextmanager
def site(kind: str) -> Iterator[Path]:
    """A site of this kind with Django pointed at it: empty, and removed afterwards unless `TROTH_CROWD_AT` keeps it."""
    kept = os.environ.get("TROTH_CROWD_AT")
    folder = Path(kept).resolve() / kind if kept else Path(tempfile.mkdtemp(prefix="troth-crowd-"))
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with server(kind, folder / "postgresql" if kept else None) as url:
            yield make(folder / "site", url)
    finally:
        from django.db import connections

        connections.close_all()
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def filled(kind: str) -> Iterator[Path]:
    """The same with `COUNT` people in it, taken in now where nobody is there yet."""
    with site(kind) as root:
        from troth.vault.models import Person

        if not Person.objects.exists():
            take_in(written(root))
        yield root


def written(root: Path) -> Path:
    """The file of all `COUNT` people, beside the site."""
    path = root.parent / "people.csv"
    if not path.exists():
        write(path, COUNT)
    return path


def make(root: Path, url: str) -> Path:
    """A new site in `root`, with Django pointed at it."""
    from troth.operate import site_session

    if not root.exists():
        create_site.init(root, name="Example Software", url="http://127.0.0.1:8080")
    (root / "troth.toml").write_text(settings(free_port(), free_port(), smtp=9, proof=False, database=url))
    site_session.in_site(root)
    return root


def take_in(path: Path, tell: Any = lambda *_: None) -> dict[str, int]:
    """Import the file into the site that Django points at; returns what became of its rows."""
    from troth.people import import_files, import_job, import_rows, import_topics

    options = import_files.ReadingOptions(import_rows.ConsentStatement("Send me the newsletter."))
    files = import_files.files_of(path, options, import_topics.site_topics([]))
    job = import_job.PeopleImport(files, "bench", "bench")
    found = import_job.examine(job, tell)
    return dict(import_job.carry_out(job, found, tell))


COUNT = int(os.environ.get("TROTH_CROWD", "1000000"))
"""How many people."""


def load() -> float:
    """How many processes wanted a core in the last five minutes: what else went on here."""
    return round(os.getloadavg()[1], 1)


def synced_write_ms(folder: Path) -> float:
    """How long this disk takes to keep one page of 4 KiB, in the middle of 50: what each commit waits for at least."""
    times = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(50):
            begun = time.perf_counter()
            os.pwrite(file.fileno(), os.urandom(4096), 0)
            os.fdatasync(file.fileno())
            times.append((time.perf_counter() - begun) * 1000)
    return median(times)
