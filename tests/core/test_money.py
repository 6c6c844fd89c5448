"""Amounts are whole smallest units, whatever the currency has for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core import money
from troth.demo.card_company import currencies as company


@pytest.mark.parametrize(
    ("text", "currency", "units"),
    [
        ("49.00", "EUR", 4900),
        ("49", "EUR", 4900),
        ("0.5", "EUR", 50),
        ("7800", "JPY", 7800),
        ("3.500", "KWD", 3500),
        ("3.51", "KWD", 3510),
        ("1200", "ISK", 120000),
    ],
)
def test_a_price_is_read(text, currency, units):
    assert money.smallest_units(text, currency) == units


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("49.005", "EUR"), ("49,00", "EUR"), ("-1", "EUR"), ("0", "EUR"), ("1e3", "EUR"), ("", "EUR"), (" 1", "EUR"),
        (".", "EUR"), ("NaN", "EUR"), ("٤٩", "EUR"), ("1000000.00", "EUR"), ("78.5", "JPY"), ("3.501", "KWD"),
        ("12.50", "ISK"), ("1", "XXX"), ("1", "eur"),
    ],
)  # fmt: skip
def test_what_nobody_can_be_charged_is_refused_in_words(text, currency):
    with pytest.raises(money.AmountRefused) as caught:
        money.smallest_units(text, currency)
    assert str(caught.value).endswith(".")


@given(st.sampled_from(sorted(money.DECIMALS)), st.integers(1, 99_999))
def test_what_is_written_for_programs_is_read_again(currency, steps):
    units = steps * (100 if currency in ("ISK", "UGX") else 10)
    assert money.smallest_units(money.plain(units, currency), currency) == units


def test_amounts_for_people():
    assert money.shown(124900, "EUR") == "1,249.00 EUR"
    assert money.shown(7800, "JPY") == "7,800 JPY"
    assert money.shown(-3500, "KWD") == "-3.500 KWD"


def test_the_card_company_counts_the_same_way():
    for currency, places in money.DECIMALS.items():
        try:
            company.checked(currency.lower())
        except company.ApiError:
            continue
        assert company.decimals(currency.lower()) == places, currency
