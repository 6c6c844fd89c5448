"""Checkout sessions: one buyer's way through the hosted page, made by a call or by opening a payment link."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.amounts import Line, cost, tax_percent
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import INCLUDED, listed, page_of
from troth.demo.card_company.parameters import (
    ListParameters,
    Metadata,
    PageParameters,
    Parameters,
    Text,
    changes,
    merged,
)
from troth.demo.card_company.payment_links import IntentData, LineItem, PaymentMethod, Switch, item_object, priced
from troth.demo.card_company.storage import Object

_DAY, _LEAST_SECONDS = 86400, 1800


class DiscountChoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A coupon, or a promotion code."""

    coupon: Text | UnsetType = UNSET
    promotion_code: Text | UnsetType = UNSET


class SessionCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    mode: Literal["payment"]
    line_items: Annotated[list[LineItem], Meta(min_length=1, max_length=100)]
    success_url: Text
    allow_promotion_codes: bool | UnsetType = UNSET
    allowed_payment_method_types: tuple[PaymentMethod, ...] = ("card",)
    automatic_tax: Switch = Switch(False)
    billing_address_collection: Literal["auto", "required"] | UnsetType = UNSET
    cancel_url: Text | UnsetType = UNSET
    client_reference_id: Annotated[str, Meta(min_length=1, max_length=200)] | UnsetType = UNSET
    currency: str | UnsetType = UNSET
    customer: Text | UnsetType = UNSET
    customer_creation: Literal["always", "if_required"] | UnsetType = UNSET
    customer_email: Text | UnsetType = UNSET
    discounts: Annotated[tuple[DiscountChoice, ...], Meta(max_length=1)] = ()
    expires_at: int | UnsetType = UNSET
    locale: Text | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    payment_intent_data: IntentData | UnsetType = UNSET
    submit_type: Literal["auto", "pay"] | UnsetType = UNSET
    tax_id_collection: Switch | UnsetType = UNSET


class SessionUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    metadata: Metadata | UnsetType = UNSET


class SessionList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    customer: str | UnsetType = UNSET
    payment_intent: str | UnsetType = UNSET
    payment_link: str | UnsetType = UNSET
    status: str | UnsetType = UNSET


def _new(account: Account, currency: str, values: Object, private: Object) -> Object:
    """Add a session whose lines are known, and let it expire by the clock."""
    identifier = new_id("cs_test_a1", 56)
    created = account.now()
    names = (
        "after_expiration allow_promotion_codes billing_address_collection cancel_url client_reference_id client_secret"
        " collected_information consent consent_collection currency_conversion customer customer_account"
        " customer_creation customer_details customer_email discounts integration_identifier invoice invoice_creation"
        " locale managed_payments origin_context payment_intent payment_link payment_method_configuration_details"
        " payment_method_options permissions recovered_from saved_payment_method_options setup_intent"
        " shipping_address_collection shipping_cost submit_type subscription success_url wallet_options"
    ).split()
    session: Object = dict.fromkeys(names) | {
        "id": identifier,
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "created": created,
        "currency": currency,
        "custom_fields": [],
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": None,
            "terms_of_service_acceptance": None,
        },
        "customer_creation": "if_required",
        "expires_at": created + _DAY,
        "livemode": False,
        "metadata": {},
        "mode": "payment",
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "payment_status": "unpaid",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "url": f"{account.address}/c/pay/{identifier}",
    }
    account.add(session | values, {"discount": None, "intent_data": {}, **private})
    session |= values
    account.later(session["expires_at"] - created, "session_expires", session)
    return priced_again(account, session)


def create_session(account: Account, params: SessionCreate) -> Object:
    """Make a session with its own lines."""
    currency, lines = priced(account, params.line_items, params.currency)
    own = "allow_promotion_codes billing_address_collection cancel_url client_reference_id customer customer_creation"
    own += " customer_email locale submit_type success_url expires_at"
    values = changes(params, *own.split()) | {"metadata": merged({}, params.metadata)}
    values["payment_method_types"] = list(params.allowed_payment_method_types)
    if isinstance(params.customer, str):
        account.get("customer", params.customer, "customer")
    if isinstance(params.expires_at, int):
        _check_expiry(account.now(), params.expires_at)
    if params.automatic_tax.enabled:
        values["automatic_tax"] = _automatic_tax()
    if isinstance(params.tax_id_collection, Switch):
        values["tax_id_collection"] = {"enabled": params.tax_id_collection.enabled, "required": "never"}
    intent_data = (
        msgspec.to_builtins(params.payment_intent_data) if isinstance(params.payment_intent_data, IntentData) else {}
    )
    discount = _discount(account, params)
    return _new(account, currency, values, {"lines": lines, "discount": discount, "intent_data": intent_data})


def _check_expiry(now: int, expires_at: int) -> None:
    if not now + _LEAST_SECONDS - 60 <= expires_at <= now + _DAY:
        raise invalid("expires_at", "The `expires_at` timestamp must be 30 minutes to 24 hours from now.")


def _automatic_tax() -> Object:
    return {"enabled": True, "liability": {"type": "self"}, "provider": "stripe", "status": "requires_location_inputs"}


