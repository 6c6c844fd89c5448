"""A load generator for sign-ups and hits: real HTTP over real connections, as light as Python allows.

Reads a JSON job from stdin, drives the front, prints one JSON line. A process of its own, so that what it costs is not
counted as the front's; on a machine with two cores it still takes its share of them.

    {"port": 8080, "path": "/newsletter", "bodies": [...], "connections": 64, "rate": null, "seconds": 10,
     "accepted_to": null, "heads": [], "good": 303}

`rate`: sign-ups a second at even steps, whatever the answers take (latency counts from the planned moment, so a queue
is not hidden); null: as fast as the connections allow. `accepted_to`: a file for the numbers of the bodies that were
acknowledged, one a line, each written before the next request goes out. `heads`: more header lines, one text for each
body, in turn. `good`: the status of an acknowledgement. SIGTERM ends it early.
"""

import asyncio
import json
import signal
import sys
import time
from collections import Counter
from typing import Any


class Connection(asyncio.Protocol):
    """One connection with one request in flight."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self._data = b""
        self._answer: asyncio.Future[int] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, end, body = self._data.partition(b"\r\n\r\n")
        if not end:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = (
            int(lowered[at + 15 : lowered.find(b"\r\n", at) if b"\r\n" in lowered[at:] else None]) if at >= 0 else 0
        )
        if len(body) >= length:
            self._data = b""
            if self._answer and not self._answer.done():
                self._answer.set_result(int(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self.transport = None
        if self._answer and not self._answer.done():
            self._answer.set_result(0)

    async def ask(self, request: bytes) -> int:
        """Send a request; the status of its answer, 0 where the connection broke."""
        assert self.transport is not None
        self._answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)
        return await self._answer


class Load:
    """The whole job."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        heads = job.get("heads") or [""]
        self._good = job.get("good", 303)
        self._requests = [
            _request(job["port"], job["path"], body, heads[number % len(heads)])
            for number, body in enumerate(job["bodies"])
        ]
        self._next = 0
        self._times: list[float] = []
        self._statuses: Counter[int] = Counter()
        self._end = 0.0
        self._accepted = open(job["accepted_to"], "w", buffering=1) if job.get("accepted_to") else None  # noqa: SIM115

    async def run(self) -> dict[str, Any]:
        """Drive until the time or the bodies run out."""
        begun = time.monotonic()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._stop)
        self._end = begun + self._job["seconds"]
        rate = self._job.get("rate")
        await asyncio.gather(*(self._caller(begun, rate) for _ in range(self._job["connections"])))
        took = max(0.001, min(time.monotonic(), self._end) - begun)
        times = sorted(self._times)
        return {
            "asked": self._next,
            "accepted": self._statuses[self._good],
            "per_second": round(self._statuses[self._good] / took, 1),
            "p50_ms": _at(times, 0.50),
            "p99_ms": _at(times, 0.99),
            "statuses": {str(status): count for status, count in sorted(self._statuses.items())},
            "ran_out": self._next >= len(self._requests),
        }

    def _stop(self) -> None:
        self._end = time.monotonic()

    async def _caller(self, begun: float, rate: float | None) -> None:
        connection = Connection()
        while self._next < len(self._requests) and time.monotonic() < self._end:
            number, self._next = self._next, self._next + 1
            planned = begun + number / rate if rate else time.monotonic()
            if planned > self._end:
                break
            await asyncio.sleep(max(0.0, planned - time.monotonic()))
            if connection.transport is None:  # the first time, or its front is gone
                connection = await self._connect()
            status = await connection.ask(self._requests[number])
            self._times.append(time.monotonic() - planned)
            self._statuses[status] += 1
            if status == self._good and self._accepted:
                self._accepted.write(f"{number}\n")

    async def _connect(self) -> Connection:
        _, made = await asyncio.get_running_loop().create_connection(Connection, "127.0.0.1", self._job["port"])
        return made


def _at(times: list[float], share: float) -> float:
    return round(times[min(len(times) - 1, int(len(times) * share))] * 1000, 2) if times else 0.0


def _request(port: int, path: str, body: str, more: str) -> bytes:
    data = body.encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost:{port}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    return f"{head}{more}Content-Length: {len(data)}\r\n\r\n".encode() + data


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Load(json.load(sys.stdin)).run())))
