"""Refunds: in full or in part, at once, later, or failing later, as the card decides."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.currencies import shown
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import INCLUDED, listed, page_of
from troth.demo.card_company.parameters import ListParameters, Metadata, Parameters, Text, merged
from troth.demo.card_company.payments import move
from troth.demo.card_company.storage import Object

LATER_SECONDS = 600


class RefundCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    amount: Annotated[int, Meta(gt=0)] | UnsetType = UNSET
    charge: Text | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    payment_intent: Text | UnsetType = UNSET
    reason: Literal["duplicate", "fraudulent", "requested_by_customer"] | UnsetType = UNSET


class RefundUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    metadata: Metadata | UnsetType = UNSET


class RefundList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    charge: str | UnsetType = UNSET
    payment_intent: str | UnsetType = UNSET


def _charge_of(account: Account, params: RefundCreate) -> Object:
    if isinstance(params.charge, str):
        return account.get("charge", params.charge, "charge")
    if not isinstance(params.payment_intent, str):
        raise ApiError("One of the following params should be provided for this request: payment_intent or charge.")
    intent = account.get("payment_intent", params.payment_intent, "payment_intent")
    if intent["status"] != "succeeded":
        message = f"This PaymentIntent ({intent['id']}) does not have a successful charge to refund."
        raise invalid("payment_intent", message, "charge_not_refundable")
    return account.get("charge", intent["latest_charge"])


def _refundable(charge: Object, params: RefundCreate) -> int:
    left = charge["amount"] - charge["amount_refunded"]
    if not charge["paid"]:
        raise ApiError(f"Charge {charge['id']} has not been paid.", code="charge_not_refundable")
    if charge["disputed"]:
        raise ApiError(f"Charge {charge['id']} has been charged back; cannot issue a refund.", code="charge_disputed")
    if left == 0:
        raise ApiError(f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded")
    amount = params.amount if isinstance(params.amount, int) else left
    if amount > left:
        currency = charge["currency"]
        message = f"Refund amount ({shown(amount, currency)}) is greater than unrefunded amount on charge"
        raise invalid("amount", f"{message} ({shown(left, currency)})", "amount_too_large")
    return amount


def create_refund(account: Account, params: RefundCreate) -> Object:
    """Give money back. Never more than was paid."""
    charge = _charge_of(account, params)
    amount = _refundable(charge, params)
    behaves = account.private(account.get("payment_intent", charge["payment_intent"])).get("behaves")
    refund: Object = {
        "id": new_id("re_3"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": account.now(),
        "currency": charge["currency"],
        "customer": charge["customer"],
        "customer_account": None,
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "metadata": merged({}, params.metadata),
        "payment_intent": charge["payment_intent"],
        "payment_method": charge["payment_method"],
        "reason": params.reason if isinstance(params.reason, str) else None,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending" if behaves == "refund_pending" else "succeeded",
        "transfer_reversal": None,
    }
    if charge["payment_method_details"]["type"] == "sepa_debit":
        refund["destination_details"] = {"sepa_bank_transfer": {}, "type": "sepa_bank_transfer"}
    account.add(refund)
    refund["balance_transaction"] = move(account, refund, -amount, "refund")["id"]
    account.save(refund)
    account.emit("refund.created", refund)
    refunded = charge["amount_refunded"] + amount
    account.change(charge, "charge.refunded", amount_refunded=refunded, refunded=refunded == charge["amount"])
    if behaves in ("refund_pending", "refund_fails"):
        account.later(LATER_SECONDS, behaves, refund)
    return refund


def finish(account: Account, refund: Object) -> None:
    """Let a pending refund succeed."""
    account.change(refund, "refund.updated", status="succeeded")
    account.emit("charge.refund.updated", refund)


def fail(account: Account, refund: Object) -> None:
    """Let a refund come back: the money is the seller's again."""
    back = move(account, refund, refund["amount"], "refund_failure")
    values = {"failure_reason": "expired_or_canceled_card", "failure_balance_transaction": back["id"]}
    account.change(refund, "refund.failed", status="failed", **values)
    account.emit("charge.refund.updated", refund)
    charge = account.get("charge", refund["charge"])
    charge |= {"amount_refunded": charge["amount_refunded"] - refund["amount"], "refunded": False}
    account.save(charge)


def update_refund(account: Account, identifier: str, params: RefundUpdate) -> Object:
    """Change a refund's metadata."""
    refund = account.get("refund", identifier)
    return account.change(refund, "refund.updated", metadata=merged(refund["metadata"], params.metadata))


def list_refunds(account: Account, params: RefundList) -> Object:
    """List refunds."""
    return listed(account, "refund", "/v1/refunds", params)


def _refunds_of(account: Account, charge: Object) -> Object:
    refunds = account.storage.select("refund", [("json_extract(body, '$.charge') = ?", charge["id"])], "DESC", 100)
    return page_of(refunds, f"/v1/charges/{charge['id']}/refunds")


INCLUDED["charge", "refunds"] = _refunds_of
