"""The operators are told by mail when the worker has gone silent: real processes, a real relay."""

import os
import signal
import time
from email import message_from_bytes, policy
from functools import partial

from bench.site import running as running_site
from tests.gate.relays import Handler, Session
from tests.gate.relays import running as running_relay


def _told(handler, count, supervisor):
    until = time.monotonic() + 20
    while len(handler.mails) < count and time.monotonic() < until:
        supervisor._turn()
    assert len(handler.mails) == count
    return [message_from_bytes(content, policy=policy.default) for _, _, content in handler.mails]


def test_a_worker_that_is_stuck_is_told_of_once_and_its_return_too():
    handler = Handler()
    with running_relay(partial(Session, handler)) as smtp, running_site(smtp=smtp, tell=["desk@example.com"]) as site:
        watch, worker = site.supervisor._watch, site.supervisor.processes()["worker"]
        os.kill(worker, signal.SIGSTOP)
        try:
            watch.alarm()
            watch._heard -= 24 * 60 * 60
            (first,) = _told(handler, 1, site.supervisor)
            assert first["To"] == "desk@example.com"
            assert "stopped responding" in first["Subject"]
            assert "DKIM-Signature" in first
            for _ in range(20):
                site.supervisor._turn()
            assert len(handler.mails) == 1
        finally:
            os.kill(worker, signal.SIGCONT)
        assert "is running again" in _told(handler, 2, site.supervisor)[1]["Subject"]
        assert site.supervisor.processes()["worker"] == worker
