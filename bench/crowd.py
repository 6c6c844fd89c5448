"""A crowd of invented people in a CSV file, and a throwaway site to take them in, on SQLite or PostgreSQL.

The same number always makes the same person, so that a benchmark knows whom to look for. One in twenty has a name word
that 50,000 of a million share.
"""

import csv
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.site import free_port, settings
from trial.postgres import Postgres
from troth import scaffold

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
def server(kind: str) -> Iterator[str]:
    """The address of a database of this kind: a PostgreSQL of our own, or nothing for SQLite."""
    if kind == "sqlite":
        yield ""
        return
    with Postgres() as made:
        yield made.url


@contextmanager
def site(kind: str) -> Iterator[Path]:
    """An empty site of this kind, removed afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="troth-crowd-"))
    try:
        with server(kind) as url:
            yield make(folder / "site", url)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def make(root: Path, url: str) -> Path:
    """A new site in `root`, with Django pointed at it."""
    from troth import standing

    if not root.exists():
        scaffold.init(root, name="Example Software", url="http://127.0.0.1:8080")
    (root / "troth.toml").write_text(settings(free_port(), free_port(), smtp=9, proof=False, database=url))
    standing.in_site(root)
    return root


def take_in(path: Path, tell: Any = lambda *_: None) -> dict[str, int]:
    """Import the file into the site that Django points at; returns what became of its rows."""
    from troth.promises import csvfile, importmap, importrows, imports

    shape = csvfile.find_shape(path)
    columns = importmap.find_mapping(imports.headers(path, shape), {})
    judge = importrows.Judge(columns, importrows.Ground("Send me the newsletter."))
    job = imports.Import(path, shape, columns, judge, "bench", "bench")
    found = imports.examine(job, tell)
    return dict(imports.carry_out(job, found, tell))


COUNT = int(os.environ.get("TROTH_CROWD", "1000000"))
"""How many people."""
