"""Messages as they come in, and the desk at which they are answered."""

import pytest
from django.db import transaction

from tests.office.conftest import desk, operator  # noqa: F401 - fixtures
from tests.worker.test_intake import drain
from troth.contact.entry import ContactMessage
from troth.contact.models import Thread
from troth.contact.services import file_messages
from troth.core import clock
from troth.core.entry import Came
from troth.core.ids import new_id
from troth.core.personal import EmailAddress, MessageText, PersonName


def message(address="ada@example.com", text="Does it print?", name="Ada Example", **more):
    return ContactMessage(EmailAddress(address), PersonName(name) if name else None, message=MessageText(text), **more)


@pytest.fixture
def written(site):
    """`written(address, text)` has somebody write and the worker file it; returns the newest conversation."""

    def write(*arguments, unjudged=False, **named):
        """`unjudged`: filed although no form takes it, to see that the pages behind do not rely on that."""
        if unjudged:
            with transaction.atomic():
                file_messages([Came(new_id(), message(*arguments, **named), clock.now())])
        else:
            site.submit(message(*arguments, **named))
            drain()
        return Thread.objects.order_by("-last_at", "-id").first()

    return write
