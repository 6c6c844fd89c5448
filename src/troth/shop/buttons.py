"""Buttons and a table of prices for the vendor's own pages: links that lead to the card company's page, and nothing
else (B3). Touches nothing."""

from html import escape

from troth.core.config.sections import Config
from troth.core.errors import TrothError
from troth.shop.published import OfferedEdition, Shop


def product_button(config: Config, shop: Shop | None, words: str) -> str:
    """Return a link that leads to the card company's page: `plainbook/single/EUR`. Raises `TrothError` if that is not
    on sale."""
    names = words.split("/")
    if shop is None or len(names) != 3 or shop.page(*names) is None:
        raise _nothing_on_sale(words)
    product = shop.product(names[0])
    label = escape(f"Buy {product.name if product else names[0]}")
    return f'<a href="{escape(config.site.url)}/buy/{escape(words)}" rel="nofollow">{label}</a>\n'


def pricing_table(config: Config, shop: Shop | None, slug: str) -> str:
    """Return the editions and prices of a product as a table, each price a link to buy. Raises `TrothError`."""
    product = shop.product(slug) if shop else None
    if shop is None or product is None:
        raise _nothing_on_sale(slug)
    rows = "".join(_price_row(config, slug, edition) for edition in product.editions)
    head = '<thead><tr><th scope="col">Edition</th><th scope="col">Seats</th><th scope="col">Price</th></tr></thead>'
    note = f"<p>{escape(shop.tax_note)}</p>\n" if shop.tax_note else ""
    return f"<table>\n<caption>{escape(product.name)}</caption>\n{head}\n<tbody>\n{rows}</tbody>\n</table>\n{note}"


def _price_row(config: Config, slug: str, edition: OfferedEdition) -> str:
    links = [
        f'<a href="{escape(config.site.url)}/buy/{slug}/{edition.slug}/{price.currency}" rel="nofollow" '
        f'aria-label="Buy {escape(edition.name)} for {price.amount}">{price.amount}</a>'
        for price in edition.prices
    ]
    cells = f"<td>{edition.seats}</td><td>{' or '.join(links)}</td>"
    return f'<tr><th scope="row">{escape(edition.name)}</th>{cells}</tr>\n'


def _nothing_on_sale(words: str) -> TrothError:
    return TrothError(
        f"{words or 'Nothing'} is not on sale, or the site has not published it yet.",
        mend="`troth product list` shows what is. A running worker publishes it within ten seconds.",
    )
