"""Stripe, by its own client: the API version pinned, telemetry off, our own idempotency keys, the client's objects
turned into ours at once. A restricted key needs: product_write, plan_write, payment_links_write, checkout_session_read,
payment_intent_read, charge_write (refunds), dispute_read, event_read, customer_write.
"""

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import stripe

from troth.gate.card_company.errors import Broken, Busy, CardCompanyError, KeyRefused, NoAnswer, Refused, Unknown
from troth.gate.card_company.transport import DoorClient
from troth.gate.card_company.types import Checkout, Dispute, Event, ForSale, Money, PaymentState, Published, Refund
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
        product = _asked(
            lambda: self._v1.products.create(
                {"name": sold.name, "metadata": metadata}, {"idempotency_key": f"{key}-product"}
            )
        )
        price = _asked(
            lambda: self._v1.prices.create(
                {"product": product["id"], "unit_amount": sold.price.amount, "currency": sold.price.currency},
                {"idempotency_key": f"{key}-price"},
            )
        )
        link = _asked(
            lambda: self._v1.payment_links.create(
                {
                    "line_items": [{"price": price["id"], "quantity": 1}],
                    "metadata": metadata,
                    "after_completion": {"type": "redirect", "redirect": {"url": sold.return_url}},
                },
                {"idempotency_key": f"{key}-link"},
            )
        )
        return _built(lambda: Published(product["id"], price["id"], link["id"], link["url"]))

    def withdraw(self, link: str, key: str) -> None:
        """Switch the payment link off."""
        _asked(lambda: self._v1.payment_links.update(link, {"active": False}, {"idempotency_key": key}))

    def checkout(self, identifier: str) -> Checkout:
        """Return a checkout session, with its payment intent and charge."""
        expand = ["payment_intent.latest_charge"]
        body = _asked(lambda: self._v1.checkout.sessions.retrieve(identifier, {"expand": expand}))
        return _built(lambda: _checkout(body))

    def refund(self, payment: str, money: Money | None, key: str) -> Refund:
        """Refund a payment intent."""
        amount = {} if money is None else {"amount": money.amount}
        params = cast("stripe.params.RefundCreateParams", {"payment_intent": payment, **amount})
        body = _asked(lambda: self._v1.refunds.create(params, {"idempotency_key": key}))
        return _built(lambda: _refund(body))

    def refund_now(self, identifier: str) -> Refund:
        """Return a refund."""
        body = _asked(lambda: self._v1.refunds.retrieve(identifier))
        return _built(lambda: _refund(body))

    def dispute(self, identifier: str) -> Dispute:
        """Return a dispute."""
        body = _asked(lambda: self._v1.disputes.retrieve(identifier))
        return _built(
            lambda: Dispute(
                id=_text(body, "id"),
                payment=body["payment_intent"] or "",
                money=_money(body, "amount"),
                reason=_text(body, "reason"),
                state=_text(body, "status"),
                due_by=body["evidence_details"]["due_by"] or 0,
            )
        )

    def events(self, since: int) -> Iterator[Event]:
        """List events page by page."""
        after: dict[str, str] = {}
        while True:
            params = cast("stripe.params.EventListParams", {"created": {"gte": since}, "limit": 100, **after})
            events, more = self._event_page(params)
            yield from events
            if not more:
                return
            after = {"starting_after": events[-1].id}

    def _event_page(self, params: "stripe.params.EventListParams") -> tuple[list[Event], bool]:
        page = _asked(lambda: self._v1.events.list(params))
        events = _built(lambda: [_event(event) for event in page["data"]])
        return events, bool(events) and bool(page.get("has_more"))

    def forget_customer(self, identifier: str) -> None:
        """Delete a customer. Sessions and charges keep what the company must keep."""
        try:
            _asked(lambda: self._v1.customers.delete(identifier))
        except Unknown:
            return


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


def _built[Built](build: Callable[[], Built]) -> Built:
    """Return what is kept of an answer. Raises `NoAnswer` if the answer has other fields or types."""
    try:
        return build()
    except (KeyError, TypeError, AttributeError, IndexError):
        raise NoAnswer("The card company's answer lacks what it should have.") from None


def _text(body: dict[str, Any], name: str) -> str:
    value = body[name]
    if not isinstance(value, str):
        raise TypeError(name)
    return value


def _whole(body: dict[str, Any], name: str) -> int:
    value = body[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(name)
    return value


def _money(body: dict[str, Any], name: str) -> Money:
    return Money(_whole(body, name), _text(body, "currency"))


def _checkout(body: dict[str, Any]) -> Checkout:
    if body["object"] != "checkout.session":
        raise TypeError("object")
    intent = body["payment_intent"] or {}
    charge = intent.get("latest_charge") or {}
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    return Checkout(
        id=_text(body, "id"),
        state=body["status"],
        paid=cast(PaymentState, _text(body, "payment_status")),
        total=_money(body, "amount_total"),
        tax=_whole(body["total_details"], "amount_tax"),
        discount=_whole(body["total_details"], "amount_discount"),
        reference=(body["metadata"] or {}).get("reference", ""),
        payment=intent.get("id", ""),
        charge=charge.get("id", ""),
        charged=charge.get("amount_captured", 0),
        refunded=charge.get("amount_refunded", 0),
        disputed=charge.get("disputed", False),
        customer=body["customer"] or "",
        country=((body["customer_details"] or {}).get("address") or {}).get("country") or "",
        card_brand=card.get("brand", ""),
        last4=card.get("last4", ""),
    )


def _refund(body: dict[str, Any]) -> Refund:
    return Refund(_text(body, "id"), body["payment_intent"] or "", _money(body, "amount"), body["status"])


def _event(body: dict[str, Any]) -> Event:
    about = body["data"]["object"].get("id", "")
    return Event(_text(body, "id"), _text(body, "type"), _whole(body, "created"), about)
