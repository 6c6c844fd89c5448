"""Write amounts, rates and days as people read them in English and German, and as programs do. Touches nothing."""

from datetime import date
from decimal import Decimal

from troth.shop.receipts.document import Language

_NO_DECIMALS = frozenset("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split())
_THREE_DECIMALS = frozenset("BHD JOD KWD OMR TND".split())
_SHOWN_WHOLE = frozenset(("ISK", "UGX"))
"""Card companies count these in hundredths, although they have none."""
_MONTHS = "January February March April May June July August September October November December".split()
_MONATE = "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split()
_NO_BREAK, _THIN = "\u00a0", "\u202f"


def decimals(currency: str) -> int:
    """Return how many decimals the smallest unit, as card companies count it, stands for."""
    return 0 if currency in _NO_DECIMALS else 3 if currency in _THREE_DECIMALS else 2


def plain(amount: int, currency: str) -> str:
    """Return the amount for programs: `1249.00`, `7800`, `3.500`."""
    return str(Decimal(amount).scaleb(-decimals(currency)))


def shown(amount: int, currency: str, language: Language) -> str:
    """Return the amount for people: `1,249.00 EUR`, `1.249,00 EUR`; `7,800 JPY`. Its parts stay on one line."""
    places = 0 if currency in _SHOWN_WHOLE and amount % 100 == 0 else decimals(currency)
    text = f"{Decimal(amount).scaleb(-decimals(currency)):,.{places}f}"
    return f"{_by_language(text, language)}{_NO_BREAK}{currency}"


def rate(hundredths: int, language: Language) -> str:
    """Return the rate in percent: `19 %`, `5.5 %`, in German `5,5 %`."""
    text = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
    return f"{_by_language(text, language)}{_THIN}%"


def day(on: date, language: Language) -> str:
    """Return the day in words: `30 November 2026`, `30. November 2026`."""
    months, point = (_MONATE, ".") if language == "de" else (_MONTHS, "")
    return f"{on.day}{point}{_NO_BREAK}{months[on.month - 1]}{_NO_BREAK}{on.year}"


def _by_language(text: str, language: Language) -> str:
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text
