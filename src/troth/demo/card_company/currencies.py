"""Currencies: how many decimals the smallest unit stands for, which amounts are allowed, and amounts in words."""

from fractions import Fraction
from math import floor

from troth.demo.card_company.errors import ApiError, invalid

_ZERO_DECIMALS = frozenset("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split())
_THREE_DECIMALS = frozenset("bhd jod kwd omr tnd".split())
_WHOLE_ONLY = frozenset(("isk", "ugx"))
"""Given in hundredths, for old times' sake, though there are none."""
_TWO_DECIMALS = frozenset(
    "aud brl cad chf cny czk dkk eur gbp hkd huf idr inr mxn myr nok nzd pln ron sek sgd thb usd zar".split()
)
_LEAST = {
    "usd": 50,
    "eur": 50,
    "gbp": 30,
    "jpy": 50,
    "chf": 50,
    "cad": 50,
    "aud": 50,
    "sek": 300,
    "dkk": 250,
    "pln": 200,
}
_MOST = 99_999_999


def checked(currency: str, param: str = "currency") -> str:
    """Return a currency in lower case. Raises `ApiError` if it is not supported."""
    name = currency.lower()
    if name not in _ZERO_DECIMALS | _THREE_DECIMALS | _WHOLE_ONLY | _TWO_DECIMALS:
        raise invalid(param, "Invalid currency. See the list of supported currencies.", "currency_not_supported")
    return name


def decimals(currency: str) -> int:
    """Return how many decimals of the currency its smallest unit in the API stands for."""
    if currency in _ZERO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def step(currency: str) -> int:
    """Return the number that amounts must be a multiple of."""
    if currency in _WHOLE_ONLY:
        return 100
    return 10 if currency in _THREE_DECIMALS else 1


def check_amount(amount: int, currency: str, param: str) -> None:
    """Raise `ApiError` if nobody can be charged this amount."""
    if amount % step(currency):
        raise invalid(param, f"Amounts in {currency} must be multiples of {step(currency)}.", "amount_invalid")
    if amount > _MOST:
        raise ApiError(f"Amount must be no more than {shown(_MOST, currency)}", code="amount_too_large", param=param)
    if amount < _LEAST.get(currency, 1):
        least = shown(_LEAST.get(currency, 1), currency)
        raise ApiError(f"Amount must be at least {least}", code="amount_too_small", param=param)


def shown(amount: int, currency: str) -> str:
    """Return an amount for people: `12.50 EUR`, `1,200 JPY`."""
    places = decimals(currency)
    return f"{amount / 10**places:,.{places}f} {currency.upper()}"


def rounded(amount: Fraction, currency: str) -> int:
    """Return an amount in whole steps of its currency, halves upwards."""
    unit = step(currency)
    return floor(amount / unit + Fraction(1, 2)) * unit
