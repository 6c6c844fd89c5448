"""How long each question of the dashboard takes, and what a hit costs to keep: a year at 1, 10 and 100 million hits.

A year of generated traffic over 5,000 pages (`bench.traffic`) is written as closing writes it: sheets of days and of
the last 100 days' hours, months added up by the closing itself, today in rows with registers. Then each question is
asked over each period, ten times, in a process that does nothing else.

    python -m bench.questions [--millions 1,10,100] [--keep FOLDER]

`--keep`: where generated years stay for the next run. Prints one JSON line.
"""

import argparse
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

from bench.site import settings
from trial.postgres import Postgres, binaries
from troth.core.site import Site
from troth.operate import create_site

GOAL_MS, GOAL_BYTES = 100, 6
LAST = date(2026, 11, 25)
DAYS, HOURS = 365, 100
TIMES = 10


# -- making a year ----------------------------------------------------------------------------------------------------


def make(millions: int, path: Path) -> None:
    """In a process of its own: a year of so many hits, as sheets, pickled day by day."""
    import django

    django.setup()
    from bench.traffic import World, cells, draw
    from troth.audience.storage.column_block import bind

    world, per_day = World(), millions * 1_000_000 / DAYS
    with path.with_suffix(".part").open("wb") as file:
        for back in reversed(range(DAYS)):
            day = LAST - timedelta(days=back)
            drawn = draw(world, day, round(per_day))
            by_day, by_hour = cells(drawn, by_hour=back < HOURS)
            if back:
                told: Any = [(2, kind, day.toordinal(), len(some), bind(some)) for kind, some in by_day.items()] + [
                    (1, kind, day.toordinal(), len(some), bind(some)) for kind, some in by_hour.items()
                ]
            else:
                told = (by_day, by_hour)
            pickle.dump((drawn.hits, len(drawn.visit), told), file)
    path.with_suffix(".part").rename(path)


# -- filling and asking -----------------------------------------------------------------------------------------------


