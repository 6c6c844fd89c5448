"""Check a VAT number's form and check digits, without asking anybody (python-stdnum; VIES and HMRC are not asked).

That it is right in form does not say that it is valid today, nor whose it is. Numbers of the 27 member states and of
Northern Ireland (XI) are accepted; those of the One-Stop Shop (EU, IM) identify no buyer. Touches nothing.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.shop.receipts.document import EU

if TYPE_CHECKING:
    from stdnum import exceptions
    from stdnum.eu import vat
else:
    exceptions = lazy("stdnum.exceptions")
    vat = lazy("stdnum.eu.vat")

type Wrong = Literal["country", "form", "check digit"]

_LONGEST = 40
_MEND: dict[Wrong, str] = {
    "country": "It begins with two letters for the country, such as DE.",
    "form": "Please check it for a missing or an extra character.",
    "check digit": "Please check it for typos.",
}
_ISO = {"EL": "GR", "XI": "GB"}
"""Where the letters before the number are not the country's code."""


class VatNumberRefused(TrothError):
    """No VAT number. `wrong` says what; the number is not repeated."""

    def __init__(self, wrong: Wrong) -> None:
        super().__init__("This is not a VAT number of a business in the EU.", mend=_MEND[wrong])
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class VatNumber:
    """A VAT number that is right in form, in capitals and without blanks: `DE136695976`."""

    text: str

    @property
    def country(self) -> str:
        """Return the country's ISO 3166 code: GR for EL, GB for XI."""
        prefix = self.text[:2]
        return _ISO.get(prefix, prefix)


def checked(text: str) -> VatNumber:
    """Return the VAT number in what somebody typed; a Greek one with EL, however it was typed. Raises
    `VatNumberRefused`."""
    compact = "".join(char for char in text[:_LONGEST].upper() if char not in " .-/\u00a0")
    if compact.startswith("GR"):
        compact = f"EL{compact[2:]}"
    prefix = compact[:2]
    if not compact.isascii() or (prefix not in EU - {"GR"} and prefix not in _ISO):
        raise VatNumberRefused("country")
    try:
        return VatNumber(vat.validate(compact))
    except exceptions.InvalidChecksum:
        raise VatNumberRefused("check digit") from None
    except exceptions.ValidationError:
        raise VatNumberRefused("form") from None
