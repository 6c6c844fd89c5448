"""The products as commands and the console list them: no personal data. May touch: the database."""

from dataclasses import dataclass
from typing import Any

from troth.core import money
from troth.shop.models import Coupon, Price, Product

_State = Price.State
_SHOWN = (_State.NEW, _State.ON_SALE, _State.ENDING)


@dataclass(frozen=True, slots=True)
class ListedPrice:
    """One price of one edition."""

    edition: str
    seats: int
    price: str
    state: str
    url: str
    label: str
    """The state in words."""


@dataclass(frozen=True, slots=True)
class ListedProduct:
    """A product with its prices."""

    slug: str
    name: str
    on_sale: bool
    prices: tuple[ListedPrice, ...]

    def told(self) -> dict[str, Any]:
        """Return it for JSON."""
        prices = [
            {name: getattr(price, name) for name in ListedPrice.__slots__ if name != "label"} for price in self.prices
        ]
        return {"product": self.slug, "name": self.name, "on_sale": self.on_sale, "prices": prices}


def products() -> list[ListedProduct]:
    """Return every product, in the order of the file."""
    rows = Price.objects.filter(state__in=_SHOWN).select_related("edition").order_by("edition__place", "currency")
    by_product: dict[Any, list[ListedPrice]] = {}
    for row in rows:
        listed = ListedPrice(
            row.edition.name,
            row.edition.seats,
            money.shown(row.amount, row.currency),
            row.state,
            row.url,
            Price.State(row.state).label,
        )
        by_product.setdefault(row.edition.product_id, []).append(listed)
    return [
        ListedProduct(row.slug, row.name, row.on_sale, tuple(by_product.get(row.id, ())))
        for row in Product.objects.all()
    ]


def coupons() -> list[dict[str, Any]]:
    """Return the coupons, for JSON."""
    rows = Coupon.objects.filter(state__in=_SHOWN)
    return [{"code": row.code, "off": off(row), "until": row.until, "state": row.state} for row in rows]


def off(coupon: Coupon) -> str:
    """Return what a coupon takes off, in words."""
    return f"{coupon.percent} %" if coupon.percent else money.shown(coupon.amount or 0, coupon.currency)
