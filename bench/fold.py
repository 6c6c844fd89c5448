"""Hits folded a second: what fronts said they counted is added to the tables, on both databases.

A day of generated visits goes through a real counter, which is emptied every so many hits, as each group commit does;
then one process unpacks and folds that, so many commits to a transaction, and commits. Beside it stands how many rows a
second the same statement adds with nothing else done, and how many hits a second the counter counts.

    python -m bench.fold [--hits 100000] [--commit 100] [--together 50]

Prints one JSON line.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from bench.site import settings
from trial.postgres import Postgres, binaries
from troth.core.site import Site
from troth.operate import create_site

GOAL = 50_000
DAY = date(2026, 11, 25)


def counted(hits: int, commit: int) -> tuple[list[bytes], float]:
    """So many hits as a front packs them, and how many a second it counted."""
    from bench.traffic import World, draw
    from bench.traffic import hits as hits_of
    from troth.audience.counting.commit import pack
    from troth.audience.counting.counter import Counter
    from troth.audience.counting.name_threshold import NameThreshold

    world = World()
    seen = list(hits_of(draw(world, DAY, hits)))
    counter, packed, begun = Counter(world.site, NameThreshold(3, world.known), b"k" * 32), [], time.perf_counter()
    midnight = datetime.combine(DAY, datetime.min.time())
    for number, (at, one) in enumerate(seen, 1):
        counter.count(one, float(at))
        if (number % commit == 0 or number == len(seen)) and (taken := counter.take(midnight + timedelta(seconds=at))):
            packed.append(pack(taken))
    return packed, len(seen) / (time.perf_counter() - begun)


def fold(hits: int, commit: int, together: int) -> None:
    """In a process of its own, on the site that TROTH_SITE names: fold it all, print what it took."""
    import django

    django.setup()
    from itertools import batched

    from django.core.management import call_command
    from django.db import transaction

    from troth.audience.counting.commit import unpack
    from troth.audience.models import Day, Hour
    from troth.audience.storage import fold

    call_command("migrate", verbosity=0, interactive=False)
    packed, counting = counted(hits, commit)
    folding, sums, upserts = fold.CellFold(), 0, list[tuple[Any, ...]]()
    real = fold._upsert

    def noted(table: str, key: Any, figures: Any, written: Any) -> None:
        upserts.append((table, key, figures, written))
        real(table, key, figures, written)

    begun = time.perf_counter()
    for some in batched(packed, together):
        with transaction.atomic(), fold.uncollected():
            sums += folding.fold([unpack(one) for one in some])
    took = time.perf_counter() - begun
    views = Day.objects.get(kind=0).views
    Day.objects.all().delete()
    Hour.objects.all().delete()
    fold._upsert = noted
    folding.forget()
    for some in batched(packed, together):
        with transaction.atomic():
            folding.fold([unpack(one) for one in some])
    Day.objects.all().delete()
    Hour.objects.all().delete()
    raw = time.perf_counter()
    for one in upserts:
        with transaction.atomic():
            real(*one)
    raw = time.perf_counter() - raw
    rows = sum(len(written) for *_, written in upserts)
    told = {"seconds": took, "sums": sums, "rows": rows, "raw": raw, "counting": counting, "views": views}
    print(json.dumps(told))


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--hits", type=int, default=100_000)
    options.add_argument("--commit", type=int, default=100)
    options.add_argument("--together", type=int, default=50)
    options.add_argument("--fold", action="store_true", help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.fold:
        return fold(chosen.hits, chosen.commit, chosen.together)
    found: dict[str, Any] = {"bench": "fold", "goal": GOAL, "hits": chosen.hits, "hits_a_commit": chosen.commit}
    found |= {"commits_a_transaction": chosen.together}
    with ExitStack() as stack:
        databases = {"sqlite": ""}
        if binaries():
            databases["postgresql"] = stack.enter_context(Postgres()).url
        for name, url in databases.items():
            found |= {f"{name}_{key}": value for key, value in measure(chosen, url).items()}
    print(json.dumps(found | {"load": round(os.getloadavg()[0], 1)}))
    return None


def measure(chosen: argparse.Namespace, database: str) -> dict[str, Any]:
    """One database."""
    with tempfile.TemporaryDirectory(prefix="troth-bench-") as folder:
        site = Site(Path(folder) / "site")
        create_site.init(site.root, name="Example Software", url="http://127.0.0.1:18300")
        site.config.write_text(settings(18300, 18301, smtp=9, proof=False, database=database))
        arguments = [f"--{name}={getattr(chosen, name)}" for name in ("hits", "commit", "together")]
        done = subprocess.run(
            [sys.executable, "-m", "bench.fold", "--fold", *arguments],
            env={**os.environ, "TROTH_SITE": str(site.root), "DJANGO_SETTINGS_MODULE": "troth.django_settings"},
            capture_output=True,
            text=True,
            check=True,
        )
        told: dict[str, Any] = json.loads(done.stdout)
        per_second = chosen.hits / told["seconds"]
        rows = told["rows"] / told["raw"]
        return {
            "hits_per_second": round(per_second),
            "sums_a_hit": round(told["sums"] / chosen.hits, 1),
            "rows_a_hit": round(told["rows"] / chosen.hits, 1),
            "rows_per_second_raw": round(rows),
            "ratio_to_raw": round(told["raw"] / told["seconds"], 2),
            "counted_per_second": round(told["counting"]),
        }


if __name__ == "__main__":
    main()
