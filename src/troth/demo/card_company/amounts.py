"""What a checkout costs: lines, discount, tax, total; all in whole smallest units of its currency."""

from dataclasses import dataclass
from fractions import Fraction

from troth.demo.card_company.account import Account
from troth.demo.card_company.currencies import rounded
from troth.demo.card_company.errors import invalid
from troth.demo.card_company.storage import Object

TAX_PERCENT = {
    "AT": 20,
    "CH": 8,
    "DE": 19,
    "ES": 21,
    "FR": 20,
    "GB": 20,
    "IE": 23,
    "IT": 22,
    "NL": 21,
    "PL": 23,
    "SE": 25,
}
"""Tax on software by country, roughly; where none is listed, there is none."""
_REVERSE = frozenset(TAX_PERCENT) - {"CH", "GB"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line costs."""

    subtotal: int
    discount: int
    tax: int
    total: int


def unit_amount(account: Account, price: Object, currency: str) -> int:
    """Return what one piece costs in a currency. Raises `ApiError` if the price does not name it."""
    option = account.private(price)["currency_options"].get(currency)
    if option is None:
        raise invalid("currency", f"The price specified only supports `{price['currency']}`, not `{currency}`.")
    return int(option["unit_amount"])


def tax_percent(country: str | None, tax_ids: list[Object]) -> int:
    """Return the rate for a buyer; a business elsewhere in the EU owes the tax itself."""
    if tax_ids and country in _REVERSE:
        return 0
    return TAX_PERCENT.get(country or "", 0)


def cost(subtotals: list[int], coupon: Object | None, percent: int, inclusive: list[bool], currency: str) -> list[Line]:
    """Return each line's cost. An amount off is shared by the lines in proportion."""
    reductions = _discounts(subtotals, coupon, currency)
    lines = []
    for subtotal, reduction, included in zip(subtotals, reductions, inclusive, strict=True):
        net = subtotal - reduction
        tax = rounded(Fraction(net * percent, 100 + percent if included else 100), currency)
        lines.append(Line(subtotal, reduction, tax, net if included else net + tax))
    return lines


def _discounts(subtotals: list[int], coupon: Object | None, currency: str) -> list[int]:
    if coupon is None:
        return [0] * len(subtotals)
    if coupon["percent_off"] is not None:
        share = Fraction(str(coupon["percent_off"])) / 100
        return [rounded(subtotal * share, currency) for subtotal in subtotals]
    subtotal_sum, off = sum(subtotals), min(coupon["amount_off"], sum(subtotals))
    parts = [rounded(Fraction(off * subtotal, subtotal_sum), currency) if subtotal_sum else 0 for subtotal in subtotals]
    parts[-1] += off - sum(parts)
    return parts
