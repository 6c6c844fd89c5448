"""A buyer's way through a session: details, discount, payment, challenge, and what comes of it by the clock."""

from dataclasses import dataclass

from troth.demo.card_company import discounts, disputes, payments, refunds, sessions
from troth.demo.card_company.account import Account
from troth.demo.card_company.cards import DECLINES, Method
from troth.demo.card_company.customers import new_customer
from troth.demo.card_company.errors import ApiError
from troth.demo.card_company.storage import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """What a buyer types beside the card."""

    email: str
    name: str = ""
    country: str = ""
    postal_code: str = ""
    vat_number: str = ""

    def details(self) -> Object:
        """Return them as sessions show them."""
        address = payments.NOBODY["address"] | {
            "country": self.country or None,
            "postal_code": self.postal_code or None,
        }
        return {
            "address": address,
            "business_name": None,
            "email": self.email,
            "individual_name": None,
            "name": self.name or None,
            "phone": None,
            "tax_exempt": "none",
            "tax_ids": [{"type": "eu_vat", "value": self.vat_number}] if self.vat_number else [],
        }


def use_code(account: Account, session: Object, code: str) -> bool:
    """Apply a promotion code, or with an empty text none; return whether it is valid."""
    if not code:
        account.set_private(session, discount=None)
    else:
        pair = discounts.usable(account, code, session["amount_subtotal"], session["currency"])
        if pair is None:
            return False
        account.set_private(session, discount={"coupon": pair[1]["id"], "promotion_code": pair[0]["id"]})
    sessions.priced_again(account, session)
    return True


def pay(account: Account, session: Object, buyer: Buyer, method: Method | None) -> Object:
    """Let a buyer pay; return the session: complete, or open where a challenge or another card is needed."""
    if session["status"] != "open":
        raise ApiError("This Checkout Session is no longer open.")
    session["customer_details"] = buyer.details()
    sessions.priced_again(account, session)
    if session["amount_total"] == 0:
        session["payment_status"] = "no_payment_required"
        return _complete(account, session)
    if method is None or method.type not in session["payment_method_types"]:
        raise ApiError("This way to pay is not offered.")
    intent = _intent(account, session)
    details = session["customer_details"]
    billing = payments.NOBODY | {name: details[name] for name in ("address", "email", "name")}
    return settle(account, payments.attempt(account, intent, method, billing))


def _intent(account: Account, session: Object) -> Object:
    """Return the session's payment intent, with today's amount; made by the first attempt."""
    if session["customer"] is None and session["customer_creation"] == "always":
        details = session["customer_details"]
        customer = new_customer(account, email=details["email"], name=details["name"], address=details["address"])
        session["customer"] = customer["id"]
    if session["payment_intent"]:
        intent = account.get("payment_intent", session["payment_intent"])
        return account.save(intent | {"amount": session["amount_total"]})
    data = account.private(session)["intent_data"]
    values = {name: data[name] for name in ("description", "metadata", "statement_descriptor_suffix") if data.get(name)}
    values |= {"customer": session["customer"], "payment_method_types": session["payment_method_types"]}
    intent = payments.new_intent(account, session["amount_total"], session["currency"], **values)
    account.set_private(intent, session=session["id"])
    session["payment_intent"] = intent["id"]
    account.save(session)
    return intent


def settle(account: Account, intent: Object) -> Object:
    """Bring the session of an intent up to date; return it."""
    session = account.get("checkout.session", account.private(intent)["session"])
    if intent["status"] == "succeeded" and session["status"] == "open":
        session["payment_status"] = "paid"
        session = _complete(account, session)
        disputes.open_for(account, intent)
    elif intent["status"] == "processing":
        session = _complete(account, session)
    return session


def _complete(account: Account, session: Object) -> Object:
    discount = account.private(session)["discount"]
    if discount:
        discounts.redeem(account, discount)
    session |= {"status": "complete", "url": None}
    account.emit("checkout.session.completed", account.save(session))
    return session


def answer_challenge(account: Account, intent: Object, *, passed: bool) -> Object:
    """Go on after the bank's challenge; return the session."""
    if intent["status"] != "requires_action":
        raise ApiError("This payment is not waiting for an authentication.")
    return settle(account, payments.after_challenge(account, intent, passed=passed))


def _debit_ends(account: Account, intent: Object) -> None:
    behaves = account.private(intent)["behaves"]
    good = behaves not in DECLINES
    payments.succeed(account, intent) if good else payments.fail(account, intent, behaves)
    session = account.get("checkout.session", account.private(intent)["session"])
    session["payment_status"] = "paid" if good else "unpaid"
    account.emit(f"checkout.session.async_payment_{'succeeded' if good else 'failed'}", account.save(session))


def _session_expires(account: Account, session: Object) -> None:
    if session["status"] == "open":
        sessions.expire(account, session)


_TIMERS = {
    "session_expires": ("checkout.session", _session_expires),
    "debit_ends": ("payment_intent", _debit_ends),
    "refund_pending": ("refund", refunds.finish),
    "refund_fails": ("refund", refunds.fail),
    "dispute_is_due": ("dispute", disputes.pass_deadline),
    "dispute_is_ruled": ("dispute", disputes.rule),
}


def run_timers(account: Account) -> int:
    """Let everything happen that is due by the account's clock; return how much."""
    count = 0
    statement = "SELECT number, kind, subject FROM timers WHERE due <= ? ORDER BY due, number LIMIT 1"
    while rows := account.storage.rows(statement, account.now()):
        number, name, subject = rows[0]
        kind, happen = _TIMERS[name]
        with account.storage.transaction():
            if account.storage.run("DELETE FROM timers WHERE number = ?", number):
                happen(account, account.get(kind, subject))
                count += 1
    return count
