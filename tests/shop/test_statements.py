"""For the bookkeeper: each amount once, sums that add up, and no buyer."""

import csv
from datetime import UTC, date, datetime

import pytest
from msgspec.structs import replace

from tests.shop.conftest import PRODUCTS, bought, price, set_shop, take, told
from troth.core.errors import TrothError
from troth.gate.card_company.types import Money
from troth.shop import publishing, statements
from troth.shop.models import Movement, Product

ALWAYS = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture
def sold(on_sale, settings, company, adapter):
    """Three sales in two countries and currencies, and a refund of one."""
    set_shop(settings, tax="table", tax_rates=["DE 19", "CH 8.1"])
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    orders = [told(bought(company, email=f"a{number}@example.com", country=country)) for number, country in
              enumerate(("DE", "DE", "CH"))]  # fmt: skip
    orders.append(told(bought(company, price("JPY"), country="US")))
    adapter.refund(orders[0].payment, Money(900, "eur"), f"part-{orders[0].id}")
    told(orders[0].checkout)
    return orders


def test_the_statement_adds_up_by_country_and_rate(sold):
    lines = statements.statement(statements.movements(*ALWAYS))
    assert [(line.country, line.tax_rate, line.currency, line.sales, line.refunds, line.total, line.tax)
            for line in lines] == [
        ("CH", "8.1", "EUR", 4900, 0, 4900, 367),
        ("DE", "19", "EUR", 9800, -900, 8900, 1420),
        ("US", "0", "JPY", 7800, 0, 7800, 0),
    ]  # fmt: skip


def test_the_table_has_each_amount_once_and_no_buyer(sold):
    text = "".join(statements.as_csv(statements.movements(*ALWAYS)))
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == Movement.objects.count() == 5
    assert sorted(row["amount"] for row in rows) == ["-9.00", "49.00", "49.00", "49.00", "7800"]
    assert [row["document"][-5:] for row in rows] == ["00001", "00002", "00003", "00004", "00005"]
    assert all(row["net"] and row["order"] and row["payment"].startswith("pi_") for row in rows)
    assert "example.com" not in text and "Buyer" not in text
    refund = next(row for row in rows if row["kind"] == "refund")
    assert (refund["tax"], refund["net"], refund["tax_rate"]) == ("-1.44", "-7.56", "19")


def test_no_cell_is_a_formula(sold):
    Product.objects.update(name='=HYPERLINK("http://evil.example")')
    text = "".join(statements.as_csv(statements.movements(*ALWAYS)))
    assert "'=HYPERLINK" in text and ',"=HYPERLINK' not in text


def test_a_month_is_the_sites_own(sold, settings):
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = replace(config, audience=replace(config.audience, timezone="Europe/Berlin"))
    Movement.objects.update(at=datetime(2026, 11, 30, 23, 30, tzinfo=UTC))
    assert len(list(statements.movements(*statements.month("2026-12")))) == 5
    assert list(statements.movements(*statements.month("2026-11"))) == []


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "november", "2026-1x"])
def test_what_is_no_month_is_refused(text):
    with pytest.raises(TrothError):
        statements.month(text)


def test_december_ends_with_the_year():
    assert statements.month("2026-12") == (date(2026, 12, 1), date(2027, 1, 1))
