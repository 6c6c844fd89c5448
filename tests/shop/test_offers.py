"""What the front is told of the shop: what is on sale, in the operator's order."""

import pytest

from tests.shop.conftest import PRODUCTS, set_shop, take
from troth.core.errors import TrothError
from troth.shop import buttons, offers, publishing
from troth.shop.models import Price
from troth.worker import publish


def amounts(shop):
    return [
        (edition.slug, [price.amount for price in edition.prices])
        for product in shop.products
        for edition in product.editions
    ]


def test_what_is_published_reaches_the_front(on_sale, settings):
    shop = publish.wanted(settings.TROTH_CONFIG, 1).shop
    assert amounts(shop) == [("single", ["49.00 EUR", "7,800 JPY"]), ("team", ["199.00 EUR"])]
    assert all(
        shop.page("plainbook", price.edition.slug, price.currency) == price.url
        for price in Price.objects.select_related("edition")
    )


def test_what_is_new_ending_or_of_a_product_off_sale_does_not(on_sale, settings):
    take(PRODUCTS.replace("49.00", "59.00"), settings)
    assert amounts(offers.offered(settings.TROTH_CONFIG)) == [("single", ["7,800 JPY"]), ("team", ["199.00 EUR"])]
    take("", settings)
    assert offers.offered(settings.TROTH_CONFIG).products == []


def test_a_shop_that_is_off_is_not_there(on_sale, settings):
    set_shop(settings, enabled=False)
    assert offers.offered(settings.TROTH_CONFIG) is None


def test_the_note_on_tax_follows_the_settings(on_sale, settings):
    notes = []
    for values in ({}, {"tax": "table"}, {"tax": "company"}, {"tax": "company", "tax_included": False}):
        set_shop(settings, **values)
        notes.append(offers.offered(settings.TROTH_CONFIG).tax_note)
    assert notes == ["", "Prices include VAT.", "Prices include VAT.", "VAT is added at checkout."]


def test_a_link_and_a_table_to_paste(shop, settings, adapter):
    take(PRODUCTS.replace("For one person", "For <one>"), settings)
    publishing.publish(adapter)
    config = settings.TROTH_CONFIG
    offered = offers.offered(config)
    assert buttons.product_button(config, offered, "plainbook/single/EUR") == (
        '<a href="http://127.0.0.1:18300/buy/plainbook/single/EUR" rel="nofollow">Buy Plainbook</a>\n'
    )
    table = buttons.pricing_table(config, offered, "plainbook")
    assert "For &lt;one&gt;" in table and "<one>" not in table and table.count("<tr>") == 3
    assert "7,800 JPY</a>" in table and "/buy/plainbook/team/EUR" in table


@pytest.mark.parametrize("words", ["", "plainbook", "plainbook/single/USD", "plainbook/single/EUR/x"])
def test_what_is_not_on_sale_has_no_link(on_sale, settings, words):
    with pytest.raises(TrothError) as caught:
        buttons.product_button(settings.TROTH_CONFIG, offers.offered(settings.TROTH_CONFIG), words)
    assert "product list" in caught.value.mend
    with pytest.raises(TrothError):
        buttons.pricing_table(settings.TROTH_CONFIG, None, "plainbook")
