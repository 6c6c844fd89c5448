"""Messages as they come in, and the desk at which they are answered."""

import pytest

from tests.office.conftest import desk, operator  # noqa: F401 - fixtures
from tests.worker.test_intake import drain
from troth.ground.personal import EmailAddress, MessageText, PersonName
from troth.inbox.entry import ContactMessage
from troth.inbox.models import Thread


def message(address="ada@example.com", text="Does it print?", name="Ada Example", **more):
    return ContactMessage(EmailAddress(address), MessageText(text), PersonName(name) if name else None, **more)


@pytest.fixture
def written(site):
    """`written(address, text)` has somebody write and the worker file it; returns the newest conversation."""

    def write(*arguments, **named):
        site.submit(message(*arguments, **named))
        drain()
        return Thread.objects.order_by("-last_at", "-id").first()

    return write
