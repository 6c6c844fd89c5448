"""What tests do to the stand-in, and no shop can: it needs the account's secret key, not a restricted one.

`POST /_control/clock {"advance": 3600}`, `/_control/faults`, `/_control/keys {"permissions": ["charge_read"]}`,
`/_control/pay {"session": ..., "method": "success", "email": ...}`, `/_control/disputes {"charge": ...}`,
`/_control/work`; `GET /_control/deliveries`; `DELETE /_control/faults`.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from troth.demo.card_company import cards, checkout, disputes, faults
from troth.demo.card_company.account import Account, new_id
from troth.demo.card_company.faults import AnswerFault, NoticeFault


class Clock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far the account's clock is moved, in seconds."""

    advance: int


class NewKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a restricted key may do: `charge_read`, `product_write`."""

    permissions: list[str]


class Payment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A payment without a browser: the test card has a name, and no number."""

    session: str
    method: str = "success"
    email: str = "buyer@example.com"
    name: str = "Bo Buyer"
    country: str = "DE"
    postal_code: str = ""
    vat_number: str = ""
    code: str = ""
    passes_challenge: bool = True


class NewDispute(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A dispute of a charge."""

    charge: str
    reason: str = "fraudulent"
    inquiry: bool = False


def _move_clock(account: Account, body: Clock) -> Any:
    account.storage.set("ahead", str(int(account.storage.setting("ahead", "0")) + body.advance))
    return {"now": account.now()}


def _order_fault(account: Account, body: AnswerFault | NoticeFault) -> Any:
    faults.order(account, body)
    return {}


def _new_key(account: Account, body: NewKey) -> Any:
    key = new_id("rk_test_", 40)
    account.storage.run("INSERT INTO keys VALUES (?, ?)", key, json.dumps(body.permissions))
    return {"key": key}


def _pay(account: Account, body: Payment) -> Any:
    session = account.get("checkout.session", body.session)
    if body.code and not checkout.use_code(account, session, body.code):
        raise ValueError("This code is not valid.")
    session = account.get("checkout.session", body.session)
    buyer = checkout.Buyer(
        email=body.email,
        name=body.name,
        country=body.country,
        postal_code=body.postal_code,
        vat_number=body.vat_number,
    )
    method = cards.named(body.method)
    session = checkout.pay(account, session, buyer, method)
    if method.behaves.startswith("challenge"):
        intent = account.get("payment_intent", session["payment_intent"])
        session = checkout.answer_challenge(account, intent, passed=body.passes_challenge)
    return session


def _dispute(account: Account, body: NewDispute) -> Any:
    charge = account.get("charge", body.charge)
    return disputes.open_dispute(account, charge, body.reason, inquiry=body.inquiry)


def _deliveries(account: Account) -> Any:
    names = ("event", "endpoint", "due", "state", "attempts", "status")
    rows = account.storage.rows("SELECT event, endpoint, due, state, attempts, status FROM deliveries ORDER BY number")
    return [dict(zip(names, row, strict=True)) for row in rows]


_POSTS: Mapping[str, tuple[Any, Callable[[Account, Any], Any]]] = {
    "clock": (Clock, _move_clock),
    "faults": (AnswerFault | NoticeFault, _order_fault),
    "keys": (NewKey, _new_key),
    "pay": (Payment, _pay),
    "disputes": (NewDispute, _dispute),
}


def answer(account: Account, method: str, name: str, body: bytes) -> tuple[int, Any]:
    """Do what a test asks; return status and what to answer. Raises `ApiError`, `ValueError` or `KeyError`."""
    if method == "GET" and name == "deliveries":
        return 200, _deliveries(account)
    if method == "DELETE" and name == "faults":
        faults.clear(account)
        return 200, {}
    if method == "POST" and name in _POSTS:
        kind, function = _POSTS[name]
        parameters = msgspec.json.decode(body, type=kind)
        with account.storage.transaction():
            return 200, function(account, parameters)
    return 404, {"error": "There is no such control."}
