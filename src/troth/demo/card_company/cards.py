"""Test cards and test bank accounts. A number is turned at once into a brand, the last four digits and how it behaves.

The numbers themselves are nowhere here, not even in this file: what is known of them is a digest, so that a search of
the processes' memory for a number finds none.
"""

import hashlib
from dataclasses import dataclass
from typing import Literal

_DECLINED = "Your card was declined."
DECLINES: dict[str, tuple[str, str, str]] = {
    "generic_decline": ("card_declined", "generic_decline", _DECLINED),
    "insufficient_funds": ("card_declined", "insufficient_funds", "Your card has insufficient funds."),
    "lost_card": ("card_declined", "lost_card", _DECLINED),
    "stolen_card": ("card_declined", "stolen_card", _DECLINED),
    "expired_card": ("expired_card", "expired_card", "Your card has expired."),
    "incorrect_cvc": ("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."),
    "processing_error": (
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "not_a_test_card": (
        "card_declined",
        "test_mode_live_card",
        "Your card was declined. Your request was in test mode, but used a non test card.",
    ),
    "debit_fails": ("payment_method_customer_decline", "generic_decline", "The bank refused the direct debit."),
    "challenge_failed": (
        "payment_intent_authentication_failure",
        "",
        "We are unable to authenticate your payment method. Please choose a different payment method and try again.",
    ),
}
"""How a payment fails: its code, its decline code, and words for the buyer."""

_CARDS = {
    "477bba133c182267fe5f086924abdc5d": "success",  # 4242
    "2f725bbd1f405a1ed0336abaf85ddfeb": "success",  # 4444
    "3a134ef77d4e2e4cdad2d2945ff1f76c": "success",  # 0005
    "19ff47cc8024c133d5845d3f8938caca": "success",  # 1117
    "10f6a49b3088d98187bf43161da352a7": "success",  # 0004
    "d79449f462cec9af0d857c3e1af888d4": "success",  # 0505
    "7cbcc57fc39e4317fa8d55bb2d442f82": "success",  # 0005
    "68594afe9c9cda525f6aca7a7316ca06": "success",  # 5556
    "576c15a8072461c216efb9bd7306a6fc": "success",  # 3222
    "acd08f29a41f2e55ab0c4f774b1562b0": "generic_decline",  # 0002
    "e5de3c3d9fcb43b15abddceb57a9f700": "insufficient_funds",  # 9995
    "9830b424b7a69ba9909021c80d56005f": "expired_card",  # 0069
    "d1f4b3962f16f38297f1370ad1f2d001": "lost_card",  # 9987
    "e2a7bacc046c3a0edba0c359e3c81569": "stolen_card",  # 9979
    "5a65d383fa6b08bc756ab9ea45fe9406": "incorrect_cvc",  # 0127
    "62ac087033ba812fa52dd39984ff222b": "processing_error",  # 0119
    "1d942407169d8f20c6f6152ff0c398ad": "challenge",  # 3155
    "75997d50623ab744b69bf6d32eb00c40": "challenge",  # 3184
    "f2e5869113fb2e20e8797fa14432dbb4": "challenge",  # 3220
    "77fbb4aa0d5b2763fd8c413f5c9473d0": "challenge_then_decline",  # 1629
    "4e606641b79221a20f7ec26a5283143b": "dispute_fraudulent",  # 0259
    "cb397ceb51e89c9b3b2feef241ebe6ac": "dispute_not_received",  # 2685
    "c0777072f2bcf598199ff805b74fff3f": "inquiry",  # 1976
    "8998193822dbfe41b28f42901db82a33": "refund_pending",  # 7726
    "af4a894e7140ab6c3ae6c641af39f007": "refund_fails",  # 5126
}
_ACCOUNTS = {
    "0669f8f5825f3f3b9d043788445517e5": "success",  # 3201
    "faf7e1c0107370ff6f5d03205da7d8ae": "success",  # 3000
    "42ef819b770d49dc27fe122cb36db1f1": "debit_fails",  # 3202
    "5288a9b890afb7d1bedb88fa424a5201": "debit_fails",  # 3001
}
_BY_NAME = {
    "success": ("visa", "4242"),
    "mastercard": ("mastercard", "4444"),
    "generic_decline": ("visa", "0002"),
    "insufficient_funds": ("visa", "9995"),
    "expired_card": ("visa", "0069"),
    "lost_card": ("visa", "9987"),
    "challenge": ("visa", "3155"),
    "challenge_then_decline": ("visa", "1629"),
    "dispute_fraudulent": ("visa", "0259"),
    "inquiry": ("visa", "1976"),
    "refund_pending": ("visa", "7726"),
    "refund_fails": ("visa", "5126"),
}
TOKENS = {
    "pm_card_visa": "success",
    "pm_card_mastercard": "mastercard",
    "pm_card_chargeDeclined": "generic_decline",
    "pm_card_visa_chargeDeclined": "generic_decline",
    "pm_card_chargeDeclinedInsufficientFunds": "insufficient_funds",
    "pm_card_chargeDeclinedExpiredCard": "expired_card",
    "pm_card_authenticationRequired": "challenge",
    "pm_card_refundFail": "refund_fails",
    "pm_card_pendingRefund": "refund_pending",
}
"""Stripe's names of test cards, for payment intents that are confirmed by a call."""


class CardError(Exception):
    """A field of the card form cannot be right: its text is for the buyer."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Method:
    """What is known of a card or bank account: too little to pay with."""

    type: Literal["card", "sepa_debit"]
    brand: str
    last4: str
    behaves: str
    exp_month: int = 12
    exp_year: int = 2034


def named(name: str, month: int = 12, year: int = 2034) -> Method:
    """Return the test card or account of this name. Raises `KeyError` if there is none."""
    if name in ("debit", "debit_fails"):
        return Method("sepa_debit", "", "3201" if name == "debit" else "3202", "success" if name == "debit" else name)
    brand, last4 = _BY_NAME[name]
    return Method("card", brand, last4, "success" if name == "mastercard" else name, month, year)


def card(number: str, month: str, year: str, cvc: str, *, today: tuple[int, int]) -> Method:
    """Return what is known of a card that a buyer typed. Raises `CardError`. `today`: year and month."""
    digits = number.replace(" ", "").replace("-", "")
    if not (digits.isascii() and digits.isdigit() and 12 <= len(digits) <= 19 and _luhn(digits)):
        raise CardError("number", "Your card number is invalid.")
    if not (month.isascii() and month.isdigit() and 1 <= int(month) <= 12):
        raise CardError("month", "Your card's expiration month is invalid.")
    if not (year.isascii() and year.isdigit() and len(year) in (2, 4)):
        raise CardError("year", "Your card's expiration year is invalid.")
    years = int(year) + (2000 if len(year) == 2 else 0)
    if (years, int(month)) < today:
        raise CardError("year", "Your card's expiration year is in the past.")
    if not (cvc.isascii() and cvc.isdigit() and len(cvc) in (3, 4)):
        raise CardError("cvc", "Your card's security code is incomplete.")
    return Method(
        "card", _brand(digits), digits[-4:], _CARDS.get(_digest(digits), "not_a_test_card"), int(month), years
    )


def account(iban: str) -> Method:
    """Return what is known of a bank account that a buyer typed. Raises `CardError`."""
    text = iban.replace(" ", "").upper()
    behaves = _ACCOUNTS.get(_digest(text))
    if behaves is None:
        raise CardError("iban", "This is not one of the test IBANs.")
    return Method("sepa_debit", "", text[-4:], behaves)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _luhn(digits: str) -> bool:
    doubled = [int(digit) * 2 for digit in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def _brand(digits: str) -> str:
    two, four = int(digits[:2]), int(digits[:4])
    if digits[0] == "4":
        return "visa"
    if 51 <= two <= 55 or 2221 <= four <= 2720:
        return "mastercard"
    return {34: "amex", 37: "amex", 30: "diners", 36: "diners", 38: "diners", 35: "jcb", 62: "unionpay"}.get(
        two, "discover"
    )
