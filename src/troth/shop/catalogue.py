"""What is sold: the operator's `products.toml`, checked, and the rows that follow from it.

    [[product]]
    slug = "plainbook"                # in its address: /buy/plainbook
    name = "Plainbook"
    description = "Bookkeeping without a cloud."

    [[product.edition]]
    slug = "single"
    name = "For one person"
    seats = 1
    prices = { EUR = "49.00", USD = "55.00" }

    [[coupon]]
    code = "SPRING"
    percent = 20                      # or: amount = "10.00", currency = "EUR"
    until = 2027-04-01                # may be left out

A price is never changed: another amount makes another one, and the earlier one is withdrawn after it is on sale.
Touches the database; asks nobody.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated, Any

import msgspec
from django.conf import settings
from django.db import transaction
from msgspec import Meta

from troth.core import money
from troth.core.config.sections import ShopSection
from troth.core.errors import TrothError
from troth.shop.models import Coupon, Edition, Price, Product

LARGEST = 1 << 20
_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_CODE = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,38}[A-Z0-9])?")
_State = Price.State
_OPEN = (_State.NEW, _State.ON_SALE)
TAKEN = frozenset({"thanks"})
"""What no product may be called: an address of ours."""

type _Name = Annotated[str, Meta(min_length=1, max_length=100)]


class CatalogueRefused(TrothError):
    """A file that cannot be sold from. Nothing was changed."""


class EditionEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An edition in the file."""

    slug: str
    name: _Name
    prices: dict[str, str]
    seats: Annotated[int, Meta(ge=1, le=1_000_000)] = 1


class ProductEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A product in the file."""

    slug: str
    name: _Name
    edition: Annotated[list[EditionEntry], Meta(min_length=1, max_length=20)]
    description: Annotated[str, Meta(max_length=1_000)] = ""


class CouponEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coupon in the file."""

    code: str
    percent: Annotated[int, Meta(ge=1, le=100)] | None = None
    amount: str | None = None
    currency: str = ""
    until: date | None = None


class Catalogue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    product: Annotated[list[ProductEntry], Meta(max_length=500)] = []
    coupon: Annotated[list[CouponEntry], Meta(max_length=100)] = []


@dataclass(frozen=True, slots=True)
class Changes:
    """What taking the file over changed."""

    prices_new: int
    prices_ending: int


def read(text: bytes, shop: ShopSection) -> Catalogue:
    """Return what the file says. Raises `CatalogueRefused` with all that is wrong."""
    try:
        if len(text) > LARGEST:
            raise CatalogueRefused("The file is too large.", mend="List products only.")
        catalogue = msgspec.convert(tomllib.loads(text.decode("utf-8-sig")), Catalogue)
    except UnicodeDecodeError:
        raise CatalogueRefused("The file is not UTF-8 text.", mend="Save it as UTF-8.") from None
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise CatalogueRefused(f"The file is not TOML: {error}.", mend="See docs/shop.md for an example.") from None
    except msgspec.ValidationError as error:
        raise CatalogueRefused(f"{error}.", mend="See docs/shop.md for an example.") from None
    problems = [*_products(catalogue, shop), *_coupons(catalogue)]
    if problems:
        raise CatalogueRefused("\n".join(problems), mend="Fix the file and publish it again. Nothing was changed.")
    return catalogue


def _products(catalogue: Catalogue, shop: ShopSection) -> Iterator[str]:
    yield from _twice("The product", [product.slug for product in catalogue.product])
    for product in catalogue.product:
        yield from _twice(f"{product.slug}: the edition", [edition.slug for edition in product.edition])
        if not _SLUG.fullmatch(product.slug) or product.slug in TAKEN:
            yield f"{product.slug!r} cannot be a product's slug: use up to 40 lower-case letters, digits and -."
        for edition in product.edition:
            if not _SLUG.fullmatch(edition.slug):
                yield f"{edition.slug!r} cannot be an edition's slug: use up to 40 lower-case letters, digits and -."
            yield from (f"{product.slug}, {edition.slug}: {problem}" for problem in _prices(edition, shop))


def _prices(edition: EditionEntry, shop: ShopSection) -> Iterator[str]:
    if not edition.prices:
        yield "it has no price."
    for currency, text in edition.prices.items():
        if currency not in shop.currencies:
            yield f"{currency} is not among `currencies` under [shop]."
            continue
        try:
            money.smallest_units(text, currency)
        except money.AmountRefused as error:
            yield str(error)


