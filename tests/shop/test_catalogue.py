"""The operator's file becomes products and prices; a price that was on sale never changes."""

import pytest

from tests.shop.conftest import PRODUCTS, set_shop, take
from troth.shop import catalogue
from troth.shop.models import Coupon, Edition, Price, Product

ONE = '[[product]]\nslug = "p"\nname = "P"\n[[product.edition]]\nslug = "e"\nname = "E"\nprices = {{ EUR = "{}" }}\n'


def states(**filters):
    return sorted(Price.objects.filter(**filters).values_list("currency", "amount", "state"))


def test_products_editions_and_prices_are_made(shop, settings):
    changes = take(PRODUCTS, settings)
    assert (changes.prices_new, changes.prices_ending) == (3, 0)
    assert states() == [("EUR", 4900, "new"), ("EUR", 19900, "new"), ("JPY", 7800, "new")]
    team = Edition.objects.get(slug="team")
    assert (team.title, team.seats) == ("Plainbook, For a team", 5)


def test_taken_over_twice_it_is_the_same(shop, settings):
    take(PRODUCTS, settings)
    before = set(Price.objects.values_list("id", flat=True))
    changes = take(PRODUCTS, settings)
    assert (changes.prices_new, changes.prices_ending) == (0, 0)
    assert set(Price.objects.values_list("id", flat=True)) == before


def test_another_amount_is_another_price_and_the_first_stays_on_sale_until_then(shop, settings):
    take(ONE.format("49.00"), settings)
    Price.objects.update(state="on_sale")
    take(ONE.format("59.00"), settings)
    assert states() == [("EUR", 4900, "ending"), ("EUR", 5900, "new")]


def test_what_was_never_published_is_replaced(shop, settings):
    take(ONE.format("49.00"), settings)
    take(ONE.format("59.00"), settings)
    assert states() == [("EUR", 5900, "new")]


def test_another_way_of_taxing_makes_another_price(shop, settings):
    take(ONE.format("49.00"), settings)
    Price.objects.update(state="on_sale")
    set_shop(settings, tax="company", tax_included=False)
    take(ONE.format("49.00"), settings)
    assert set(Price.objects.values_list("tax", "tax_included", "state")) == {
        ("none", True, "ending"),
        ("company", False, "new"),
    }


def test_what_the_file_leaves_out_goes_off_sale_and_keeps_its_row(shop, settings):
    take(PRODUCTS, settings)
    Price.objects.filter(currency="JPY").update(state="on_sale")
    take(ONE.format("5.00"), settings)
    assert not Product.objects.get(slug="plainbook").on_sale
    assert states(edition__product__slug="plainbook") == [
        ("EUR", 4900, "ended"),
        ("EUR", 19900, "ended"),
        ("JPY", 7800, "ending"),
    ]


def test_coupons_are_made_and_taken_back(shop, settings):
    take(ONE.format("49.00") + '[[coupon]]\ncode = "SPRING"\npercent = 20\nuntil = 2030-04-01\n', settings)
    coupon = Coupon.objects.get()
    assert (coupon.code, coupon.percent, coupon.until.isoformat()) == ("SPRING", 20, "2030-04-01T00:00:00+00:00")
    assert Price.objects.get().codes
    take(ONE.format("49.00"), settings)
    assert Coupon.objects.get().state == "ended"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\xff", "UTF-8"),
        ("[[product", "not TOML"),
        ("x = 1", "unknown field"),
        (ONE.format("49.00") * 2, "'p' is listed twice"),
        (ONE.format("49,00"), "no amount in EUR"),
        (ONE.format("0"), "cannot be charged"),
        (ONE.format("1").replace("EUR", "CHF"), "not among `currencies`"),
        (ONE.format("1").replace('slug = "p"', 'slug = "Plain Book"'), "cannot be a product's slug"),
        (ONE.format("1").replace('slug = "p"', 'slug = "thanks"'), "cannot be a product's slug"),
        ('[[product]]\nslug = "p"\nname = "P"\nedition = []\n', "length"),
        ('[[coupon]]\ncode = "spring"\npercent = 5\n', "cannot be a coupon's code"),
        ('[[coupon]]\ncode = "A"\npercent = 5\namount = "1"\n', "either"),
        ('[[coupon]]\ncode = "A"\namount = "1"\ncurrency = "EU"\n', "no currency EU"),
    ],
)
def test_a_file_that_is_wrong_is_refused_in_words_and_changes_nothing(shop, settings, text, words):
    take(ONE.format("7.00"), settings)
    data = text.encode("latin-1")
    with pytest.raises(catalogue.CatalogueRefused) as caught:
        catalogue.read(data, settings.TROTH_CONFIG.shop)
    assert words in str(caught.value) and caught.value.mend
    assert states() == [("EUR", 700, "new")]
