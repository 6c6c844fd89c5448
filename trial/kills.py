"""A thousand kills under load: what was acknowledged is filed, and no mail goes twice unnoticed (WALL 4).

Front, clerk, worker and office are killed with SIGKILL, one at a time and at random moments, while sign-ups come in at
an even rate; half-way the database is stopped (PostgreSQL) or locked (SQLite) for a while. Then everything is
left to catch up, and three lists are compared: the forms that were acknowledged, the people who can be found, the mails
that the relay took.

    python -m trial.kills [--rounds 1000] [--rate 300] [--every 0.4] [--outage 20] [--quiet 75] [--settle 120]
                          [--database sqlite|postgresql]

Prints progress to stderr and one JSON line to stdout; ends with 1 where anything was lost or doubled unnoticed.
"""

import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.site import Running, free_port, running
from trial.postgres import Postgres
from troth.core import frames
from troth.supervisor.supervisor import Child

_KILLED_IN_START = 0.1
_FILED_WITHIN = 900.0
_FAULTS = (
    "acknowledged_not_filed",
    "filed_twice",
    "without_mail",
    "sent_but_not_received",
    "doubled_unnoticed",
    "set_aside",
)
"""What must be zero at the end."""


@dataclass
class Plan:
    """What to do to the site."""

    rounds: int
    rate: float
    every: float
    outage: float
    quiet: float
    settle: float
    postgres: Postgres | None

    @property
    def seconds(self) -> float:
        """How long the load lasts at most; it ends with the last kill."""
        return self.rounds * (self.every + 0.6) + self.outage + 30


