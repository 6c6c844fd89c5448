"""A purchase under `troth serve`: behind sandbox and tripwire, with the test card company's own notices."""

import json
import os
import time
from pathlib import Path

import httpx
import pytest

from tests import forked
from tests.browser.house import TROTH
from tests.demo.card_company.company import running
from tests.shop.conftest import PRODUCTS
from tests.worker import served


@pytest.fixture(scope="module")
def company():
    with running() as company:
        yield company


def stored(site, line, *words):
    """Run a command that reads a line."""
    forked.run(TROTH[-1], *words, "--site", str(site.root), env=dict(os.environ), stdin=f"{line}\n").check_returncode()


def orders(site):
    return json.loads(served.troth("order", "list", "--json", "--site", str(site.root)).stdout)


def until(done, site):
    end = time.monotonic() + 60
    while not (result := done()):
        assert time.monotonic() < end, served.log(site)
        time.sleep(0.3)
    return result


@pytest.fixture
def shop(tmp_path: Path, company):
    site, front = served.make(tmp_path / "site")
    text = site.config.read_text()
    section = f'[shop]\nenabled = true\napi = "{company.url}"\npages = "{company.url}"\ncurrencies = ["EUR", "JPY"]\n'
    site.config.write_text(f"{text}\n{section}")
    stored(site, company.key, "shop", "key")
    address = served.troth("shop", "address", "--site", str(site.root)).stdout.strip()
    endpoint = company.client.v1.webhook_endpoints.create({"url": address, "enabled_events": ["*"]})
    stored(site, endpoint.secret, "shop", "secret")
    (tmp_path / "products.toml").write_text(PRODUCTS)
    served.troth("product", "publish", str(tmp_path / "products.toml"), "--site", str(site.root))
    with served.serving(site, front) as house:
        yield house
    company.client.v1.webhook_endpoints.delete(endpoint.id)


def test_a_buyer_goes_from_our_page_to_the_companys_and_the_notice_makes_the_order(shop, company):
    page = httpx.get(f"{shop.front}/buy/plainbook").text
    assert "Buy for 49.00 EUR" in page
    sent = httpx.get(f"{shop.front}/buy/plainbook/single/EUR")
    assert sent.status_code == 303 and sent.headers["location"].startswith(company.url)
    session = company.web.get(sent.headers["location"]).headers["location"].rpartition("/")[2]
    company.control("pay", session=session, email="ada@example.com", name="Ada Example")
    (order,) = until(lambda: orders(shop.site), shop.site)
    assert (order["state"], order["total"], order["problem"]) == ("paid", "49.00 EUR", "")
    done = served.troth("order", "refund", order["number"], "--json", "--site", str(shop.site.root))
    assert json.loads(done.stdout)["state"] == "refunded"
    assert shop.status()["people"] == 1
    said = served.log(shop.site)
    assert "tripwire" not in said and "Refused:" not in said and "ada@example.com" not in said and "failed" not in said


def test_who_comes_back_is_enough_where_no_notice_comes(shop, company):
    company.fault("notice", "drop", times=100)
    sent = httpx.get(f"{shop.front}/buy/plainbook/single/JPY")
    session = company.web.get(sent.headers["location"]).headers["location"].rpartition("/")[2]
    company.control("pay", session=session)
    back = company.client.v1.checkout.sessions.retrieve(session).success_url.replace("{CHECKOUT_SESSION_ID}", session)
    assert "Thank you" in httpx.get(back).text
    (order,) = until(lambda: orders(shop.site), shop.site)
    assert (order["state"], order["total"]) == ("paid", "7,800 JPY")
    company.web.delete("/_control/faults")
