"""Metrics for Prometheus, on a listener of this machine only: counts and times, no personal data. Text exposition
format 0.0.4 (https://prometheus.io/docs/instrumenting/exposition_formats/)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections

from troth.core import clock
from troth.office import system_status

type Application = Callable[[dict[str, Any], Any], Any]
_KIND = "text/plain; version=0.0.4; charset=utf-8"


def beside(office: Application, port: int | None) -> Application:
    """Return `office` with metrics, and nothing of the console, on `port`."""

    def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if port is None or str(environ.get("SERVER_PORT")) != str(port):
            answer: Iterable[bytes] = office(environ, start)
            return answer
        if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") != "GET":
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Metrics are at /metrics.\n"]
        close_old_connections()
        try:
            body = "".join(lines(system_status.gather())).encode()
        except DatabaseError:
            start("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The database is not responding.\n"]
        finally:
            close_old_connections()
        start("200 OK", [("Content-Type", _KIND), ("Cache-Control", "no-store")])
        return [body]

    return application


def lines(status: system_status.SystemStatus) -> Iterator[str]:
    """Yield the lines of the exposition."""
    up = {process.name: process.up for process in status.processes}
    restarts = {process.name: process.restarts for process in status.processes}
    yield from _gauges("process_up", "Whether a process is running.", "process", up)
    yield from _gauges("process_restarts", "Restarts of a process.", "process", restarts)
    yield from _gauge("worker_alive", "Whether the worker reported within the last minute.", status.site.alive)
    if status.site.beat_at:
        age = (clock.now() - status.site.beat_at).total_seconds()
        yield from _gauge("worker_beat_age_seconds", "Seconds since the worker last reported.", round(age, 1))
    yield from _gauge(
        "spool_waiting_bytes", "Bytes of acknowledged submissions that wait to be processed.", status.site.spool_bytes
    )
    yield from _gauges("mails", "Emails by state.", "state", status.mails)
    yield from _gauges("set_aside", "Submissions that could not be processed.", "reason", status.site.failed_items)
    yield from _gauge("people", "Stored people.", status.site.people)
    yield from _gauges("subscriptions", "Subscriptions by state.", "state", status.site.counts["subscriptions"])
    masked = "Card numbers that were masked in what visitors sent, since the site was made."
    yield from _gauge("card_numbers_masked", masked, status.site.card_numbers_masked)
    yield from _gauge("erasures_waiting", "Deletions in progress.", status.erasures_waiting)
    broken = {promise: state == "broken" for promise, state in status.promises.items()}
    proven = {promise: state == "kept" for promise, state in status.promises.items()}
    yield from _gauges("promise_broken", "Whether the last proof found a promise broken.", "promise", broken)
    yield from _gauges("promise_kept", "Whether a promise was proven recently enough to count.", "promise", proven)


def _gauge(name: str, about: str, value: float) -> Iterator[str]:
    yield f"# HELP troth_{name} {about}\n# TYPE troth_{name} gauge\ntroth_{name} {value:g}\n"


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP troth_{name} {about}\n# TYPE troth_{name} gauge\n"
    for key, value in values.items():
        yield f'troth_{name}{{{label}="{key}"}} {value:g}\n'
