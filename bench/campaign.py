"""How many emails of a campaign leave in a second, and what each costs in processor time.

    python -m bench.campaign [sqlite|postgresql] [--unsigned] [--letters 20000] [--connections 10]

The relay is postfix's `smtp-sink` on this machine, the limit postfix's own `smtp-source` in the same run with as many
connections (Debian: `apt-get install postfix`). Each email is about 10 KB, personalised, multipart. `bench.crowd` says
where the subscribers come from. Prints one JSON line.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench import crowd
from bench.site import free_port

_PARAGRAPH = (
    "Dear {{ first_name | reader }}, this is what is new in our products this month: the editor opens large files in "
    "half the time, the export keeps column widths, and the search finds words in attachments as well. "
)
MARKDOWN = (
    "# News for {{ name | you }}\n\n" + "\n\n".join([_PARAGRAPH * 2] * 6) + "\n\n[Read more](https://example.com/)\n"
)
_SIZE = 10_240


def _tool(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if path is None:
        sys.exit(f"There is no {name}: apt-get install postfix.")
    return path


@contextmanager
def sink(port: int) -> Iterator[int]:
    """postfix's sink on this port; its process id."""
    user = ["-u", "nobody"] if os.geteuid() == 0 else []  # it refuses to be root
    running = subprocess.Popen([_tool("smtp-sink"), *user, f"127.0.0.1:{port}", "1000"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        yield running.pid
    finally:
        running.terminate()
        running.wait()


def source(port: int, connections: int, letters: int) -> float:
    """Letters a second that postfix's own source hands over."""
    command = [_tool("smtp-source"), "-s", str(connections), "-m", str(letters), "-l", str(_SIZE)]
    begun = time.perf_counter()
    subprocess.run([*command, "-f", "a@example.com", "-t", "b@example.com", f"127.0.0.1:{port}"], check=True)
    return letters / (time.perf_counter() - begun)


async def _run(post: object, connections: int, campaign_id: object) -> dict[str, float]:
    from troth.newsletter.campaigns import sending
    from troth.newsletter.models import Campaign
    from troth.worker.loop import Worker

    worker = Worker(post, None, connections=connections)
    running = asyncio.create_task(worker.run())
    marks: dict[str, float] = {}
    begun, frozen_cpu = time.perf_counter(), 0.0
    while True:
        await asyncio.sleep(0.2)
        state = await worker.on_thread(lambda: Campaign.objects.values_list("state", flat=True).get(id=campaign_id))
        if state != "preparing" and "frozen" not in marks:
            marks["frozen"], frozen_cpu = time.perf_counter() - begun, time.process_time()
        if state not in ("preparing", "sending"):
            break
    marks["seconds"] = time.perf_counter() - begun - marks["frozen"]
    marks["cpu"] = time.process_time() - frozen_cpu
    progress = await worker.on_thread(sending.progress, campaign_id)
    worker.stop()
    await running
    return {**marks, **{f"end_{name}": value for name, value in progress.told().items()}}  # type: ignore[dict-item]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", nargs="?", default="sqlite", choices=["sqlite", "postgresql"])
    parser.add_argument("--unsigned", action="store_true")
    parser.add_argument("--letters", type=int, default=20_000)
    parser.add_argument("--connections", type=int, default=10)
    options = parser.parse_args()
    os.environ.setdefault("TROTH_CROWD", str(options.letters))
    crowd.COUNT = int(os.environ["TROTH_CROWD"])
    port = free_port()
    with crowd.filled(options.kind) as root, sink(port):
        limit = source(port, options.connections, 20_000)
        told = _campaign(root, port, options)
        again = source(port, options.connections, 20_000)
        sent = float(told["end_sent"])
        rate = sent / told["seconds"]
        result = {
            "bench": "campaign",
            "database": options.kind,
            "signed": not options.unsigned,
            "connections": options.connections,
            **{name: told[f"end_{name}"] for name in ("audience", "sent", "failed", "uncertain", "state")},
            "frozen_seconds": round(told["frozen"], 1),
            "letters_per_second": round(rate),
            "cpu_us_per_letter": round(told["cpu"] / sent * 1e6),
            "smtp_source_per_second": [round(limit), round(again)],
            "ratio_to_smtp_source": round(rate / ((limit + again) / 2), 3),
            "worker_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "load": crowd.load(),
        }
    print(json.dumps(result))


def _campaign(root: Path, port: int, options: argparse.Namespace) -> dict[str, float]:
    from django.conf import settings

    from troth.core.config.sections import MailSection
    from troth.gate import mailer
    from troth.newsletter.campaigns import drafts, sending

    mail = MailSection(relay=f"smtp://127.0.0.1:{port}", connections=options.connections)
    key = None if options.unsigned else mailer.dkim_key(settings.TROTH_SITE, settings.TROTH_CONFIG.mail)
    draft = drafts.create(subject="News for {{ first_name | you }}")
    drafts.save(draft.id, draft.revision, markdown=MARKDOWN)
    sending.send(draft.id)

    async def work() -> dict[str, float]:
        async with mailer.Post(mail, key, leaks=mailer.leaks(settings.TROTH_CONFIG)) as post:
            return await _run(post, options.connections, draft.id)

    return asyncio.run(work())


if __name__ == "__main__":
    main()
