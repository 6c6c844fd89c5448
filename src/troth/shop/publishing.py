"""Publishing: what is sold is made at the card company, and what is withdrawn is switched off there.

Each price and coupon has one id, which is the key of every call about it: a command that was killed goes on where it
was, and nothing is made twice. A new price is on sale before the earlier one is withdrawn. Asks the card company.
"""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction

from troth.core.errors import TrothError
from troth.gate.card_company.errors import Unknown
from troth.gate.card_company.types import CardCompany, ForSale, Money, Published, Rebate
from troth.shop.models import Coupon, Price

_State = Price.State
RETURN_PATH = "buy/thanks/{CHECKOUT_SESSION_ID}"


class PublishingRefused(TrothError):
    """What the card company made cannot be sold from here."""


@dataclass(frozen=True, slots=True)
class Work:
    """How much was done."""

    published: int = 0
    withdrawn: int = 0


def publish(company: CardCompany, progress: Callable[[int, int], None] = lambda _done, _all: None) -> Work:
    """Make and withdraw at the card company what the rows say. Raises `CardCompanyError`; repeat it then."""
    coupons = list(Coupon.objects.filter(state=_State.NEW))
    new = list(Price.objects.filter(state=_State.NEW).select_related("edition__product"))
    total, done = len(coupons) + len(new), 0
    for coupon in coupons:
        _offer(company, coupon)
        progress(done := done + 1, total)
    for price in new:
        _publish_price(company, price)
        progress(done := done + 1, total)
    return Work(done, _withdraw(company))


def _offer(company: CardCompany, coupon: Coupon) -> None:
    amount = None if coupon.amount is None else Money(coupon.amount, coupon.currency.lower())
    until = None if coupon.until is None else int(coupon.until.timestamp())
    rebate = Rebate(coupon.code, coupon.code, coupon.percent, amount, until)
    coupon.company_code = company.offer_code(rebate, str(coupon.id))
    coupon.state = _State.ON_SALE
    coupon.save(update_fields=["company_code", "state"])


def _publish_price(company: CardCompany, price: Price) -> None:
    config, edition = settings.TROTH_CONFIG, price.edition
    edition.refresh_from_db(fields=["company_product"])  # an earlier price in this run made it
    sold = ForSale(
        name=edition.title,
        reference=str(price.id),
        price=Money(price.amount, price.currency.lower()),
        return_url=f"{config.site.url}/{RETURN_PATH}",
        product=edition.company_product,
        address=price.tax != "none",
        tax=price.tax == "company",
        tax_included=price.tax_included,
        codes=price.codes,
    )
    published = company.publish(sold, str(price.id))
    check_page(published.url)
    _record(price, published)


@transaction.atomic
def _record(price: Price, published: Published) -> None:
    same = Price.objects.filter(edition=price.edition, currency=price.currency, state=_State.ON_SALE)
    same.update(state=_State.ENDING)  # it is closed once this one is open
    price.company_price, price.company_link, price.url = published.price, published.link, published.url
    price.state = _State.ON_SALE
    price.save(update_fields=["company_price", "company_link", "url", "state"])
    price.edition.company_product = published.product
    price.edition.save(update_fields=["company_product"])


def check_page(url: str) -> None:
    """Check that buyers may be sent there: raises `PublishingRefused` if it is not under `pages` of [shop]."""
    pages = settings.TROTH_CONFIG.shop.pages
    page, allowed = urlsplit(url), urlsplit(pages)
    if (page.scheme, page.netloc.lower()) != (allowed.scheme, allowed.netloc.lower()):
        raise PublishingRefused(
            f"The card company's payment page is at {page.scheme}://{page.netloc}, not at {pages}.",
            mend=f'If that is right, set pages = "{page.scheme}://{page.netloc}" under [shop], and publish again.',
        )


def _withdraw(company: CardCompany) -> int:
    ending = list(Price.objects.filter(state=_State.ENDING))
    for price in ending:
        _without(company.withdraw, price.company_link, f"{price.id}-withdraw")
        Price.objects.filter(id=price.id).update(state=_State.ENDED)
    codes = list(Coupon.objects.filter(state=_State.ENDING))
    for coupon in codes:
        _without(company.withdraw_code, coupon.company_code, f"{coupon.id}-withdraw")
        Coupon.objects.filter(id=coupon.id).update(state=_State.ENDED)
    return len(ending) + len(codes)


def _without(call: Callable[[str, str], None], identifier: str, key: str) -> None:
    """Switch something off; what was deleted in the company's dashboard is off already."""
    try:
        call(identifier, key)
    except Unknown:
        return
