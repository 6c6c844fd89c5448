"""A site that sells, and the test card company that it sells through."""

import re
from datetime import timedelta

import pytest
from msgspec.structs import replace

from tests.demo.card_company.company import running
from troth.core import clock
from troth.gate import doors
from troth.gate.card_company import stripe_company
from troth.gate.card_company.stripe_company import StripeCompany
from troth.shop import asking, catalogue, events, publishing
from troth.shop.models import Comparison, Order, Price, Question

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
def on_sale(shop, settings, adapter, api_key):
    """`PRODUCTS`, published."""
    shop.card_company_key.write_text(api_key)
    shop.card_company_secrets.write_text(SECRET)
    shop.card_company_path.write_text("a" * 48)
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    Comparison.objects.create(id=1, next_at=clock.now() + timedelta(days=365))  # no test is helped by it unasked
    return shop


SECRET = "whsec_of_these_tests"


def price(currency="EUR", edition="single"):
    """The price that is on sale."""
    return Price.objects.get(currency=currency, edition__slug=edition, state="on_sale")


def opened(company, sold=None):
    """Somebody opens the payment page; returns the checkout's id."""
    return company.web.get((sold or price()).url).headers["location"].rpartition("/")[2]


def bought(company, sold=None, **payment):
    """Somebody pays; returns the checkout's id. Nobody has told us yet."""
    session = opened(company, sold)
    company.control("pay", session=session, **payment)
    return session


def told(checkout):
    """The question about a checkout is raised, as a notice would, and all that waits is asked."""
    events.raise_question(Question.Kind.CHECKOUT, checkout)
    asking.work_off()
    return Order.objects.filter(checkout=checkout).first()


def balance(order):
    """What we have of an order."""
    return sum(movement.amount for movement in order.movements.all())