def _coupons(catalogue: Catalogue) -> Iterator[str]:
    yield from _twice("The coupon", [coupon.code for coupon in catalogue.coupon])
    for coupon in catalogue.coupon:
        if not _CODE.fullmatch(coupon.code):
            yield f"{coupon.code!r} cannot be a coupon's code: use up to 40 capital letters, digits and -."
        if (coupon.percent is None) == (coupon.amount is None):
            yield f"{coupon.code}: give either `percent` or `amount`."
        if coupon.amount is not None:
            try:
                money.smallest_units(coupon.amount, coupon.currency)
            except money.AmountRefused as error:
                yield f"{coupon.code}: {error}"


def _twice(kind: str, names: Iterable[str]) -> Iterator[str]:
    earlier = set[str]()
    for name in names:
        if name in earlier:
            yield f"{kind} {name!r} is listed twice."
        earlier.add(name)


@transaction.atomic
def take_over(catalogue: Catalogue) -> Changes:
    """Make the rows as the file has them; what it leaves out goes off sale. The card company hears of it later."""
    before = set(Price.objects.filter(state__in=_OPEN).values_list("id", flat=True))
    slugs = [product.slug for product in catalogue.product]
    Product.objects.exclude(slug__in=slugs).update(on_sale=False)
    Edition.objects.exclude(product__slug__in=slugs).update(on_sale=False)
    keep = set[Any]()
    for place, entry in enumerate(catalogue.product):
        values = {"name": entry.name, "description": entry.description, "place": place, "on_sale": True}
        product, _ = Product.objects.update_or_create(slug=entry.slug, defaults=values)
        keep |= _take_editions(product, entry, codes=bool(catalogue.coupon))
    _end(Price.objects.exclude(id__in=keep))
    _take_coupons(catalogue)
    after = set(Price.objects.filter(state__in=_OPEN).values_list("id", flat=True))
    return Changes(len(after - before), len(before - keep))


def _take_editions(product: Product, entry: ProductEntry, *, codes: bool) -> set[Any]:
    keep = set[Any]()
    product.editions.exclude(slug__in=[edition.slug for edition in entry.edition]).update(on_sale=False)
    for place, edition_entry in enumerate(entry.edition):
        values = {"name": edition_entry.name, "seats": edition_entry.seats, "place": place, "on_sale": True}
        edition, _ = product.editions.update_or_create(slug=edition_entry.slug, defaults=values)
        for currency, text in edition_entry.prices.items():
            keep.add(_price(edition, currency, money.smallest_units(text, currency), codes=codes).id)
    return keep


def _price(edition: Edition, currency: str, amount: int, *, codes: bool) -> Price:
    """Return the open price with this amount and page, taxed as at present; a new one if there is none."""
    shop = settings.TROTH_CONFIG.shop
    tax_included = shop.tax_included if shop.tax == "company" else True
    same = {"currency": currency, "amount": amount, "tax": shop.tax, "tax_included": tax_included, "codes": codes}
    open_price = edition.prices.filter(state__in=_OPEN, **same).first()
    if open_price is None:
        edition.prices.filter(state=_State.NEW, currency=currency).delete()  # nobody has it yet
        open_price = edition.prices.create(**same)
    return open_price


def _end(prices: Any) -> None:
    """Have these withdrawn. What was never published has nothing to withdraw."""
    prices.filter(state=_State.ON_SALE).update(state=_State.ENDING)
    prices.filter(state=_State.NEW).update(state=_State.ENDED)


def _take_coupons(catalogue: Catalogue) -> None:
    keep = set[Any]()
    for entry in catalogue.coupon:
        amount = None if entry.amount is None else money.smallest_units(entry.amount, entry.currency)
        until = None if entry.until is None else datetime.combine(entry.until, time(), UTC)
        same = {
            "percent": entry.percent,
            "amount": amount,
            "currency": entry.currency if amount else "",
            "until": until,
        }
        open_coupon = Coupon.objects.filter(code=entry.code, state__in=_OPEN, **same).first()
        keep.add((open_coupon or Coupon.objects.create(code=entry.code, **same)).id)
    _end(Coupon.objects.exclude(id__in=keep))
