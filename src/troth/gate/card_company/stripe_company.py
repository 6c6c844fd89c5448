"""Stripe, by its own client: the API version pinned, telemetry off, our own idempotency keys, the client's objects
turned into ours at once. A restricted key needs: product_write, plan_write, payment_links_write, coupon_write,
promotion_code_write, checkout_session_read, payment_intent_read, charge_write (refunds), dispute_read, event_read,
customer_write.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import stripe

from troth.gate.card_company.errors import Broken, Busy, CardCompanyError, KeyRefused, NoAnswer, Refused, Unknown
from troth.gate.card_company.stripe_objects import built, checkout_in, dispute_in, event_in, refund_in
from troth.gate.card_company.transport import DoorClient
from troth.gate.card_company.types import Checkout, Dispute, Event, ForSale, Money, Published, Rebate, Refund
from troth.gate.doors import Door

API_VERSION = "2026-10-28.endive"
_RETRIES = 2
_USUAL_WAIT = 5
stripe.enable_telemetry = False  # before any call, or it writes an id into the home folder
# The client logs whole answers, with names and addresses: at level DEBUG, and to standard error where the environment
# has STRIPE_LOG, which it reads while it is imported and offers no public way to take back.
logging.getLogger("stripe").disabled = True
stripe._util.STRIPE_LOG = None


class StripeCompany:
    """The card company Stripe. `CardCompany` says what each method does."""

    def __init__(self, door: Door, api_key: str, *, timeout: float = 20.0, retries: int = _RETRIES) -> None:
        scheme = "http" if door.encryption == "none-loopback" else "https"
        self._v1 = stripe.StripeClient(
            api_key,
            stripe_version=API_VERSION,
            base_addresses={"api": f"{scheme}://{door.host}:{door.port}"},
            http_client=DoorClient(door, timeout),
            max_network_retries=retries,
        ).v1

    def publish(self, sold: ForSale, key: str) -> Published:
        """Make a product, its price and its payment link; each has a key of its own, derived from this one."""
        metadata = {"reference": sold.reference}
        product = sold.product or self._product(sold, f"{key}-product")
        of_price: dict[str, Any] = (
            {"tax_behavior": "inclusive" if sold.tax_included else "exclusive"} if sold.tax else {}
        )
        price_params = {
            "product": product,
            "unit_amount": sold.price.amount,
            "currency": sold.price.currency,
            **of_price,
        }
        price = _asked(lambda: self._v1.prices.create(_params(price_params), {"idempotency_key": f"{key}-price"}))
        of_link: dict[str, Any] = {"allow_promotion_codes": True} if sold.codes else {}
        if sold.tax:
            of_link["automatic_tax"] = {"enabled": True}
        if sold.tax or sold.address:
            of_link |= {"billing_address_collection": "required", "tax_id_collection": {"enabled": True}}
        link_params = {
            "line_items": [{"price": price["id"], "quantity": 1}],
            "metadata": metadata,
            "after_completion": {"type": "redirect", "redirect": {"url": sold.return_url}},
            **of_link,
        }
        link = _asked(lambda: self._v1.payment_links.create(_params(link_params), {"idempotency_key": f"{key}-link"}))
        return built(lambda: Published(product, price["id"], link["id"], link["url"]))

    def _product(self, sold: ForSale, key: str) -> str:
        params = {"name": sold.name, "metadata": {"reference": sold.reference}}
        body = _asked(lambda: self._v1.products.create(_params(params), {"idempotency_key": key}))
        return built(lambda: str(body["id"]))

    def withdraw(self, link: str, key: str) -> None:
        """Switch the payment link off."""
        _asked(lambda: self._v1.payment_links.update(link, {"active": False}, {"idempotency_key": key}))

    def offer_code(self, rebate: Rebate, key: str) -> str:
        """Make a coupon that can be used once by each, and the promotion code that buyers enter."""
        until = {} if rebate.until is None else {"redeem_by": rebate.until}
        off: dict[str, Any] = {"percent_off": rebate.percent}
        if rebate.amount is not None:
            off = {"amount_off": rebate.amount.amount, "currency": rebate.amount.currency}
        coupon_params = {"name": rebate.name[:40], "duration": "once", **off, **until}
        coupon = _asked(lambda: self._v1.coupons.create(_params(coupon_params), {"idempotency_key": f"{key}-coupon"}))
        code_params = {"code": rebate.code, "promotion": {"type": "coupon", "coupon": coupon["id"]}}
        code = _asked(lambda: self._v1.promotion_codes.create(_params(code_params), {"idempotency_key": f"{key}-code"}))
        return built(lambda: str(code["id"]))

    def withdraw_code(self, identifier: str, key: str) -> None:
        """Switch the promotion code off."""
        _asked(lambda: self._v1.promotion_codes.update(identifier, {"active": False}, {"idempotency_key": key}))

    def checkout(self, identifier: str) -> Checkout:
        """Return a checkout session, with its payment intent and charge."""
        params = _params({"expand": [_PAYMENT]})
        body = _asked(lambda: self._v1.checkout.sessions.retrieve(identifier, params))
        return built(lambda: checkout_in(body))

    def checkout_of(self, payment: str) -> Checkout | None:
        """Return the checkout session of a payment intent."""
        params = _params({"payment_intent": payment, "limit": 1, "expand": [f"data.{_PAYMENT}"]})
        page = _asked(lambda: self._v1.checkout.sessions.list(params))
        sessions = built(lambda: [checkout_in(body) for body in page["data"]])
        return sessions[0] if sessions else None

    def checkouts(self, since: int) -> Iterator[Checkout]:
        """List checkout sessions page by page."""
        params = {"created": {"gte": since}, "limit": 100, "expand": [f"data.{_PAYMENT}"]}
        return _pages(lambda after: self._v1.checkout.sessions.list(_params(params | after)), checkout_in)

    def disputes(self, payment: str) -> tuple[Dispute, ...]:
        """Return the disputes of a payment intent."""
        params = {"payment_intent": payment, "limit": 100}
        return tuple(_pages(lambda after: self._v1.disputes.list(_params(params | after)), dispute_in))

    def refund(self, payment: str, money: Money | None, key: str) -> Refund:
        """Refund a payment intent."""
        amount = {} if money is None else {"amount": money.amount}
        params = _params({"payment_intent": payment, **amount})
        body = _asked(lambda: self._v1.refunds.create(params, {"idempotency_key": key}))
        return built(lambda: refund_in(body))

    def events(self, since: int) -> Iterator[Event]:
        """List events page by page."""
        params = {"created": {"gte": since}, "limit": 100}
        return _pages(lambda after: self._v1.events.list(_params(params | after)), event_in)

    def forget_customer(self, identifier: str) -> None:
        """Delete a customer. Sessions and charges keep what the company must keep."""
        try:
            _asked(lambda: self._v1.customers.delete(identifier))
        except Unknown:
            return


_PAYMENT = "payment_intent.latest_charge"


def _params(params: Mapping[str, Any]) -> Any:
    """Return parameters for the client, whose types name a struct for each call."""
    return params


def _pages[Item: (Checkout, Dispute, Event)](
    call: Callable[[dict[str, str]], stripe.StripeObject], read: Callable[[dict[str, Any]], Item]
) -> Iterator[Item]:
    """Yield what is on all pages of a list."""
    after: dict[str, str] = {}
    while True:
        items, more = _page(call, read, after)
        yield from items
        if not items or not more:
            return
        after = {"starting_after": items[-1].id}


def _page[Item](
    call: Callable[[dict[str, str]], stripe.StripeObject], read: Callable[[dict[str, Any]], Item], after: dict[str, str]
) -> tuple[list[Item], bool]:
    body = _asked(lambda: call(after))
    return built(lambda: [read(item) for item in body["data"]]), bool(body.get("has_more"))


def _asked(call: Callable[[], stripe.StripeObject]) -> dict[str, Any]:
    """Return an answer as a plain dict. Raises a `CardCompanyError`, which quotes nothing of the answer."""
    try:
        return dict(call().to_dict())
    except stripe.StripeError as error:
        raise _error(error) from None
    except (ValueError, TypeError, AttributeError):
        raise NoAnswer("The card company's answer cannot be read.") from None


def _error(error: stripe.StripeError) -> CardCompanyError:
    code = error.code if isinstance(error.code, str) else ""
    status = error.http_status or 0
    if isinstance(error, stripe.RateLimitError):
        after = str((error.headers or {}).get("retry-after", ""))
        return Busy("The card company has too many calls.", int(after) if after.isdecimal() else _USUAL_WAIT)
    if isinstance(error, stripe.AuthenticationError | stripe.PermissionError):
        return KeyRefused("The card company refuses the API key.", mend="Check the key and its permissions.")
    if code == "resource_missing":
        return Unknown("The card company has no such object.")
    if status == 409:
        return Busy("The card company is still at work on this call.", _USUAL_WAIT)
    if status == 500 and (error.headers or {}).get("stripe-should-retry") == "false":
        return Broken("The card company failed (500).", mend="Look at the object in the card company's dashboard.")
    if 400 <= status < 500:
        return Refused(f"The card company refuses this ({code or status}).", code)
    return NoAnswer(f"The card company did not answer as it should ({status or 'no answer'}).")