def say(text: str) -> None:
    """Progress, to stderr."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Trial:
    """One run."""

    def __init__(self, plan: Plan, site: Running, folder: Path) -> None:
        self._plan, self._site, self._folder = plan, site, folder
        self._kills: Counter[str] = Counter()
        self._draw = random.Random(2026)
        self._lots: dict[int, tuple[float, float]] = {}

    def _turn(self) -> None:
        """Let the supervisor bury and start; a process that gave up for good ends the trial."""
        self._site.supervisor._turn(0.02)
        if self._site.supervisor._fatal:
            raise self._site.supervisor._fatal

    def _turn_until(self, moment: float) -> None:
        while time.monotonic() < moment:
            self._turn()

    def run(self) -> dict[str, Any]:
        """Load, kills, outage, rest; then compare."""
        job = {
            "port": self._site.port,
            "connections": 40,
            "rate": self._plan.rate,
            "seconds": self._plan.seconds,
            "accepted_to": str(self._folder / "accepted"),
            **self._load(int(self._plan.rate * self._plan.seconds) + 1),
        }
        with subprocess.Popen(
            [sys.executable, "-m", "bench.load"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as load:
            assert load.stdin is not None and load.stdout is not None
            load.stdin.write(json.dumps(job))
            load.stdin.close()
            self._kill_rounds()
            load.terminate()
            while load.poll() is None:
                self._turn()
            told = json.loads(load.stdout.read())
        say(f"load ended: {told['accepted']} of {told['asked']} acknowledged; catching up")
        self._catch_up()
        self._site.supervisor.stop()
        return {"load": told, **self._compare(told)}

    def _load(self, count: int) -> dict[str, Any]:
        """What of the load generator's job says what is sent."""
        return {"path": "/newsletter", "bodies": self._site.bodies(count, proof=False)}

    def _kill_rounds(self) -> None:
        for number in range(self._plan.rounds):
            self._turn_until(time.monotonic() + self._draw.uniform(0.2, 1.8) * self._plan.every)
            self._kill_one()
            if number == self._plan.rounds // 2 and self._plan.outage:
                self._outage()
            if (number + 1) % 50 == 0:
                mails = sum(1 for _ in (self._folder / "mails").open())
                say(f"{number + 1} kills, {mails} mails so far")

    def _kill_one(self) -> None:
        """Kill one process whose time has come, of the role that was killed least so far; wait for one if need be."""
        while not (due := [child for child in self._site.supervisor._children if self._due(child)]):
            self._turn()
        child = min(due, key=lambda one: self._kills[one.brief.role])
        assert child.process is not None
        child.process.send_signal(signal.SIGKILL)
        self._kills[child.brief.role] += 1

    def _due(self, child: Child) -> bool:
        """Whether a process has lived as long as its lot says: up to three seconds of service, or not even its start.

        Not at once whenever one is up: its next start would come later and later, nobody would serve for long, little
        would be acknowledged, and so little could be lost.
        """
        if child.process is None or child.process.poll() is not None:
            return False
        now, pid = time.monotonic(), child.process.pid
        if pid not in self._lots:
            in_start = self._draw.random() < _KILLED_IN_START
            self._lots[pid] = (now + self._draw.uniform(0, 0.5) if in_start else 0.0, self._draw.uniform(0.1, 3))
        at, life = self._lots[pid]
        if at:
            return now >= at
        return child.ready_at is not None and now >= child.ready_at + life

    def _outage(self) -> None:
        say(f"the database goes away for {self._plan.outage:.0f} s")
        end = time.monotonic() + self._plan.outage
        if self._plan.postgres:
            self._plan.postgres.stop()
            self._turn_until(end)
            self._plan.postgres.start()
        else:
            held = sqlite3.connect(self._site.root / "data" / "troth.sqlite3", isolation_level=None, timeout=0.05)
            self._hold(held)
            self._turn_until(end)
            held.execute("ROLLBACK")
            held.close()
        say("the database is back")

    def _hold(self, held: sqlite3.Connection) -> None:
        """Take SQLite's write lock; while the worker holds it, wait for it as anybody must."""
        while True:
            try:
                held.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError:
                self._turn()
            else:
                return

    def _catch_up(self) -> None:
        """Wait until nothing is left to file and no mail came for a while; mails may wait at the end, forms may not."""
        before, since = -1, time.monotonic()
        until, end = since + self._plan.settle, since + _FILED_WITHIN
        while time.monotonic() < min(until, since + self._plan.quiet) or (
            self._left_to_file() and time.monotonic() < end
        ):
            self._turn_until(time.monotonic() + 2)
            mails = sum(1 for _ in (self._folder / "mails").open())
            if mails != before:
                before, since = mails, time.monotonic()

    def _left_to_file(self) -> bool:
        """Whether a segment is there that has frames and that the worker has not given back to the clerk."""
        sizes = [path.stat().st_size for path in (self._site.root / "spool").glob("*.seg") if path.exists()]
        return len([size for size in sizes if size > frames.HEADER_SIZE]) > 0

    def _compare(self, told: dict[str, Any]) -> dict[str, Any]:
        accepted = [int(line) for line in (self._folder / "accepted").read_text().split()]
        mails = [line.split() for line in (self._folder / "mails").read_text().splitlines()]
        job = {"accepted": accepted, "mails": Counter(message for _, message in mails)}
        done = subprocess.run(
            [sys.executable, "-m", "trial.compare"],
            input=json.dumps(job),
            env={**os.environ, "TROTH_SITE": str(self._site.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        return {**found, "kills": dict(self._kills)}


def main() -> int:
    """Run the trial; 0 where nothing was lost and nothing doubled unnoticed."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--rounds", type=int, default=1000)
    options.add_argument("--rate", type=float, default=300)
    options.add_argument("--every", type=float, default=0.4)
    options.add_argument("--outage", type=float, default=20)
    options.add_argument("--quiet", type=float, default=75, help="it is over when no mail came for so many seconds")
    options.add_argument(
        "--settle", type=float, default=120, help="and no longer than this after the last form is filed"
    )
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = options.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="troth-trial-")))
        (folder / "mails").touch()
        postgres = stack.enter_context(Postgres()) if chosen.database == "postgresql" else None
        smtp = free_port()
        sink = subprocess.Popen(
            [sys.executable, "-m", "trial.mailsink", str(smtp), str(folder / "mails")],
            stdout=subprocess.PIPE,
            text=True,
        )
        stack.callback(sink.wait)
        stack.callback(sink.terminate)
        assert sink.stdout is not None and sink.stdout.readline() == "ready\n"
        url = postgres.url if postgres else ""
        site = stack.enter_context(running(proof=False, fronts=2, smtp=smtp, database=url))
        say(f"{chosen.rounds} kills, {chosen.rate:.0f} sign-ups/s, {chosen.database}")
        result = Trial(
            Plan(chosen.rounds, chosen.rate, chosen.every, chosen.outage, chosen.quiet, chosen.settle, postgres),
            site,
            folder,
        ).run()
    faults = (
        "acknowledged_not_filed",
        "filed_twice",
        "sent_but_not_received",
        "without_mail",
        "doubled_unnoticed",
        "set_aside",
    )
    lost = any(result[fault] for fault in faults)
    print(json.dumps({"trial": "kills", "database": chosen.database, "held": not lost, **result}))
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
