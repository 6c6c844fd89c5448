"""Payment intents, charges and the account's balance: what happens when a buyer pays, and what is left of it."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company import cards
from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.cards import DECLINES, Method
from troth.demo.card_company.currencies import check_amount, checked
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import ListParameters, Metadata, Parameters, Text, Unsettable, changes, merged
from troth.demo.card_company.storage import Object

BANK_DEBIT_SECONDS = 180
_BALANCE_DELAY_SECONDS = 7 * 86400
_OPEN = ("requires_payment_method", "requires_confirmation", "requires_action", "processing")
_NO_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
NOBODY: Object = {"address": _NO_ADDRESS, "email": None, "name": None, "phone": None, "tax_id": None}


class IntentCreate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    amount: Annotated[int, Meta(ge=0)]
    currency: str
    confirm: bool = False
    customer: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET
    payment_method: Text | UnsetType = UNSET
    receipt_email: Text | UnsetType = UNSET
    return_url: Text | UnsetType = UNSET
    statement_descriptor_suffix: Text | UnsetType = UNSET


class IntentUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    description: Unsettable | UnsetType = UNSET
    metadata: Metadata | UnsetType = UNSET


class IntentConfirm(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    payment_method: Text
    return_url: Text | UnsetType = UNSET


class IntentCancel(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    cancellation_reason: Literal["abandoned", "duplicate", "fraudulent", "requested_by_customer"] | UnsetType = UNSET


class ByCustomer(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    customer: str | UnsetType = UNSET


class ByIntent(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    payment_intent: str | UnsetType = UNSET
    customer: str | UnsetType = UNSET


class BalanceList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    currency: str | UnsetType = UNSET
    source: str | UnsetType = UNSET
    type: str | UnsetType = UNSET


def new_intent(account: Account, amount: int, currency: str, **values: Any) -> Object:
    """Add a payment intent that waits for a way to pay."""
    identifier = new_id("pi_3")
    names = (
        "application application_fee_amount automatic_payment_methods canceled_at cancellation_reason customer"
        " customer_account description excluded_payment_method_types last_payment_error latest_charge managed_payments"
        " next_action on_behalf_of payment_method payment_method_configuration_details processing receipt_email review"
        " setup_future_usage shipping source statement_descriptor statement_descriptor_suffix transfer_data"
        " transfer_group"
    ).split()
    intent: Object = dict.fromkeys(names) | {
        "id": identifier,
        "object": "payment_intent",
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "capture_method": "automatic",
        "client_secret": f"{identifier}_secret_{new_id('', 25)}",
        "confirmation_method": "automatic",
        "created": account.now(),
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "payment_method_options": {},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
    }
    account.add(intent | values, {"billing": NOBODY})
    account.emit("payment_intent.created", intent | values)
    return intent | values


def attempt(account: Account, intent: Object, method: Method, billing: Object) -> Object:
    """Try to pay an intent; return it: succeeded, processing, in need of a challenge, or in need of another card."""
    paid_with = _method_object(account, method, billing)
    account.set_private(intent, billing=billing, method=paid_with["id"], behaves=method.behaves)
    intent["payment_method"] = paid_with["id"]
    if method.behaves.startswith("challenge"):
        url = f"{account.address}/c/challenge/{intent['id']}"
        action = {"type": "redirect_to_url", "redirect_to_url": {"return_url": None, "url": url}}
        return account.change(intent, "payment_intent.requires_action", status="requires_action", next_action=action)
    if method.type == "sepa_debit":
        charge = _charge(account, intent, "pending")
        account.emit("charge.pending", charge)
        account.later(BANK_DEBIT_SECONDS, "debit_ends", intent)
        return account.change(intent, "payment_intent.processing", status="processing", latest_charge=charge["id"])
    if method.behaves in DECLINES:
        return fail(account, intent, method.behaves)
    return succeed(account, intent)


def after_challenge(account: Account, intent: Object, *, passed: bool) -> Object:
    """Go on with a payment whose buyer was asked by their bank; return the intent."""
    intent["next_action"] = None
    if not passed:
        return fail(account, intent, "challenge_failed")
    declined = account.private(intent)["behaves"] == "challenge_then_decline"
    return fail(account, intent, "generic_decline") if declined else succeed(account, intent)


def succeed(account: Account, intent: Object) -> Object:
    """Take the money; return the intent."""
    charge = _charge_in_progress(account, intent)
    balance = move(account, charge, charge["amount"], "charge", fee=charge["amount"] * 29 // 1000 + 30)
    values = {"status": "succeeded", "paid": True, "captured": True, "amount_captured": charge["amount"]}
    charge |= values | {"balance_transaction": balance["id"], "outcome": _outcome("authorized", "Payment complete.")}
    account.emit("charge.succeeded", account.save(charge))
    intent |= {"latest_charge": charge["id"], "last_payment_error": None, "amount_received": intent["amount"]}
    return account.change(intent, "payment_intent.succeeded", status="succeeded", next_action=None)


def fail(account: Account, intent: Object, reason: str) -> Object:
    """Take nothing; return the intent, which says why."""
    code, decline_code, message = DECLINES[reason]
    error: Object = {"type": "card_error", "code": code, "message": message}
    error["payment_method"] = account.storage.load("payment_method", account.private(intent)["method"])
    if decline_code:
        error["decline_code"] = decline_code
        charge = _charge_in_progress(account, intent)
        charge |= {"status": "failed", "failure_code": code, "failure_message": message}
        charge["outcome"] = _outcome("issuer_declined", message, reason=decline_code)
        account.emit("charge.failed", account.save(charge))
        error["charge"] = charge["id"]
        intent["latest_charge"] = charge["id"]
    values = {"last_payment_error": error, "payment_method": None, "next_action": None}
    return account.change(intent, "payment_intent.payment_failed", status="requires_payment_method", **values)


def _charge_in_progress(account: Account, intent: Object) -> Object:
    latest = account.storage.load("charge", intent["latest_charge"]) if intent["latest_charge"] else None
    return latest if latest and latest["status"] == "pending" else _charge(account, intent, "pending")


def _charge(account: Account, intent: Object, status: str) -> Object:
    identifier = new_id("ch_3")
    private = account.private(intent)
    names = (
        "application application_fee application_fee_amount balance_transaction calculated_statement_descriptor"
        " failure_balance_transaction failure_code failure_message on_behalf_of outcome receipt_number review shipping"
        " source source_transfer statement_descriptor transfer_data transfer_group"
    ).split()
    same = ("amount", "currency", "customer", "description", "metadata", "receipt_email", "statement_descriptor_suffix")
    charge: Object = (
        dict.fromkeys(names)
        | {name: intent[name] for name in same}
        | {
            "id": identifier,
            "object": "charge",
            "amount_captured": 0,
            "amount_refunded": 0,
            "billing_details": private["billing"],
            "captured": False,
            "created": account.now(),
            "disputed": False,
            "fraud_details": {},
            "livemode": False,
            "paid": False,
            "payment_intent": intent["id"],
            "payment_method": private["method"],
            "payment_method_details": account.storage.private(private["method"]),
            "receipt_url": f"{account.address}/receipts/{identifier}",
            "refunded": False,
            "status": status,
        }
    )
    return account.add(charge)


def _outcome(kind: str, message: str, reason: str | None = None) -> Object:
    good = kind == "authorized"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if good else "05",
        "network_status": "approved_by_network" if good else "declined_by_network",
        "reason": reason,
        "risk_level": "normal",
        "seller_message": message,
        "type": kind,
    }


def _method_object(account: Account, method: Method, billing: Object) -> Object:
    """Add what may be kept of a card or a bank account; charges show the same."""
    body: Object = {
        "id": new_id("pm_1"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": billing,
        "created": account.now(),
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": {},
        "type": method.type,
    }
    if method.type == "sepa_debit":
        names = ("bank_code", "branch_code", "country", "fingerprint")
        debit: Object = dict.fromkeys(names) | {"last4": method.last4}
        body["sepa_debit"] = debit | {"generated_from": None}
        return account.add(
            body, {"type": "sepa_debit", "sepa_debit": debit | {"expected_debit_date": None, "mandate": None}}
        )
    checks = {"address_line1_check": None, "address_postal_code_check": None, "cvc_check": "pass"}
    card: Object = {
        "brand": method.brand,
        "checks": checks,
        "country": "US",
        "exp_month": method.exp_month,
        "exp_year": method.exp_year,
        "fingerprint": None,
        "funding": "credit",
        "last4": method.last4,
        "regulated_status": "unregulated",
        "wallet": None,
    }
    body["card"] = card | {
        "display_brand": method.brand,
        "generated_from": None,
        "networks": {"available": [method.brand], "preferred": None},
        "three_d_secure_usage": {"supported": True},
    }
    unused = ["amount_authorized", "authorization_code", "extended_authorization", "incremental_authorization"]
    unused += ["installments", "mandate", "multicapture", "network_token", "network_transaction_id", "overcapture"]
    unused += ["three_d_secure", "transaction_link_id"]
    return account.add(body, {"type": "card", "card": card | dict.fromkeys(unused) | {"network": method.brand}})


def move(account: Account, source: Object, amount: int, kind: str, fee: int = 0) -> Object:
    """Add a movement of the account's balance; return it."""
    now = account.now()
    details = [
        {
            "amount": fee,
            "application": None,
            "currency": source["currency"],
            "description": "fees",
            "type": "stripe_fee",
        }
    ]
    movement: Object = {
        "id": new_id("txn_3"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": now + _BALANCE_DELAY_SECONDS,
        "balance_type": "payments",
        "created": now,
        "currency": source["currency"],
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": "dispute" if kind == "adjustment" else kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }
    return account.add(movement)


def create_intent(account: Account, params: IntentCreate) -> Object:
    """Make a payment intent, and try to pay it where `confirm` says so."""
    currency = checked(params.currency)
    check_amount(params.amount, currency, "amount")
    values = changes(params, "customer", "description", "receipt_email", "statement_descriptor_suffix")
    intent = new_intent(account, params.amount, currency, **values, metadata=merged({}, params.metadata))
    if not params.confirm:
        return intent
    if not isinstance(params.payment_method, str):
        raise invalid("payment_method", "You cannot confirm this PaymentIntent: it has no payment method.")
    return _confirm(account, intent, params.payment_method)


def confirm_intent(account: Account, identifier: str, params: IntentConfirm) -> Object:
    """Try to pay an intent with one of the named test cards."""
    intent = account.get("payment_intent", identifier)
    if intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected(intent, "confirm")
    return _confirm(account, intent, params.payment_method)


def _confirm(account: Account, intent: Object, token: str) -> Object:
    if token not in cards.TOKENS:
        raise ApiError(f"No such PaymentMethod: '{token}'", code="resource_missing", param="payment_method")
    intent = attempt(account, intent, cards.named(cards.TOKENS[token]), NOBODY)
    error = intent["last_payment_error"]
    if error:
        more = {name: error[name] for name in ("decline_code", "charge") if name in error} | {"payment_intent": intent}
        raise ApiError(error["message"], 402, "card_error", error["code"], more=more)
    return intent


def _unexpected(intent: Object, verb: str) -> ApiError:
    message = f"You cannot {verb} this PaymentIntent because it has a status of {intent['status']}."
    return ApiError(message, code="payment_intent_unexpected_state", more={"payment_intent": intent})


def update_intent(account: Account, identifier: str, params: IntentUpdate) -> Object:
    """Change an intent's description or metadata."""
    intent = account.get("payment_intent", identifier)
    intent |= changes(params, "description") | {"metadata": merged(intent["metadata"], params.metadata)}
    return account.save(intent)


def cancel_intent(account: Account, identifier: str, params: IntentCancel) -> Object:
    """Cancel an intent that was not paid."""
    intent = account.get("payment_intent", identifier)
    if intent["status"] not in _OPEN[:3]:
        raise _unexpected(intent, "cancel")
    reason = changes(params).get("cancellation_reason")
    values = {"canceled_at": account.now(), "cancellation_reason": reason, "next_action": None}
    return account.change(intent, "payment_intent.canceled", status="canceled", **values)


def list_intents(account: Account, params: ByCustomer) -> Object:
    """List payment intents."""
    return listed(account, "payment_intent", "/v1/payment_intents", params)


def list_charges(account: Account, params: ByIntent) -> Object:
    """List charges."""
    return listed(account, "charge", "/v1/charges", params)


def list_balance(account: Account, params: BalanceList) -> Object:
    """List movements of the account's balance: its ledger."""
    return listed(account, "balance_transaction", "/v1/balance_transactions", params)
