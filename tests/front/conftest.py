"""A front with everything real but the clerk, driven in this process; `client.Serving` runs the whole process."""

import pytest

from tests.front.client import Client, Fake, Keys, make_published
from troth.front import published
from troth.front.app import Front
from troth.front.http import log


@pytest.fixture(autouse=True)
def _every_line_is_said(monkeypatch):
    monkeypatch.setattr(log, "_recent", log._Said())


@pytest.fixture(scope="session")
def keys():
    return Keys()


@pytest.fixture
def line():
    return Fake()


@pytest.fixture
def front(tmp_path, keys, line):
    """A front whose form asks for everything and wants no proof; `front.publish(...)` changes that."""
    made = Front(tmp_path, {"altcha": "11" * 32, "buckets": "22" * 32}, line)
    generation = 0

    def publish(**changes):
        nonlocal generation
        generation += 1
        published.write(tmp_path, make_published(keys, generation=generation, **changes))
        made.look()

    made.publish = publish
    publish(proof_of_work=0)
    return made


@pytest.fixture
def client(front):
    return Client(front)
