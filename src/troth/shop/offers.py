"""What the worker publishes of the shop: what is on sale now. May touch: the database, settings."""

from urllib.parse import urlsplit

from troth.core import money
from troth.core.config.sections import Config, ShopSection
from troth.shop import company
from troth.shop.models import Price
from troth.shop.published import OfferedEdition, OfferedPrice, OfferedProduct, Shop


def offered(config: Config) -> Shop | None:
    """Return the shop as the front shows it; None if it is off."""
    shop = config.shop
    if not shop.enabled:
        return None
    return Shop(
        company=urlsplit(shop.pages).hostname or "",
        pages=shop.pages,
        products=_products(shop),
        tax_note=_tax_note(shop),
        terms_url=shop.terms_url,
        notices=company.notice_path(),
    )


def _tax_note(shop: ShopSection) -> str:
    if shop.tax == "none":
        return ""
    return "Prices include VAT." if shop.tax == "table" or shop.tax_included else "VAT is added at checkout."


def _products(shop: ShopSection) -> list[OfferedProduct]:
    rows = Price.objects.filter(state=Price.State.ON_SALE, edition__on_sale=True, edition__product__on_sale=True)
    rows = rows.filter(currency__in=shop.currencies).select_related("edition__product")
    places = {currency: place for place, currency in enumerate(shop.currencies)}
    products: dict[str, OfferedProduct] = {}
    editions: dict[tuple[str, str], OfferedEdition] = {}
    for row in sorted(rows, key=lambda row: (*_place(row), places[row.currency])):
        edition, product = row.edition, row.edition.product
        offered_product = products.setdefault(
            product.slug,
            OfferedProduct(slug=product.slug, name=product.name, description=product.description, editions=[]),
        )
        key = (product.slug, edition.slug)
        if key not in editions:
            editions[key] = OfferedEdition(slug=edition.slug, name=edition.name, seats=edition.seats, prices=[])
            offered_product.editions.append(editions[key])
        amount = money.shown(row.amount, row.currency)
        editions[key].prices.append(OfferedPrice(currency=row.currency, amount=amount, url=row.url))
    return list(products.values())


def _place(row: Price) -> tuple[int, str, int, str]:
    product = row.edition.product
    return product.place, product.slug, row.edition.place, row.edition.slug
