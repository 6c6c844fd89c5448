"""Counted and synced hits a second, beside the rate at which the same server answers and does nothing else.

    python -m bench.hits [FRONTS]

The whole house but the worker, which stands still: its share is measured by `bench.fold`. Visitors, pages, sources and
agents are many and unevenly spread, one hit in fifteen is a robot's. One run: the empty handler, all the load that the
connections carry, half of the asked rate at even steps, the empty handler again. Prints one JSON line.
"""

import json
import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx

from bench.signups import resident_mib
from bench.site import running

GOAL, GOAL_SHARE = 6_000, 0.30
SECONDS, CONNECTIONS = 8, 64
_VISITORS, _PAGES = 20_000, 2_000
_CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{}.0.0.0 Safari/537.36"
_EMPTY = """
import asyncio, socket, sys, uvicorn
from troth.front.http.protocol import PatientProtocol
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})
config = uvicorn.Config(app, loop="asyncio", http=PatientProtocol, ws="none", lifespan="off", interface="asgi3",
                        log_config=None, access_log=False, server_header=False, proxy_headers=False)
asyncio.run(uvicorn.Server(config).serve(sockets=[socket.socket(fileno=int(sys.argv[1]))]))
"""


def hits(count: int, base: str, *, seed: int = 1) -> tuple[list[str], list[str]]:
    """So many beacons to the site at `base`, and the header lines that come with each."""
    lot = random.Random(seed)
    agents = [
        _CHROME.format(system, version)
        for system in ("Windows NT 10.0; Win64; x64", "X11; Linux x86_64", "Macintosh; Intel Mac OS X 10_15_7")
        for version in range(110, 127)
    ]
    agents += ["Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"] * 4
    sources = ["", "", "https://www.google.com/", "https://news.ycombinator.com/", "https://www.reddit.com/r/x"]
    bodies, heads = [], []
    for _ in range(count):
        visitor = lot.randrange(_VISITORS)
        page = int(lot.paretovariate(0.9)) % _PAGES
        kind = lot.choices(["v", "t"], [4, 1])[0]
        told = {"k": kind, "u": f"{base}/docs/page-{page}"}
        told |= {"s": str(lot.randrange(5, 200))} if kind == "t" else {"r": lot.choice(sources), "w": "1280"}
        bodies.append(urlencode(told))
        address = f"203.{visitor >> 8 & 255}.{visitor & 255}.{1 + visitor % 250}"
        heads.append(
            f"User-Agent: {agents[visitor % len(agents)]}\r\nAccept-Language: de-DE,de;q=0.9\r\n"
            f"X-Forwarded-For: {address}\r\n"
        )
    return bodies, heads


def drive(port: int, path: str, bodies: list[str], heads: list[str], rate: float | None) -> dict[str, Any]:
    """Let the load generator loose, in a process of its own."""
    job = {"port": port, "path": path, "bodies": bodies, "heads": heads, "good": 204}
    job |= {"connections": CONNECTIONS, "rate": rate, "seconds": SECONDS}
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=json.dumps(job), text=True, capture_output=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@contextmanager
def empty() -> Iterator[int]:
    """The same server with nothing behind it; its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        command = [sys.executable, "-c", _EMPTY, str(listener.fileno())]
        process = subprocess.Popen(command, pass_fds=[listener.fileno()])
        port: int = listener.getsockname()[1]
        try:
            httpx.get(f"http://127.0.0.1:{port}/")
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _empty_rate(bodies: list[str], heads: list[str]) -> float:
    with empty() as port:
        rate: float = drive(port, "/hit", bodies, heads, None)["per_second"]
    return rate


def main(fronts: int = 1) -> None:
    """Measure and print."""
    with running(proof=False, fronts=fronts) as site:
        bodies, heads = hits(200_000, f"http://127.0.0.1:{site.port}")
        before = _empty_rate(bodies, heads)
        worker = site.supervisor.processes()["worker"]
        os.kill(worker, signal.SIGSTOP)
        full = drive(site.port, "/hit", bodies, heads, None)
        half = drive(site.port, "/hit", bodies, heads, GOAL / 2)
        memory = resident_mib(site.supervisor.processes()["front 0"])
        os.kill(worker, signal.SIGCONT)
    alone = (before + _empty_rate(bodies, heads)) / 2
    found = {
        "bench": "hits",
        "fronts": fronts,
        "hits_per_second": full["per_second"],
        "goal": GOAL,
        "p50_ms_at_half_the_goal": half["p50_ms"],
        "p99_ms_at_half_the_goal": half["p99_ms"],
        "empty_handler_per_second": round(alone),
        "ratio_to_empty_handler": round(full["per_second"] / alone, 3),
        "goal_ratio": GOAL_SHARE,
        "front_mib": memory,
        "refused": {key: n for run in (full, half) for key, n in run["statuses"].items() if key != "204"},
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
