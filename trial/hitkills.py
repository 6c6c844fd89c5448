"""A thousand kills under hits: every hit that was answered is counted once, none is counted twice (WALL 4).

Front, clerk, worker and office are killed with SIGKILL as in `trial.kills`. A hundred hits in a row are for one page of
their own; a page all of whose hits were answered must have exactly as many views, any other at least as many as were
answered and no more than were sent.

    python -m trial.hitkills [--rounds 1000] [--rate 300] [--fronts 1] [--every 0.4] [--outage 20]
                             [--database sqlite|postgresql]

Prints progress to stderr and one JSON line to stdout; ends with 1 where anything was lost or counted twice.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from bench.site import running
from trial.kills import Plan, Trial, say
from trial.postgres import Postgres

_IN_A_ROW = 100
_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"
_FILED_WITHIN = 300.0
_READ = """
import django, json
django.setup()
from datetime import date, timedelta
from troth.audience.counting.cells import Dim
from troth.audience.queries.queries import Period, Query, answer
today = date.today()
days = Period(today - timedelta(days=1), today + timedelta(days=1))
rows = answer(Query(days, dim=Dim.PAGE, limit=100_000)).rows
from troth.vault.models import AsideItem
print(json.dumps([{row.name: row.totals.views for row in rows}, AsideItem.objects.count()]))
"""


def page(number: int) -> str:
    """The page of a hit."""
    return f"/p{number // _IN_A_ROW}"


class HitTrial(Trial):
    """One run."""

    def _load(self, count: int) -> dict[str, Any]:
        base = f"http://127.0.0.1:{self._site.port}"
        bodies = [urlencode({"k": "v", "u": f"{base}{page(number)}"}) for number in range(count)]
        heads = [
            f"User-Agent: {_AGENT}\r\nX-Forwarded-For: 198.18.{visitor // 256}.{visitor % 256}\r\n"
            for visitor in range(3_000)
        ]
        return {"path": "/hit", "bodies": bodies, "heads": heads, "good": 204}

    def _catch_up(self) -> None:
        end = time.monotonic() + _FILED_WITHIN
        while self._left_to_file() and time.monotonic() < end:
            self._turn_until(time.monotonic() + 2)
        self._turn_until(time.monotonic() + 5)

    def _compare(self, told: dict[str, Any]) -> dict[str, Any]:
        answered = Counter(page(int(line)) for line in (self._folder / "accepted").read_text().split())
        sent = Counter(page(number) for number in range(told["asked"]))
        done = subprocess.run(
            [sys.executable, "-c", _READ],
            env={**os.environ, "TROTH_SITE": str(self._site.root), "DJANGO_SETTINGS_MODULE": "troth.django_settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        counted, aside = json.loads(done.stdout)
        whole = [one for one in sent if answered[one] == sent[one]]
        return {
            "answered": sum(answered.values()),
            "counted": sum(counted.get(one, 0) for one in sent),
            "pages": len(sent),
            "pages_all_answered": len(whole),
            "hits_on_these": sum(sent[one] for one in whole),
            "lost": sum(max(0, answered[one] - counted.get(one, 0)) for one in sent),
            "counted_twice": sum(max(0, counted.get(one, 0) - sent[one]) for one in sent),
            "set_aside": aside,
            "kills": dict(self._kills),
        }


def main() -> int:
    """Run the trial; 0 where nothing was lost and nothing counted twice."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=1000)
    options.add_argument("--rate", type=float, default=300)
    options.add_argument("--fronts", type=int, default=1)
    options.add_argument("--every", type=float, default=0.4)
    options.add_argument("--outage", type=float, default=20)
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="troth-trial-")))
        (folder / "mails").touch()
        postgres = stack.enter_context(Postgres()) if chosen.database == "postgresql" else None
        more = "[audience]\nmin_visitors = 1"
        url = postgres.url if postgres else ""
        site = stack.enter_context(running(proof=False, fronts=chosen.fronts, database=url, more=more))
        say(f"{chosen.rounds} kills, {chosen.rate:.0f} hits/s, {chosen.fronts} front(s), {chosen.database}")
        plan = Plan(chosen.rounds, chosen.rate, chosen.every, chosen.outage, 0, 0, postgres)
        result = HitTrial(plan, site, folder).run()
    held = not any(result[fault] for fault in ("lost", "counted_twice", "set_aside"))
    told = {"trial": "hitkills", "database": chosen.database, "fronts": chosen.fronts, "held": held, **result}
    print(json.dumps(told))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
