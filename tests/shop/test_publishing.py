"""What is published is made at the card company once, whatever happens in between."""

import pytest

from tests.shop.conftest import PRODUCTS, set_shop, take
from troth.gate.card_company.errors import Broken, CardCompanyError, NoAnswer
from troth.shop import listing, publishing
from troth.shop.models import Coupon, Price


def links(company):
    return {link.url: link.active for link in company.client.v1.payment_links.list({"limit": 100}).data}


def test_each_price_has_a_page_of_its_own(on_sale, company):
    prices = list(Price.objects.select_related("edition"))
    assert {price.state for price in prices} == {"on_sale"} and len({price.url for price in prices}) == 3
    for price in prices:
        session = company.web.get(price.url).headers["location"].rpartition("/")[2]
        opened = company.client.v1.checkout.sessions.retrieve(session)
        assert (opened.amount_total, opened.currency.upper()) == (price.amount, price.currency)
        assert opened.metadata["reference"] == str(price.id)
        assert opened.success_url == "http://127.0.0.1:18300/buy/thanks/{CHECKOUT_SESSION_ID}"


def test_the_prices_of_an_edition_belong_to_one_product(on_sale, company):
    by_edition = {}
    for price in Price.objects.select_related("edition"):
        made = company.client.v1.prices.retrieve(price.company_price).product
        by_edition.setdefault(price.edition.slug, set()).add(made)
    assert {len(made) for made in by_edition.values()} == {1}
    assert by_edition["single"] != by_edition["team"]


def test_published_again_nothing_is_made(on_sale, company, adapter):
    before = links(company)
    assert publishing.publish(adapter) == publishing.Work()
    assert links(company) == before


@pytest.mark.parametrize("call", ["POST /v1/products", "POST /v1/prices", "POST /v1/payment_links"])
@pytest.mark.parametrize("kind", ["lost_answer", "bad_gateway", "nonsense", "refused"])
def test_a_call_that_went_wrong_is_repeated_and_nothing_is_made_twice(shop, settings, company, adapter, call, kind):
    before = links(company)
    take(PRODUCTS, settings)
    company.fault("answer", kind, call=call)
    with pytest.raises(NoAnswer):
        publishing.publish(adapter)
    publishing.publish(adapter)
    assert {price.state for price in Price.objects.all()} == {"on_sale"}
    assert len(links(company)) == len(before) + 3


def test_a_failure_that_stays_is_told(shop, settings, company, adapter):
    take(PRODUCTS, settings)
    company.fault("answer", "error_after", call="POST /v1/payment_links")
    with pytest.raises(Broken):
        publishing.publish(adapter)
    assert Price.objects.exclude(state="new").count() == 0


def test_a_new_price_is_open_before_the_earlier_one_is_closed(on_sale, settings, company, adapter):
    old = Price.objects.get(currency="EUR", edition__slug="single")
    take(PRODUCTS.replace("49.00", "59.00"), settings)
    company.fault("answer", "refused", call=f"POST /v1/payment_links/{old.company_link}")
    with pytest.raises(CardCompanyError):
        publishing.publish(adapter)
    new = Price.objects.get(edition=old.edition, currency="EUR", state="on_sale")
    assert new.amount == 5900 and links(company)[new.url] and links(company)[old.url]
    assert publishing.publish(adapter) == publishing.Work(0, 1)
    assert links(company)[new.url] and not links(company)[old.url]
    old.refresh_from_db()
    assert old.state == "ended"


def test_a_page_elsewhere_is_not_sold_from(shop, settings, adapter):
    set_shop(settings, pages="https://buy.example.com")
    take(PRODUCTS, settings)
    with pytest.raises(publishing.PublishingRefused) as caught:
        publishing.publish(adapter)
    assert "pages =" in caught.value.mend
    assert not Price.objects.filter(state="on_sale").exists()


def test_a_coupon_is_taken_at_the_checkout_and_later_not(shop, settings, company, adapter):
    take(f'{PRODUCTS}\n[[coupon]]\ncode = "WINTER"\npercent = 20\n', settings)
    publishing.publish(adapter)
    price = Price.objects.get(currency="EUR", edition__slug="single")
    session = company.web.get(price.url).headers["location"].rpartition("/")[2]
    company.control("pay", session=session, code="WINTER")
    assert adapter.checkout(session).total.amount == 3920
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    code = company.client.v1.promotion_codes.retrieve(Coupon.objects.get().company_code)
    assert not code.active


def test_tax_by_the_company_asks_for_an_address_and_a_vat_number(shop, settings, company, adapter):
    set_shop(settings, tax="company", tax_included=False)
    take(PRODUCTS, settings)
    publishing.publish(adapter)
    price = Price.objects.get(currency="EUR", edition__slug="single")
    link = company.client.v1.payment_links.retrieve(price.company_link)
    assert link.automatic_tax.enabled and link.tax_id_collection.enabled
    assert link.billing_address_collection == "required"
    assert company.client.v1.prices.retrieve(price.company_price).tax_behavior == "exclusive"


def test_the_list_shows_prices_and_pages(on_sale):
    (product,) = listing.products()
    assert (product.slug, product.on_sale, len(product.prices)) == ("plainbook", True, 3)
    assert {price.price for price in product.prices} == {"49.00 EUR", "7,800 JPY", "199.00 EUR"}
    assert all(price.url.startswith("http://") for price in product.prices)