def _discount(account: Account, params: SessionCreate) -> Object | None:
    for choice in params.discounts:
        if isinstance(choice.coupon, str):
            return {
                "coupon": account.get("coupon", choice.coupon, "discounts[0][coupon]")["id"],
                "promotion_code": None,
            }
        if isinstance(choice.promotion_code, str):
            code = account.get("promotion_code", choice.promotion_code, "discounts[0][promotion_code]")
            return {"coupon": code["promotion"]["coupon"], "promotion_code": code["id"]}
    return None


def open_link(account: Account, link: Object, query: dict[str, str]) -> Object:
    """Return a new session of somebody who opened a payment link."""
    data = link["payment_intent_data"] or {}
    values = {
        "allow_promotion_codes": link["allow_promotion_codes"],
        "billing_address_collection": link["billing_address_collection"],
        "client_reference_id": query.get("client_reference_id", "")[:200] or None,
        "customer_creation": link["customer_creation"],
        "metadata": link["metadata"],
        "payment_link": link["id"],
        "payment_method_types": link["payment_method_types"] or ["card"],
        "submit_type": link["submit_type"],
        "success_url": link["after_completion"].get("redirect", {}).get("url"),
        "tax_id_collection": link["tax_id_collection"],
    }
    if link["automatic_tax"]["enabled"]:
        values["automatic_tax"] = _automatic_tax()
    lines = [line | {"id": new_id("li_1")} for line in account.private(link)["lines"]]
    typed = {"email": query.get("prefilled_email", ""), "code": query.get("prefilled_promo_code", "")}
    return _new(account, link["currency"], values, {"lines": lines, "intent_data": data, "typed": typed})


def lines_of(account: Account, session: Object) -> list[tuple[Object, Line]]:
    """Return a session's lines as the API shows them, each with what it costs."""
    private, currency = account.private(session), session["currency"]
    items = [item_object(account, line, currency) for line in private["lines"]]
    coupon = private["discount"] and account.storage.load("coupon", private["discount"]["coupon"])
    details = session["customer_details"] or {}
    country = (details.get("address") or {}).get("country")
    percent = tax_percent(country, details.get("tax_ids") or []) if session["automatic_tax"]["enabled"] else 0
    inclusive = [item["price"]["tax_behavior"] == "inclusive" for item in items]
    costs = cost([item["amount_subtotal"] for item in items], coupon, percent, inclusive, currency)
    for item, line in zip(items, costs, strict=True):
        item |= {"amount_discount": line.discount, "amount_tax": line.tax, "amount_total": line.total}
    return list(zip(items, costs, strict=True))


def priced_again(account: Account, session: Object) -> Object:
    """Write what the session costs now; return it."""
    costs = [line for _, line in lines_of(account, session)]
    session["amount_subtotal"] = sum(line.subtotal for line in costs)
    session["amount_total"] = sum(line.total for line in costs)
    session["total_details"] = {
        "amount_discount": sum(line.discount for line in costs),
        "amount_shipping": 0,
        "amount_tax": sum(line.tax for line in costs),
    }
    discount = account.private(session)["discount"]
    session["discounts"] = [discount] if discount else []
    if session["automatic_tax"]["enabled"] and session["customer_details"]:
        session["automatic_tax"]["status"] = "complete"
    return account.save(session)


def session_items(account: Account, session: Object) -> Object:
    """Return a session's lines."""
    return page_of(
        [item for item, _ in lines_of(account, session)], f"/v1/checkout/sessions/{session['id']}/line_items"
    )


def list_session_items(account: Account, identifier: str, params: PageParameters) -> Object:
    """List a session's lines."""
    return session_items(account, account.get("checkout.session", identifier))


def update_session(account: Account, identifier: str, params: SessionUpdate) -> Object:
    """Change a session's metadata."""
    session = account.get("checkout.session", identifier)
    session["metadata"] = merged(session["metadata"], params.metadata)
    return account.save(session)


def list_sessions(account: Account, params: SessionList) -> Object:
    """List sessions."""
    return listed(account, "checkout.session", "/v1/checkout/sessions", params)


def expire_session(account: Account, identifier: str, params: Parameters) -> Object:
    """End a session that is open."""
    session = account.get("checkout.session", identifier)
    if session["status"] != "open":
        raise ApiError('Only Checkout Sessions with a status in ["open"] can be expired.')
    return expire(account, session)


def expire(account: Account, session: Object) -> Object:
    """Mark an open session as expired; return it."""
    return account.change(session, "checkout.session.expired", status="expired", url=None)


def set_quantities(account: Account, session: Object, quantities: dict[str, int]) -> None:
    """Change how many of each line the buyer wants, within what the line allows."""
    lines: list[Any] = account.private(session)["lines"]
    for line in lines:
        allowed, number = line["adjustable"], quantities.get(line["id"])
        if number is not None and allowed and allowed["enabled"]:
            line["quantity"] = max(allowed["minimum"], 1, min(allowed["maximum"], number))
    account.set_private(session, lines=lines)
    priced_again(account, session)


INCLUDED["checkout.session", "line_items"] = session_items
