"""The tax in an amount: as the card company computed it, or by the operator's table. Pure functions."""

from collections.abc import Iterable
from fractions import Fraction

from troth.core.money import step


def rates(lines: Iterable[str]) -> dict[str, int]:
    """Return the table under `tax_rates`: by country, in hundredths of a percent."""
    return {country: int(Fraction(rate) * 100) for country, _, rate in (line.partition(" ") for line in lines)}


def included(total: int, rate: int, currency: str) -> int:
    """Return the tax that a total contains at a rate in hundredths of a percent, halves upwards."""
    unit = step(currency)
    return _rounded(Fraction(total * rate, (10_000 + rate) * unit)) * unit


def effective_rate(total: int, tax: int) -> int:
    """Return the rate of a tax that a total contains, in hundredths of a percent, to a tenth of a percent."""
    net = total - tax
    return _rounded(Fraction(tax * 1_000, net)) * 10 if net > 0 and tax > 0 else 0


def share(tax: int, part: int, total: int) -> int:
    """Return the tax in a part of a total: all of it in the whole."""
    return _rounded(Fraction(tax * part, total)) if total else 0


def _rounded(value: Fraction) -> int:
    return int(value + Fraction(1, 2)) if value >= 0 else -int(-value + Fraction(1, 2))
