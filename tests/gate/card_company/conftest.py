"""The stand-in, and Stripe's adapter with a restricted key that permits what the adapter's docstring names."""

import re

import pytest

from tests.demo.card_company.company import running
from troth.gate import doors
from troth.gate.card_company import stripe_company
from troth.gate.card_company.stripe_company import StripeCompany


@pytest.fixture(scope="module")
def company():
    with running() as company:
        yield company


@pytest.fixture
def key(company):
    permissions = re.findall(r"\b[a-z_]+_(?:read|write)\b", stripe_company.__doc__)
    return company.control("keys", permissions=permissions)["key"]


@pytest.fixture
def stripe_door(company):
    company.web.delete("/_control/faults")
    return doors.card_company(company.url)


@pytest.fixture
def adapter(stripe_door, key):
    return StripeCompany(stripe_door, key, retries=0)
