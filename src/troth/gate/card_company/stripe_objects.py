"""What is kept of Stripe's objects: an allow-list of fields, read with their types."""

import re
from collections.abc import Callable
from typing import Any, cast

from troth.core import contact_details
from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress
from troth.gate.card_company.errors import NoAnswer
from troth.gate.card_company.types import Buyer, Checkout, Dispute, Event, Money, PaymentState, Refund

_TAX_NUMBER = re.compile(r"[A-Za-z0-9 ./-]{4,24}")
_NOT_PAID = ("requires_payment_method", "canceled")


def built[Built](build: Callable[[], Built]) -> Built:
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


def _or_empty(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    return value if isinstance(value, str) else ""


def _money(body: dict[str, Any], name: str) -> Money:
    return Money(_whole(body, name), _text(body, "currency"))


def checkout_in(body: dict[str, Any]) -> Checkout:
    """Return a checkout session. Raises one of what `built` catches."""
    if body["object"] != "checkout.session":
        raise TypeError("object")
    intent = body["payment_intent"] or {}
    charge = intent.get("latest_charge") or {}
    card = (charge.get("payment_method_details") or {}).get("card") or {}
    details = body["customer_details"] or {}
    state, paid = body["status"], cast(PaymentState, _text(body, "payment_status"))
    return Checkout(
        id=_text(body, "id"),
        created=_whole(body, "created"),
        state=state,
        paid=paid,
        failed=state == "complete" and paid == "unpaid" and intent.get("status") in _NOT_PAID,
        subtotal=_whole(body, "amount_subtotal"),
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
        country=_or_empty(details.get("address") or {}, "country"),
        card_brand=card.get("brand", ""),
        last4=card.get("last4", ""),
        buyer=_buyer(details),
    )


def _buyer(details: dict[str, Any]) -> Buyer:
    name = _or_empty(details, "individual_name") or _or_empty(details, "name")
    numbers = [_or_empty(number, "value") for number in details.get("tax_ids") or []]
    return Buyer(
        email=_detail(EmailAddress, _or_empty(details, "email")),
        name=_detail(PersonName, name),
        address=_detail(PostalAddress, _address(details.get("address") or {})),
        company=_detail(Company, _or_empty(details, "business_name")),
        vat_number=next((number for number in numbers if _TAX_NUMBER.fullmatch(number)), ""),
    )


def _detail[Detail: (EmailAddress, PersonName, PostalAddress, Company)](kind: type[Detail], text: str) -> Detail | None:
    """Return a detail as our own forms would take it: masked, on the lines that it may have; None if they would not."""
    tidy = contact_details.tidy(text, kind.category)
    try:
        return kind(contact_details.check(kind.category, tidy)) if tidy else None
    except ValueError:
        return None


def _address(address: dict[str, Any]) -> str:
    town = f"{_or_empty(address, 'postal_code')} {_or_empty(address, 'city')}".strip()
    lines = [_or_empty(address, "line1"), _or_empty(address, "line2"), town]
    return "\n".join(filter(None, [*lines, _or_empty(address, "state"), _or_empty(address, "country")]))


def dispute_in(body: dict[str, Any]) -> Dispute:
    """Return a dispute."""
    return Dispute(
        id=_text(body, "id"),
        payment=body["payment_intent"] or "",
        money=_money(body, "amount"),
        reason=_text(body, "reason"),
        state=_text(body, "status"),
        due_by=body["evidence_details"]["due_by"] or 0,
    )


def refund_in(body: dict[str, Any]) -> Refund:
    """Return a refund."""
    return Refund(_text(body, "id"), body["payment_intent"] or "", _money(body, "amount"), body["status"])


def event_in(body: dict[str, Any]) -> Event:
    """Return an event."""
    about = body["data"]["object"]
    return Event(
        _text(body, "id"), _text(body, "type"), _whole(body, "created"), about.get("id", ""), payment_in(about)
    )


def payment_in(about: dict[str, Any]) -> str:
    """Return the payment intent that an event's object is, or belongs to; empty if it is of none."""
    if about.get("object") == "payment_intent":
        return _or_empty(about, "id")
    payment = about.get("payment_intent")
    return payment if isinstance(payment, str) else _or_empty(payment or {}, "id")
