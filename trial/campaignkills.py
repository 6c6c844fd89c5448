"""A campaign under kills: each recipient ends in exactly one state, and nobody gets it twice unnoticed (WALL 4).

Worker and SMTP server are killed with SIGKILL at random moments: while recipients are written down, while emails leave,
while the worker starts. Once the campaign is sent, what the database says of each recipient is compared with what the
SMTP server took; then what is uncertain is sent again, after which everybody must have it.

    python -m trial.campaignkills [--recipients 50000] [--rounds 200] [--short] [--database sqlite|postgresql]

`--short`: 500 recipients and 15 kills. Prints progress to stderr and one JSON line to stdout; ends with 1 where a
recipient is missing, is counted twice, or got the email twice without a mark.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from bench.site import CONSENT, Running, free_port, running
from trial.kills import Plan, Trial, say
from trial.postgres import Postgres

_TROTH = [sys.executable, "-c", "from troth.cli import main; main()"]
_TEXT = "Hello {{ first_name | there }},\n\nhere is what is new: [read on](https://www.example.com/news).\n"
_SHORT_RECIPIENTS, _SHORT_ROUNDS, _SHORT_ANSWER = 500, 15, 0.05
_SINK_KILLS, _KILLED_IN_START = 0.4, 0.2
_NO_MAIL_SECONDS = 5.0
"""After so long without a mail, the next kill comes all the same: what failed waits for a minute."""
_SENT_WITHIN = 3_600.0
_FAULTS = (
    "not_written_down",
    "does_not_add_up",
    "unfinished",
    "sent_but_not_received",
    "received_but_called_unsent",
    "doubled_unnoticed",
    "of_nobody",
)
"""What must be zero at the end."""
_COMPARE = """
import django, json, sys
django.setup()
from collections import Counter
from troth.gate.models import Delivery
from troth.newsletter.campaigns import sending
from troth.newsletter.models import Campaign, Subscription
job = json.load(sys.stdin)
campaign, mails = Campaign.objects.get(), job["mails"]
progress = sending.progress(campaign.id)
columns = ("message_id", "person", "state", "next_at", "maybe_twice")
rows = {row[0]: row[1:] for row in Delivery.objects.filter(about=campaign.id).values_list(*columns)}
people = {row[0] for row in rows.values()}
wanted = set(Subscription.objects.filter(state="confirmed").values_list("person", flat=True))
over = {"sent", "failed", "suppressed", "skipped", "uncertain"}
states = Counter(row[1] for row in rows.values())
twice = [message for message, times in mails.items() if times > 1]
print(json.dumps({
    "audience": progress.audience,
    **states,
    "not_written_down": len(wanted ^ people) + abs(job["recipients"] - progress.audience),
    "does_not_add_up": int(not progress.adds_up or progress.audience != len(rows)),
    "unfinished": sum(row[1] not in over or row[2] is not None for row in rows.values()),
    "sent_but_not_received": sum(row[1] == "sent" and message not in mails for message, row in rows.items()),
    "received_but_called_unsent": sum(
        row[1] in ("failed", "suppressed", "skipped") and message in mails for message, row in rows.items()
    ),
    "marked_maybe_twice": sum(row[3] for row in rows.values()),
    "doubled": len(twice),
    "doubled_unnoticed": sum(1 for message in twice if message in rows and not rows[message][3]),
    "never_received": sum(message not in mails for message in rows),
    "of_nobody": sum(1 for message in mails if message not in rows),
}))
"""


class Sink:
    """The SMTP server, which can be killed; it comes back on the same port."""

    def __init__(self, port: int, path: Path, answer: float) -> None:
        self._words = ["-m", "trial.mailsink", str(port), str(path), str(answer)]
        self._start()

    def _start(self) -> None:
        self._process = subprocess.Popen([sys.executable, *self._words], stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None and self._process.stdout.readline() == "ready\n"

    def kill(self) -> None:
        """Kill it, and start it anew."""
        self.end()
        self._start()

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()


class CampaignTrial(Trial):
    """One run."""

    def __init__(self, plan: Plan, site: Running, folder: Path, sink: Sink, recipients: int) -> None:
        super().__init__(plan, site, folder)
        self._sink, self._recipients = sink, recipients

    def run(self) -> dict[str, Any]:
        """Import subscribers, send the campaign, kill, wait until it is sent; then compare."""
        self._import()
        begun = time.monotonic()
        campaign = self._send()
        self._kill_rounds()
        say("no more kills; waiting for the end")
        self._wait(campaign)
        found = {"seconds": round(time.monotonic() - begun), **self._compare({})}
        say(f"{found.get('uncertain', 0)} are uncertain; sending these again")
        self._troth("campaign", "retry", campaign, "--state", "uncertain", "--json")
        self._wait(campaign)
        found["after_retry"] = self._compare({})
        self._site.supervisor.stop()
        return found

    def _wait(self, campaign: str) -> None:
        end = time.monotonic() + _SENT_WITHIN
        while (state := self._state(campaign)) != "sent":
            if time.monotonic() > end:
                raise SystemExit(f"the campaign is still {state}")
            self._turn_until(time.monotonic() + 3)

    def _import(self) -> None:
        rows = (f"reader{number}@example.com,Reader {number}" for number in range(self._recipients))
        people = self._folder / "people.csv"
        people.write_text("\n".join(("email,name", *rows)) + "\n")
        self._troth("people", "import", str(people), "--consent", CONSENT, "--consent-date", "2026-01-31", "--json")
        say(f"{self._recipients} subscribers")

    def _send(self) -> str:
        text = self._folder / "news.md"
        text.write_text(_TEXT)
        made = self._troth("campaign", "send", str(text), "--subject", "News", "--no-wait", "--json")
        return str(json.loads(made)["id"])

    def _state(self, campaign: str) -> str:
        return str(json.loads(self._troth("campaign", "show", campaign, "--json"))["state"])

    def _troth(self, *words: str) -> str:
        """Run a command of ours while the supervisor goes on; return what it prints."""
        command = [*_TROTH, *words, "--site", str(self._site.root)]
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(command, stdout=said, stderr=sys.stderr)
            while process.poll() is None:
                self._turn()
            if process.returncode:
                raise SystemExit(f"troth {' '.join(words[:2])} ended with {process.returncode}")
            said.seek(0)
            return said.read()

    def _kill_rounds(self) -> None:
        """Kill at moments that are spread over the campaign: each after a random number of mails since the last."""
        mails_between = max(1, int(1.2 * self._recipients / self._plan.rounds))
        before = self._mails()
        for number in range(self._plan.rounds):
            wanted = self._draw.randint(1, mails_between) if number else 0  # the first while people are written down
            until = time.monotonic() + _NO_MAIL_SECONDS
            while self._mails() < before + wanted and time.monotonic() < until:
                self._turn()
            self._turn_until(time.monotonic() + self._draw.uniform(0, 0.2))
            self._kill_one()
            before = self._mails()
            if (number + 1) % 20 == 0:
                say(f"{number + 1} kills, {before} mails so far")

    def _mails(self) -> int:
        return (self._folder / "mails").read_bytes().count(b"\n")

    def _kill_one(self) -> None:
        if self._draw.random() < _SINK_KILLS:
            self._sink.kill()
            self._kills["smtp"] += 1
            return
        worker = next(child for child in self._site.supervisor._children if child.brief.role == "worker")
        in_start = self._draw.random() < _KILLED_IN_START
        while worker.process is None or worker.process.poll() is not None or not (in_start or worker.ready_at):
            self._turn()
        worker.process.send_signal(signal.SIGKILL)
        self._kills["worker"] += 1

    def _compare(self, told: dict[str, Any]) -> dict[str, Any]:
        mails = [line.split() for line in (self._folder / "mails").read_text().splitlines()]
        by_address = {(address, message) for address, message in mails}
        job = {"recipients": self._recipients, "mails": Counter(message for _, message in mails)}
        done = subprocess.run(
            [sys.executable, "-c", _COMPARE],
            input=json.dumps(job),
            env={**os.environ, "TROTH_SITE": str(self._site.root), "DJANGO_SETTINGS_MODULE": "troth.django_settings"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        found: dict[str, Any] = json.loads(done.stdout)
        found["of_nobody"] += len(by_address) - len({address for address, _ in by_address})
        return {**found, "mails": len(mails), "kills": dict(self._kills)}


def main() -> int:
    """Run the trial; 0 where every recipient is accounted for."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--recipients", type=int)
    options.add_argument("--rounds", type=int)
    options.add_argument("--short", action="store_true")
    options.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    chosen = options.parse_args()
    recipients = chosen.recipients or (_SHORT_RECIPIENTS if chosen.short else 50_000)
    rounds = chosen.rounds or (_SHORT_ROUNDS if chosen.short else 200)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="troth-trial-")))
        (folder / "mails").touch()
        postgres = stack.enter_context(Postgres()) if chosen.database == "postgresql" else None
        smtp = free_port()
        sink = Sink(smtp, folder / "mails", _SHORT_ANSWER if chosen.short else 0.0)
        stack.callback(sink.end)
        site = stack.enter_context(running(proof=False, smtp=smtp, database=postgres.url if postgres else ""))
        say(f"{recipients} recipients, {rounds} kills, {chosen.database}")
        plan = Plan(rounds, 0, 0, 0, 0, 0, postgres)
        result = CampaignTrial(plan, site, folder, sink, recipients).run()
    held = not any(found[fault] for found in (result, result["after_retry"]) for fault in _FAULTS)
    held = held and result["after_retry"]["never_received"] == 0
    told = {"trial": "campaignkills", "database": chosen.database, "recipients": recipients, "held": held, **result}
    print(json.dumps(told))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
