"""One stand-in for all tests of a file; each has its own objects."""

import pytest

from tests.demo.card_company import company as companies


@pytest.fixture(scope="module")
def shared():
    with companies.running() as company:
        yield company


@pytest.fixture
def company(shared):
    shared.web.delete("/_control/faults")
    return shared


@pytest.fixture
def receiver():
    with companies.receiving() as receiver:
        yield receiver


@pytest.fixture
def endpoint(company, receiver):
    """An endpoint that is told of all events; deleted after the test."""
    endpoint = company.client.v1.webhook_endpoints.create({"url": receiver.url, "enabled_events": ["*"]})
    yield endpoint
    company.client.v1.webhook_endpoints.delete(endpoint.id)
