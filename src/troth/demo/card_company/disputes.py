"""Disputes: a buyer asks their bank for the money. Evidence has a deadline; the outcome comes later."""

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.errors import ApiError, invalid
from troth.demo.card_company.listing import listed
from troth.demo.card_company.parameters import ListParameters, Metadata, Parameters, merged
from troth.demo.card_company.payments import move
from troth.demo.card_company.storage import Object

_DEADLINE_SECONDS, _RULING_SECONDS = 8 * 86400, 3600
_FEE = 1500
_EVIDENCE = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal"
    " customer_communication customer_email_address customer_name customer_purchase_ip customer_signature"
    " duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt"
    " refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation"
    " shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number"
    " uncategorized_file uncategorized_text"
).split()
_REASONS = {"dispute_fraudulent": "fraudulent", "dispute_not_received": "product_not_received", "inquiry": "fraudulent"}
_WAITING = ("needs_response", "warning_needs_response")


class DisputeUpdate(Parameters, frozen=True, kw_only=True):
    """Parameters."""

    evidence: dict[str, str] = msgspec.field(default_factory=dict)
    metadata: Metadata | UnsetType = UNSET
    submit: bool = True


class DisputeList(ListParameters, frozen=True, kw_only=True):
    """Parameters."""

    charge: str | UnsetType = UNSET
    payment_intent: str | UnsetType = UNSET


def open_for(account: Account, intent: Object) -> None:
    """Open the dispute that this intent's card stands for, if it stands for one."""
    behaves = account.private(intent).get("behaves")
    if behaves in _REASONS:
        charge = account.get("charge", intent["latest_charge"])
        open_dispute(account, charge, _REASONS[behaves], inquiry=behaves == "inquiry")


def open_dispute(account: Account, charge: Object, reason: str, *, inquiry: bool = False) -> Object:
    """Dispute a charge. The money is taken back at once, unless the bank only asks."""
    now = account.now()
    card = {
        "brand": "visa",
        "case_type": "inquiry" if inquiry else "chargeback",
        "network": "visa",
        "network_reason_code": "10.4",
    }
    dispute: Object = {
        "id": new_id("dp_1"),
        "object": "dispute",
        "amount": charge["amount"] - charge["amount_refunded"],
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": dict.fromkeys(_EVIDENCE) | {"enhanced_evidence": {}},
        "evidence_details": {
            "due_by": now + _DEADLINE_SECONDS,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": inquiry,
        "livemode": False,
        "metadata": {},
        "payment_intent": charge["payment_intent"],
        "payment_method_details": {"card": card, "type": "card"},
        "reason": reason,
        "status": "warning_needs_response" if inquiry else "needs_response",
    }
    account.add(dispute)
    if not inquiry:
        charge["disputed"] = True
        account.save(charge)
        dispute["balance_transactions"] = [move(account, dispute, -dispute["amount"], "adjustment", fee=_FEE)]
        account.save(dispute)
    account.emit("charge.dispute.created", dispute)
    if not inquiry:
        account.emit("charge.dispute.funds_withdrawn", dispute)
    account.later(_DEADLINE_SECONDS, "dispute_is_due", dispute)
    return dispute


def update_dispute(account: Account, identifier: str, params: DisputeUpdate) -> Object:
    """Add evidence, and submit it. As at Stripe, the text `winning_evidence` wins and `losing_evidence` loses."""
    dispute = account.get("dispute", identifier)
    unknown = params.evidence.keys() - set(_EVIDENCE)
    if unknown:
        name = f"evidence[{min(unknown)}]"
        raise invalid(name, f"Received unknown parameter: {name}", "parameter_unknown")
    if params.evidence and dispute["status"] not in _WAITING:
        raise ApiError("This dispute is already closed or under review.")
    values: Object = {"metadata": merged(dispute["metadata"], params.metadata)}
    if params.evidence:
        details = dispute["evidence_details"] | {"has_evidence": True}
        values["evidence"] = dispute["evidence"] | params.evidence
        if params.submit:
            details |= {"submission_count": details["submission_count"] + 1, "submission_method": "manual"}
            warning = "warning_" if dispute["status"].startswith("warning") else ""
            values["status"] = f"{warning}under_review"
            account.later(_RULING_SECONDS, "dispute_is_ruled", dispute)
        values["evidence_details"] = details
    return account.change(dispute, "charge.dispute.updated", **values)


def close_dispute(account: Account, identifier: str, params: Parameters) -> Object:
    """Accept a dispute, which loses it."""
    dispute = account.get("dispute", identifier)
    if dispute["status"] not in _WAITING:
        raise ApiError("This dispute is already closed.")
    return end(account, dispute, won=False)


def end(account: Account, dispute: Object, *, won: bool) -> Object:
    """End a dispute; return it. If it was won, the money comes back."""
    inquiry = dispute["status"].startswith("warning")
    values: dict[str, Any] = {"status": "warning_closed" if inquiry else "won" if won else "lost"}
    if won and not inquiry:
        back = move(account, dispute, dispute["amount"], "adjustment", fee=-_FEE)
        values["balance_transactions"] = [*dispute["balance_transactions"], back]
    account.change(dispute, "charge.dispute.closed", **values)
    if won and not inquiry:
        account.emit("charge.dispute.funds_reinstated", dispute)
    return dispute


def rule(account: Account, dispute: Object) -> None:
    """Decide by the evidence."""
    if dispute["status"].endswith("under_review"):
        end(account, dispute, won=dispute["evidence"]["uncategorized_text"] == "winning_evidence")


def pass_deadline(account: Account, dispute: Object) -> None:
    """Lose what nobody answered."""
    if dispute["status"] in _WAITING:
        dispute["evidence_details"]["past_due"] = True
        end(account, dispute, won=False)


def list_disputes(account: Account, params: DisputeList) -> Object:
    """List disputes."""
    return listed(account, "dispute", "/v1/disputes", params)
