"""The loop takes in, sends and stops when it is told to."""

import asyncio
import socket

import pytest
import structlog

from tests.worker.test_intake import signup
from troth.gate.mailer import Sent
from troth.gate.models import Delivery
from troth.vault.models import WorkerState
from troth.worker import log, timers
from troth.worker.loop import Worker


@pytest.fixture(autouse=True)
def own_log():
    """What a test's log wrote to is closed after it."""
    yield
    structlog.reset_defaults()


class Relay:
    """Takes every mail."""

    rests = False

    def __init__(self):
        self.mails = []

    async def send(self, mail, *, released=False, begin=lambda: None):
        self.mails.append(mail)
        return Sent()

    def leave_off(self):
        """No campaign is under way."""


async def work_until_mailed(worker, relay):
    """Run the worker until a mail has gone, then stop it."""
    await worker.on_thread(timers.started)
    running = asyncio.create_task(worker.run())
    for _ in range(100):
        await asyncio.sleep(0.05)
        if relay.mails:
            break
    await asyncio.sleep(0.2)
    worker.stop()
    await asyncio.wait_for(running, 10)


@pytest.fixture(autouse=True)
def _no_log_outlives_its_test():
    yield
    structlog.reset_defaults()


def test_a_signup_is_mailed_and_the_clerk_is_told(site, capfd):
    log.set_up(json=True)
    site.submit(signup("ada@example.com", "Ada Example"))
    site.next_segment()
    ours, clerks = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    clerks.setblocking(False)
    relay = Relay()

    async def work():
        await work_until_mailed(Worker(relay, ours), relay)

    asyncio.run(work())
    assert len(relay.mails) == 1
    assert clerks.recv(64) == b"R"  # whom an earlier worker erased may be in the newest segment
    assert clerks.recv(64) == b"D" + (1).to_bytes(8)
    assert Delivery.objects.get().state == "sent"
    assert WorkerState.objects.get().last_intake_at is not None
    assert (site.public / "current").is_symlink()
    said = capfd.readouterr().err
    assert "processed" in said and "ada" not in said.lower()
    ours.close()
    clerks.close()
