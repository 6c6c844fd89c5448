"""`/buy/...`: what a product costs, and the way to the card company's page. No form, no script, nothing of others: the
buyer types card and address on that page alone (B3), and is sent to no other (B1)."""

from starlette.requests import Request
from starlette.responses import Response

from troth.front import responses
from troth.front.http.form_parsing import FormRefused
from troth.front.request_context import require_private, visit
from troth.shop.published import Shop


def _shop(request: Request) -> Shop:
    shop = visit(request).snapshot.published.shop
    if shop is None:
        raise FormRefused(404, "Nothing is sold on this site.")
    return shop


def _not_sold() -> FormRefused:
    return FormRefused(404, "This is not on sale.", mend="It may have a new address. Please go back and try again.")


async def show(request: Request) -> Response:
    """Answer GET with a product: its editions, and a link for each price."""
    require_private(request)
    shop = _shop(request)
    product = shop.product(request.path_params["product"])
    if product is None:
        raise _not_sold()
    return responses.of(visit(request).snapshot, "buy.html", shop=shop, product=product)


async def go(request: Request) -> Response:
    """Answer GET with 303 to the card company's page for one price."""
    require_private(request)
    names = request.path_params
    page = _shop(request).page(names["product"], names["edition"], names["currency"])
    if page is None:
        raise _not_sold()
    return responses.go(page)


async def thanks(request: Request) -> Response:
    """Answer GET with thanks, when a buyer comes back from the card company. It says the same whatever was paid."""
    _shop(request)
    return responses.of(visit(request).snapshot, "bought.html")
