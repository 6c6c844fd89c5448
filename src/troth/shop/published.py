"""What everybody may know of the shop: products, prices and the card company's pages. The worker writes it, the front
reads it. Touches nothing."""

from urllib.parse import urlsplit

import msgspec


class OfferedPrice(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What an edition costs in one currency, and the card company's page where it is paid."""

    currency: str
    amount: str
    """For people: `49.00 EUR`."""
    url: str


class OfferedEdition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An edition that is on sale."""

    slug: str
    name: str
    seats: int
    prices: list[OfferedPrice]


class OfferedProduct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A product that is on sale."""

    slug: str
    name: str
    description: str
    editions: list[OfferedEdition]


class Shop(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The shop as the public server shows it."""

    company: str
    """The card company's host, as buyers read it."""
    pages: str
    """Origin of its payment pages: buyers are sent nowhere else."""
    products: list[OfferedProduct] = []
    tax_note: str = ""
    """A sentence about tax; empty where there is none."""
    terms_url: str = ""
    notices: str = ""
    """The last part of the path where the card company's notices come in; empty: none are taken."""

    def product(self, slug: str) -> OfferedProduct | None:
        """Return the product of this name; None if it is not on sale."""
        return next((product for product in self.products if product.slug == slug), None)

    def page(self, slug: str, edition: str, currency: str) -> str | None:
        """Return the card company's page for a price, if it is on sale and where buyers may be sent."""
        product = self.product(slug)
        if product is None:
            return None
        urls = [
            price.url
            for offered in product.editions
            for price in offered.prices
            if (offered.slug, price.currency) == (edition, currency)
        ]
        return next((url for url in urls if self.may_send_to(url)), None)

    def may_send_to(self, url: str) -> bool:
        """Whether an address is one of the card company's payment pages."""
        page, allowed = urlsplit(url), urlsplit(self.pages)
        return (page.scheme, page.netloc) == (allowed.scheme, allowed.netloc) and "\\" not in url
