"""Figures for Prometheus, on a listener of this machine only: counts and times, no person, no name.

Text exposition format 0.0.4 (prometheus.io, "Exposition formats"): a few gauges need no library.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from django.db import Error as DatabaseError
from django.db import close_old_connections

from troth.core import clock
from troth.office import system_status

type Application = Callable[[dict[str, Any], Any], Any]
_KIND = "text/plain; version=0.0.4; charset=utf-8"


def beside(office: Application, port: int | None) -> Application:
    """`office`, but what comes to `port` gets figures and nothing of the console."""

    def application(environ: dict[str, Any], start: Callable[..., object]) -> Iterable[bytes]:
        if port is None or str(environ.get("SERVER_PORT")) != str(port):
            answer: Iterable[bytes] = office(environ, start)
            return answer
        if environ.get("PATH_INFO") != "/metrics" or environ.get("REQUEST_METHOD") != "GET":
            start("404 Not Found", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"Figures are at /metrics.\n"]
        close_old_connections()
        try:
            body = "".join(lines(system_status.gather())).encode()
        except DatabaseError:
            start("503 Service Unavailable", [("Content-Type", "text/plain; charset=utf-8")])
            return [b"The database does not answer.\n"]
        finally:
            close_old_connections()
        start("200 OK", [("Content-Type", _KIND), ("Cache-Control", "no-store")])
        return [body]

    return application


def lines(stands: system_status.Figures) -> Iterator[str]:
    """The exposition, one line each."""
    up = {one.name: one.up for one in stands.processes}
    restarts = {one.name: one.restarts for one in stands.processes}
    yield from _gauges("process_up", "Whether a process serves.", "process", up)
    yield from _gauges("process_restarts", "How often it was started again.", "process", restarts)
    yield from _gauge("worker_alive", "Whether the worker was heard within a minute.", stands.worker_alive)
    if stands.worker_beat:
        age = (clock.now() - stands.worker_beat).total_seconds()
        yield from _gauge("worker_beat_age_seconds", "How long ago the worker was heard.", round(age, 1))
    yield from _gauge("spool_waiting_bytes", "Acknowledged and not yet filed.", stands.spool_bytes)
    yield from _gauges("mails", "Mails by state.", "state", stands.mails)
    yield from _gauges("set_aside", "What could not be filed.", "reason", stands.aside)
    yield from _gauge("people", "People in the vault.", stands.people)
    yield from _gauges("subscriptions", "Subscriptions by state.", "state", stands.subscriptions)
    yield from _gauge("erasures_waiting", "Erasures asked for and not done.", stands.erasures_waiting)
    broken = {one: state == "broken" for one, state in stands.promises.items()}
    kept = {one: state == "kept" for one, state in stands.promises.items()}
    yield from _gauges("promise_broken", "Whether the last proofs found a promise broken.", "promise", broken)
    yield from _gauges("promise_kept", "Whether a promise is proven, and not too long ago.", "promise", kept)


def _gauge(name: str, about: str, value: float) -> Iterator[str]:
    yield f"# HELP troth_{name} {about}\n# TYPE troth_{name} gauge\ntroth_{name} {value:g}\n"


def _gauges(name: str, about: str, label: str, values: Mapping[str, float]) -> Iterator[str]:
    yield f"# HELP troth_{name} {about}\n# TYPE troth_{name} gauge\n"
    for which, value in values.items():
        yield f'troth_{name}{{{label}="{which}"}} {value:g}\n'
