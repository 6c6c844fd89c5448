"""What is on sale, as the database has it, and where that is bought. Used by proofs. May touch: the database."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from troth.core.networks import is_local_site
from troth.proofs.context import Scene
from troth.shop.models import Price

_MOST = 60
"""So many prices are looked at in one run, the newest first."""
THANKS = "/buy/thanks/cs_nobodys"
"""Where buyers come back, with the id of a checkout that does not exist."""


@dataclass(frozen=True, slots=True)
class PriceLink:
    """A link that buyers follow to pay."""

    path: str
    """On our own front."""
    page: str
    """The card company's page, as the card company named it when the price was published."""


def prices(scene: Scene) -> list[PriceLink]:
    """Return the prices that are on sale; none without a shop."""
    shop = scene.config.shop
    if not shop.enabled:
        return []
    rows = Price.objects.filter(state=Price.State.ON_SALE, edition__on_sale=True, edition__product__on_sale=True)
    rows = rows.filter(currency__in=shop.currencies).select_related("edition__product").order_by("-created_at")
    return [
        PriceLink(f"/buy/{row.edition.product.slug}/{row.edition.slug}/{row.currency}", row.url) for row in rows[:_MOST]
    ]


def pages(scene: Scene) -> list[str]:
    """Return the paths of the pages on the way to pay and back; none without a shop."""
    if not scene.config.shop.enabled:
        return []
    return [*dict.fromkeys(link.path.rsplit("/", 2)[0] for link in prices(scene)), THANKS]


def is_company_page(scene: Scene, address: str) -> bool:
    """Return whether an address is at the card company, by https; or, as in the demo, at a stand-in on this machine."""
    page, allowed = urlsplit(address), urlsplit(scene.config.shop.pages)
    if "\\" in address or (page.scheme, page.netloc) != (allowed.scheme, allowed.netloc):
        return False
    return page.scheme == "https" or is_here(address)


def is_here(address: str) -> bool:
    """Return whether an address is of this machine only, by http."""
    split = urlsplit(address)
    return split.scheme == "http" and is_local_site(split.hostname or "")
