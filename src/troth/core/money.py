"""Amounts of money: whole numbers of a currency's smallest unit, as card companies count them. Standard library only.

The table is our own: libraries of currencies disagree on the smallest unit of some, and what counts here is the card
company's factor. Krona and shilling are given in hundredths although neither has any; amounts with three decimals end
in 0.
"""

from decimal import Decimal, InvalidOperation

_TWO = "aed ars aud bgn brl cad chf clf cny cop czk dkk egp eur gbp hkd huf idr ils inr isk mad mxn myr ngn nok nzd"
_TWO += " pen php pln qar ron rsd sar sek sgd thb try twd uah ugx usd uyu zar"
DECIMALS = {
    **dict.fromkeys("bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".upper().split(), 0),
    **dict.fromkeys(_TWO.upper().split(), 2),
    **dict.fromkeys("bhd jod kwd omr tnd".upper().split(), 3),
}
"""How many decimals the smallest unit stands for, by currency."""
_STEPS = {"ISK": 100, "UGX": 100, **{name: 10 for name, places in DECIMALS.items() if places == 3}}
MOST = 99_999_999
"""The largest amount that is charged."""


class AmountRefused(ValueError):
    """A text that is no price. Its words say why."""


def step(currency: str) -> int:
    """Return the number of smallest units that amounts are a multiple of."""
    return _STEPS.get(currency, 1)


def smallest_units(text: str, currency: str) -> int:
    """Return the amount in `49.00` as a whole number of smallest units. Raises `AmountRefused`."""
    places = DECIMALS.get(currency)
    if places is None:
        raise AmountRefused(f"There is no currency {currency} here.")
    try:
        amount = Decimal(text) if text.isascii() and text.replace(".", "", 1).isdigit() else Decimal("NaN")
    except InvalidOperation:
        amount = Decimal("NaN")
    scaled = amount.scaleb(places)
    if not scaled.is_finite() or scaled != scaled.to_integral_value():
        example = f"{49:.{places}f}"
        raise AmountRefused(f"{text!r} is no amount in {currency}: write it like {example}.")
    units = int(scaled)
    if not 0 < units <= MOST or units % step(currency):
        least = shown(step(currency), currency)
        raise AmountRefused(f"{text} {currency} cannot be charged: up to {shown(MOST, currency)}, in steps of {least}.")
    return units


def shown(amount: int, currency: str) -> str:
    """Return an amount for people: `1,249.00 EUR`, `7,800 JPY`, `-3.500 KWD`."""
    places = DECIMALS.get(currency, 2)
    return f"{plain(amount, currency, grouped=True)} {currency}" if places else f"{amount:,} {currency}"


def plain(amount: int, currency: str, *, grouped: bool = False) -> str:
    """Return an amount for programs: `1249.00`, `7800`."""
    places = DECIMALS.get(currency, 2)
    value = Decimal(amount).scaleb(-places)
    return f"{value:,.{places}f}" if grouped else f"{value:.{places}f}"
