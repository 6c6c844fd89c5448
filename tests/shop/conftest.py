"""A site that sells, and the test card company that it sells through."""

import re

import pytest
from msgspec.structs import replace

from tests.demo.card_company.company import running
from troth.gate import doors
from troth.gate.card_company import stripe_company
from troth.gate.card_company.stripe_company import StripeCompany
from troth.shop import catalogue, publishing

PRODUCTS = """
[[product]]
slug = "plainbook"
name = "Plainbook"
description = "Bookkeeping without a cloud."

[[product.edition]]
slug = "single"
name = "For one person"
prices = { EUR = "49.00", JPY = "7800" }

[[product.edition]]
slug = "team"
name = "For a team"
seats = 5
prices = { EUR = "199.00" }
"""


@pytest.fixture(scope="module")
def stand_in():
    with running() as company:
        yield company


@pytest.fixture
def company(stand_in):
    """The stand-in as tests act on it."""
    stand_in.web.delete("/_control/faults")
    return stand_in


@pytest.fixture
def api_key(company):
    """A restricted key with what the adapter's docstring names, and no more."""
    permissions = re.findall(r"\b[a-z_]+_(?:read|write)\b", stripe_company.__doc__)
    return company.control("keys", permissions=permissions)["key"]


@pytest.fixture
def adapter(company, api_key):
    """The stand-in as Troth asks it."""
    return StripeCompany(doors.card_company(company.url), api_key, retries=0)


@pytest.fixture
def shop(site, settings, company):
    """The site sells, in two currencies."""
    config = settings.TROTH_CONFIG
    section = replace(
        config.shop, enabled=True, api=company.url, pages=company.url, currencies=["EUR", "JPY", "USD", "KWD"]
    )
    settings.TROTH_CONFIG = replace(config, shop=section)
    return site


def set_shop(settings, **values):
    """Change settings under [shop]."""
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = replace(config, shop=replace(config.shop, **values))


def take(text, settings):
    """Take a file over; nothing is published yet."""
    return catalogue.take_over(catalogue.read(text.encode(), settings.TROTH_CONFIG.shop))


@pytest.fixture
def on_sale(shop, settings, adapter):
    """`PRODUCTS`, published."""
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    return shop