def ask(path: Path) -> None:
    """In a process of its own, on the site that TROTH_SITE names: fill, ask, print."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, interactive=False)
    empty = _size(connection)
    hits, views = _fill(path)
    begun = time.perf_counter()
    from troth.audience.storage.rollup import close_months

    months = close_months(LAST)
    closing = time.perf_counter() - begun
    _settle(connection)
    size = _size(connection) - empty
    from troth.audience.models import Day, Hour, Sheet

    cells = {unit: sum(Sheet.objects.filter(unit=unit).values_list("cells", flat=True)) for unit in (1, 2, 3)}
    rows = Day.objects.count() + Hour.objects.count()
    times = {name: _timed(question) for name, question in _questions()}
    every = sorted(one for some in times.values() for one in some)
    slowest = sorted(times, key=lambda name: -median(times[name]))[:6]
    print(
        json.dumps(
            {
                "hits": hits,
                "views": views,
                "cells": {"hours": cells[1], "days": cells[2], "months": cells[3], "rows_of_today": rows},
                "mb": round(size / 1e6, 1),
                "bytes_a_hit": round(size / hits, 2),
                "bytes_a_cell": round(size / (sum(cells.values()) + rows), 1),
                "closing_a_month_s": round(closing / 11, 2),
                "months": months,
                "questions": len(times),
                "p50_p95_max_ms": [round(every[int(len(every) * share)], 1) for share in (0.5, 0.95)]
                + [round(every[-1], 1)],
                "slowest_p50_ms": {name: round(median(times[name]), 1) for name in slowest},
            }
        )
    )


def _fill(path: Path) -> tuple[int, int]:
    from django.db import transaction

    from bench.traffic import World
    from troth.audience.models import Name, Sheet

    names = [Name(id=number, text=text) for number, text in enumerate(World().names) if text]
    Name.objects.bulk_create(names, batch_size=500)
    hits = views = 0
    with path.open("rb") as file:
        for _ in range(DAYS - 1):
            some, seen, told = pickle.load(file)
            hits, views = hits + some, views + seen
            with transaction.atomic():
                Sheet.objects.bulk_create(
                    [Sheet(unit=u, kind=k, at=at, cells=n, data=data) for u, k, at, n, data in told], batch_size=50
                )
        some, seen, today = pickle.load(file)
        _fill_today(*today)
    return hits + some, views + seen


def _fill_today(by_day: Any, by_hour: Any) -> None:
    from django.db import transaction

    from troth.audience.counting.cells import ALL, SKETCHED, Cell
    from troth.audience.counting.registers import precision
    from troth.audience.storage import fold

    at = LAST.toordinal()
    days = sorted((kind, at, *key, *figures[:4]) for kind, some in by_day.items() for key, figures in some.items())
    hours = sorted(
        (kind, at * 24 + hour, name, 0, *figures[:4])
        for kind, some in by_hour.items()
        for (name, hour), figures in some.items()
    )
    with transaction.atomic():
        fold._upsert("audience_day", fold._KEY, fold._SUMS, days)
        fold._upsert("audience_hour", fold._KEY, fold._SUMS, hours)
        drawn = random.Random(5)
        for kind, some in by_day.items():
            dim, other = fold.dims_of(kind)
            if other is not None or dim not in SKETCHED:
                continue
            for (name, _), figures in some.items():
                bits = precision(ALL if dim == ALL.dim else Cell(dim, "x"))
                rises = [
                    (drawn.randrange(1 << bits), 1 + drawn.randrange(3)) for _ in range(min(figures[4], 1 << bits))
                ]
                if rises:
                    fold._raise({(kind, at, name): rises})


def _settle(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")


def _size(connection: Any) -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT COALESCE(SUM(pg_total_relation_size(oid)), 0) FROM pg_class "
                "WHERE relkind = 'r' AND relname LIKE 'audience%'"
            )
            return int(cursor.fetchone()[0])
        cursor.execute(
            "SELECT (page_count - freelist_count) * page_size "
            "FROM pragma_page_count, pragma_freelist_count, pragma_page_size"
        )
        return int(cursor.fetchone()[0])


def _timed(question: Callable[[], Any]) -> list[float]:
    found = []
    for _ in range(TIMES):
        begun = time.perf_counter()
        question()
        found.append((time.perf_counter() - begun) * 1000)
    return found


def _questions() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Each panel over each period, of all and drilled down, the way that the dashboard asks."""
    from functools import partial

    from troth.audience.counting.cells import PAIRED, Dim
    from troth.audience.queries.queries import Drill, Period, Query, answer, steps

    periods = {
        "today": Period(LAST, LAST),
        "week": Period(LAST - timedelta(days=6), LAST),
        "30 days": Period(LAST - timedelta(days=29), LAST),
        "quarter": Period(date(2026, 7, 1), date(2026, 9, 30)),
        "92 days": Period(LAST - timedelta(days=91), LAST),
        "year": Period(LAST - timedelta(days=364), LAST),
        "worst": Period(date(2025, 12, 2), date(2026, 11, 24)),
    }
    drills = [
        Drill(Dim.PAGE, "/"),
        Drill(Dim.PAGE, "/docs/page-1200"),
        Drill(Dim.SOURCE, "Google"),
        Drill(Dim.SOURCE, "blog-90.example"),
        Drill(Dim.CAMPAIGN, "c-3"),
        Drill(Dim.COUNTRY, "AD"),
    ]
    panels = [Dim.PAGE, Dim.ENTRY, Dim.EXIT, Dim.SOURCE, Dim.CHANNEL, Dim.CAMPAIGN, Dim.COUNTRY, Dim.DEVICE]
    panels += [Dim.BROWSER, Dim.SYSTEM, Dim.LANGUAGE, Dim.SCREEN, Dim.EVENT, Dim.OUTBOUND, Dim.DOWNLOAD]
    for when, period in periods.items():
        yield f"totals, {when}", partial(answer, Query(period))
        yield f"chart, {when}", partial(answer, Query(period, by_time=True))
        for dim in panels:
            yield f"{dim}, {when}", partial(answer, Query(period, dim=dim))
        for drill in drills:
            yield f"totals of {drill.dim} {drill.name}, {when}", partial(answer, Query(period, (drill,)))
            yield f"chart of {drill.dim} {drill.name}, {when}", partial(answer, Query(period, (drill,), by_time=True))
            for dim in panels:
                if (drill.dim, dim) in PAIRED or (dim, drill.dim) in PAIRED:
                    yield f"{dim} of {drill.dim} {drill.name}, {when}", partial(answer, Query(period, (drill,), dim))
        yield f"steps from /, {when}", partial(steps, period, "/")
        yield f"steps, {when}", partial(steps, period)


# -- all of it --------------------------------------------------------------------------------------------------------


def _apart(*arguments: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench.questions", *arguments],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "troth.django_settings", **environment},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return done.stdout


def measure(year: Path, database: str) -> dict[str, Any]:
    """One database, one year."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
        site = Site(Path(folder) / "site")
        create_site.init(site.root, name="Example Software", url="http://127.0.0.1:18300")
        site.config.write_text(settings(18300, 18301, smtp=9, proof=False, database=database))
        told: dict[str, Any] = json.loads(_apart("--ask", str(year), TROTH_SITE=str(site.root)))
        return told


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--millions", default="1,10,100")
    options.add_argument("--keep", type=Path)
    options.add_argument("--databases", default="sqlite,postgresql")
    options.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    options.add_argument("--ask", type=Path, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.make:
        return make(int(chosen.make[0]), Path(chosen.make[1]))
    if chosen.ask:
        return ask(chosen.ask)
    found: dict[str, Any] = {"bench": "questions", "goal_ms": GOAL_MS, "goal_bytes_a_hit": GOAL_BYTES}
    with ExitStack() as stack:
        folder = chosen.keep or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="troth-bench-")))
        folder.mkdir(parents=True, exist_ok=True)
        for millions in map(int, chosen.millions.split(",")):
            year = folder / f"{millions}.year"
            if not year.exists():
                _apart("--make", str(millions), str(year))
            for name in chosen.databases.split(","):
                if name == "postgresql" and binaries() is None:
                    continue
                with ExitStack() as one:
                    url = one.enter_context(Postgres()).url if name == "postgresql" else ""
                    found[f"{name}_{millions}_million"] = measure(year, url)
    print(json.dumps(found | {"load": round(os.getloadavg()[0], 1)}))
    return None


if __name__ == "__main__":
    main()
