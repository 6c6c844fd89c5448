"""`/buy/...`: what a product costs, and the way to the card company's page. No form, no script, nothing of others: the
buyer types card and address on that page alone (B3), and is sent to no other (B1). `/notices/...`: what the card
company says, searched for card numbers (B2)."""

from contextlib import suppress
from hmac import compare_digest

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from troth.front import responses
from troth.front.channels.clerk_client import ClerkBusy, ClerkGone
from troth.front.http.form_parsing import FormRefused
from troth.front.http.log import LogEvent, tell
from troth.front.request_context import Visit, body, require_private, visit
from troth.shop.entry import (
    LONGEST_NOTICE,
    CardNotice,
    CheckoutReturn,
    has_card_number,
    is_checkout,
    is_signature,
)
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
    """Answer GET with thanks, when a buyer comes back from the card company. It says the same whatever was paid; the
    worker asks the card company."""
    _shop(request)
    context, checkout = visit(request), request.path_params["checkout"]
    if is_checkout(checkout) and not context.buckets.take(context.caller.bucket):
        with suppress(ClerkBusy, ClerkGone):  # a notice tells of it as well
            await _hand(context, CheckoutReturn(checkout))
    return responses.of(context.snapshot, "bought.html")


async def notice(request: Request) -> Response:
    """Answer POST of the card company: 200 once the notice is on the disk, sealed as it came. Otherwise it sends it
    again, for days. Whether it is the card company's, its signature tells the worker."""
    shop, context = _shop(request), visit(request)
    if not shop.notices or not compare_digest(request.path_params["name"].encode(), shop.notices.encode()):
        return responses.error(request, context.snapshot, 404)
    require_private(request)
    signature = request.headers.get("stripe-signature", "")
    if not is_signature(signature):
        return PlainTextResponse("no signature\n", 400)
    content = await body(request, LONGEST_NOTICE)
    if has_card_number(content):  # none of its notices has one
        tell(LogEvent.CARD_NUMBER_IN_NOTICE)
        return PlainTextResponse("this contains a card number, and was not stored\n", 422)
    try:
        await _hand(context, CardNotice(content, signature))
    except (ClerkBusy, ClerkGone) as error:
        tell(LogEvent.CLERK_BUSY if isinstance(error, ClerkBusy) else LogEvent.CLERK_GONE)
        return PlainTextResponse("not stored, send it again\n", 503, {"retry-after": str(error.retry_after)})
    return PlainTextResponse("stored\n")


async def _hand(context: Visit, entry: CardNotice | CheckoutReturn) -> None:
    await context.line.hand(entry.kind, context.snapshot.sealing.seal(entry))
