"""The hosted pages: pay, the bank's challenge, thanks. Plain HTML without scripts; a POST always leads to a GET.

What a buyer types of a card is turned into `cards.Method` here, before anything is written, and is in no other place.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from troth.demo.card_company import cards, checkout, currencies, sessions
from troth.demo.card_company.account import Account
from troth.demo.card_company.cards import CardError, Method
from troth.demo.card_company.errors import ApiError
from troth.demo.card_company.storage import Object

_TEMPLATES = Path(__file__).parent / "templates"
_environment = Environment(loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined)
_environment.filters["money"] = currencies.shown
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_COUNTRIES = {
    "AT": "Austria",
    "CH": "Switzerland",
    "DE": "Germany",
    "ES": "Spain",
    "FR": "France",
    "GB": "United Kingdom",
    "IE": "Ireland",
    "IT": "Italy",
    "NL": "Netherlands",
    "PL": "Poland",
    "SE": "Sweden",
    "US": "United States",
}
_TEST_CARDS = (  # in groups, so that a search of the memory for a whole number finds none
    (("4242", "4242", "4242", "4242"), "pays"),
    (("4000", "0000", "0000", "0002"), "is declined"),
    (("4000", "0000", "0000", "9995"), "has insufficient funds"),
    (("4000", "0000", "0000", "0069"), "has expired"),
    (("4000", "0025", "0000", "3155"), "asks you to authenticate (3-D Secure)"),
)


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered to a browser."""

    status: int = 200
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)


def _page(name: str, status: int = 200, *, sends_to: str | None = None, **context: Any) -> Page:
    """Render a page. `sends_to`: another site's address that its form may end at."""
    parts = urlsplit(sends_to or "")
    other = f" {parts.scheme}://{parts.netloc}" if parts.netloc else ""
    policy = f"default-src 'none'; style-src 'self'; img-src data:; form-action 'self'{other}"
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": f"{policy}; base-uri 'none'; frame-ancestors 'none'",
    }
    return Page(status, _environment.get_template(name).render(**context), headers)


def _to(place: str) -> Page:
    return Page(303, headers={"Location": place})


def message(title: str, words: str, status: int = 200) -> Page:
    """Return a page that says one thing."""
    return _page("message.html", status, title=title, words=words, back=None)


def get(account: Account, path: str, query: str) -> Page:
    """Answer a GET."""
    match path.strip("/").split("/"):
        case ["card.css"]:
            return Page(200, (_TEMPLATES / "card.css").read_text("utf-8"), {"Content-Type": "text/css"})
        case ["b", _]:
            return _open_link(account, f"{account.address}{path}", dict(parse_qsl(query)))
        case ["c", "pay", identifier]:
            return _pay_page(account, account.get("checkout.session", identifier))
        case ["c", "challenge", identifier]:
            return _challenge_page(account, account.get("payment_intent", identifier))
        case [""]:
            return message("Test card company", "Pages here are opened by payment links. No money moves.")
    return message("Not found", "There is nothing at this address.", 404)


def post(account: Account, path: str, body: str) -> Page:
    """Answer a POST: do what the form says, then send the browser to a page."""
    typed = dict(parse_qsl(body, keep_blank_values=True))
    match path.strip("/").split("/"):
        case ["c", "pay", identifier]:
            return _pay(account, account.get("checkout.session", identifier), typed)
        case ["c", "challenge", identifier]:
            intent = account.get("payment_intent", identifier)
            session = checkout.answer_challenge(account, intent, passed=typed.get("action") == "pass")
            return _after(account, session)
    return message("Not found", "There is nothing at this address.", 404)


def _open_link(account: Account, url: str, query: dict[str, str]) -> Page:
    links = account.storage.select("payment_link", [("json_extract(body, '$.url') = ?", url)], "DESC", 1)
    if not links:
        return message("Not found", "There is no such payment link.", 404)
    if not links[0]["active"]:
        return message("No longer for sale", links[0]["inactive_message"] or "This link is no longer active.", 410)
    session = sessions.open_link(account, links[0], query)
    if query.get("prefilled_promo_code") and session["allow_promotion_codes"]:
        checkout.use_code(account, session, query["prefilled_promo_code"])
    return _to(session["url"])


def _pay_page(account: Account, session: Object) -> Page:
    if session["status"] == "complete":
        return _thanks(account, session)
    if session["status"] == "expired":
        return message("This checkout has expired", "Please go back to the shop and start again.", 410)
    private = account.private(session)
    items = [item for item, _ in sessions.lines_of(account, session)]
    return _page(
        "pay.html",
        sends_to=session["success_url"],
        session=session,
        items=items,
        typed={"email": session["customer_email"] or ""} | private.get("typed", {}),
        problem=private.get("problem"),
        code=_code_shown(account, private["discount"]),
        countries=_COUNTRIES,
        taxed=session["automatic_tax"]["enabled"],
        tax_ids=bool((session.get("tax_id_collection") or {}).get("enabled")),
        test_cards=_TEST_CARDS,
    )


def _code_shown(account: Account, discount: Object | None) -> str:
    if discount is None:
        return ""
    code = discount["promotion_code"] and account.storage.load("promotion_code", discount["promotion_code"])
    return code["code"] if code else "a coupon"


def _pay(account: Account, session: Object, typed: dict[str, str]) -> Page:
    if session["status"] != "open":
        return _to(f"{account.address}/c/pay/{session['id']}")
    action = typed.get("action", "pay")
    problem = None
    kept = {name: typed.get(name, "")[:200] for name in ("email", "name", "country", "postal_code", "vat_number")}
    if action == "code":
        if not session["allow_promotion_codes"] or not checkout.use_code(
            account, session, typed.get("code", "").strip()
        ):
            problem = {"field": "code", "message": "This code is not valid."}
    elif action == "quantity":
        sessions.set_quantities(account, session, _quantities(typed))
    else:
        problem = _problem_or_paid(account, session, typed, kept)
    account.set_private(session, problem=problem, **({} if action in ("code", "quantity") else {"typed": kept}))
    return _after(account, account.get("checkout.session", session["id"]))


def _quantities(typed: dict[str, str]) -> dict[str, int]:
    return {name: int(value) for name, value in typed.items() if name.startswith("li_") and value.isdecimal()}


def _problem_or_paid(account: Account, session: Object, typed: dict[str, str], kept: dict[str, str]) -> Object | None:
    """Let the buyer pay; return what is wrong, if something is."""
    if not _EMAIL.fullmatch(kept["email"]):
        return {"field": "email", "message": "Please enter your email address."}
    if session["automatic_tax"]["enabled"] and kept["country"] not in _COUNTRIES:
        return {"field": "country", "message": "Please choose your country."}
    try:
        method = _method(account, session, typed)
    except CardError as error:
        return {"field": error.field, "message": str(error)}
    session = checkout.pay(account, session, checkout.Buyer(**kept), method)
    intent = account.storage.load("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if intent is None or session["status"] != "open" or intent["status"] == "requires_action":
        return None
    error_now = intent["last_payment_error"]
    return {"field": "number", "message": error_now["message"]} if error_now else None


def _method(account: Account, session: Object, typed: dict[str, str]) -> Method | None:
    if session["amount_total"] == 0:
        return None
    if typed.get("action") == "debit":
        return cards.account(typed.get("iban", ""))
    today = datetime.fromtimestamp(account.now(), UTC)
    values = (typed.get(name, "").strip() for name in ("number", "month", "year", "cvc"))
    return cards.card(*values, today=(today.year, today.month))


def _after(account: Account, session: Object) -> Page:
    """Send the browser on: to the bank, to the shop, or back to the page."""
    intent = account.storage.load("payment_intent", session["payment_intent"]) if session["payment_intent"] else None
    if session["status"] == "complete" and session["success_url"]:
        return _to(session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"]))
    if intent and intent["status"] == "requires_action":
        return _to(f"{account.address}/c/challenge/{intent['id']}")
    if (
        intent
        and intent["last_payment_error"]
        and session["status"] == "open"
        and not account.private(session).get("problem")
    ):
        problem = {"field": "number", "message": intent["last_payment_error"]["message"]}
        account.set_private(session, problem=problem)
    return _to(f"{account.address}/c/pay/{session['id']}")


def _thanks(account: Account, session: Object) -> Page:
    if session["success_url"]:
        back = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session["id"])
        words = "This checkout is complete. You can go back to the shop."
        return _page("message.html", title="Thank you", words=words, back=back)
    link = account.storage.load("payment_link", session["payment_link"]) if session["payment_link"] else None
    confirmation = ((link or {}).get("after_completion") or {}).get("hosted_confirmation") or {}
    return message("Thank you", confirmation.get("custom_message") or "Your payment is complete.")


def _challenge_page(account: Account, intent: Object) -> Page:
    session = account.get("checkout.session", account.private(intent)["session"])
    if intent["status"] != "requires_action":
        return _to(f"{account.address}/c/pay/{session['id']}")
    return _page("challenge.html", sends_to=session["success_url"], intent=intent)


def refused(error: ApiError) -> Page:
    """Return a page for an error that a browser caused."""
    return message("This does not work", error.message, error.status)
