"""What is on an invoice, a receipt or a credit note: complete when it is made, and never changed. Touches nothing.

All amounts are whole numbers of the currency's smallest unit, zero or more; those of a credit note, too. A rate is in
hundredths of a percent. The taxes come from whoever computed them (the card company, or the operator's table): a
document adds up, it does not compute a tax anew, but refuses what cannot be right.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Literal

from troth.core.errors import TrothError
from troth.core.personal import Company, PersonName, PostalAddress

type Language = Literal["en", "de"]

EU = frozenset("AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK".split())
"""ISO 3166 codes of the member states."""


class DocumentRefused(TrothError):
    """Something that no invoice, receipt or credit note can say. Names a field, never its value."""


class Kind(StrEnum):
    """What it is."""

    INVOICE = "invoice"
    RECEIPT = "receipt"
    """For somebody who buys as a private person; it needs no name and no address."""
    CREDIT_NOTE = "credit_note"


class Tax(StrEnum):
    """How a line is taxed: the codes of EN 16931 (UNTDID 5305)."""

    RATED = "S"
    ZERO = "Z"
    EXEMPT = "E"
    """With a reason, such as that of small businesses."""
    REVERSE_CHARGE = "AE"
    """The buyer, a business in another member state, owes it."""
    OUTSIDE = "O"
    """Of no concern to the vendor's country: a buyer outside the EU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor:
    """Who sells: as the law wants it on an invoice. No personal data: it is on the vendor's website, too."""

    name: str
    street: str
    postal_code: str
    city: str
    country: str
    """ISO 3166-1, two letters."""
    vat_number: str = ""
    tax_number: str = ""
    """The number for the vendor's own tax office, where there is no VAT number."""
    email: str = ""
    notes: Sequence[str] = ()
    """Further lines at the foot: the commercial register, the managing director."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Buyer:
    """Who bought. Their details stay in their types until they are written out (`buyer_details`)."""

    name: PersonName | None = None
    company: Company | None = None
    address: PostalAddress | None = None
    country: str = ""
    vat_number: str = ""
    """Checked (`vat_numbers`), in its compact form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was bought. `net` is what it costs without tax, all of the quantity, after the discount."""

    title: str
    quantity: int
    net: int
    tax: int = 0
    rate: int = 0
    kind: Tax = Tax.RATED
    discount: int = 0
    """How much less it was, without tax: told beneath the title."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaxSum:
    """All lines that are taxed alike."""

    kind: Tax
    rate: int
    net: int
    tax: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """All that stands on an invoice, a receipt or a credit note. Raises `DocumentRefused` where it cannot be right."""

    kind: Kind
    number: str
    issued: date
    supplied: date
    """When it was delivered and paid."""
    order: str
    currency: str
    """ISO 4217, in capitals."""
    vendor: Vendor
    buyer: Buyer
    lines: tuple[Line, ...]
    language: Language = "en"
    corrects: str = ""
    """Of a credit note: the number of the invoice or receipt."""
    corrects_issued: date | None = None
    exemption: str = ""
    """Why nothing is charged, if a line is exempt: the law's own words."""

    def __post_init__(self) -> None:
        for message in _problems(self):
            raise DocumentRefused(message)

    @property
    def net(self) -> int:
        """Return the sum without tax."""
        return sum(line.net for line in self.lines)

    @property
    def tax(self) -> int:
        """Return the tax in all."""
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """Return what was paid; of a credit note, what went back."""
        return self.net + self.tax

    @property
    def taxes(self) -> list[TaxSum]:
        """Return the sums by kind and rate of tax, the highest rate first."""
        groups: dict[tuple[int, Tax], list[Line]] = {}
        for line in self.lines:
            groups.setdefault((line.rate, line.kind), []).append(line)
        return [
            TaxSum(kind=kind, rate=rate, net=sum(line.net for line in lines), tax=sum(line.tax for line in lines))
            for (rate, kind), lines in sorted(groups.items(), key=lambda group: (-group[0][0], group[0][1]))
        ]

    @property
    def is_between_businesses(self) -> bool:
        """Return whether vendor and buyer are businesses in the EU, and this may be an electronic invoice."""
        both = self.vendor.country in EU and self.buyer.country in EU
        return both and bool(self.buyer.vat_number) and self.kind is not Kind.RECEIPT


def _problems(document: Document) -> list[str]:
    vendor, buyer = document.vendor, document.buyer
    required: dict[str, object] = {
        "number": document.number,
        "order number": document.order,
        "vendor's name": vendor.name,
        "vendor's street": vendor.street,
        "vendor's city": vendor.city,
        "vendor's country": vendor.country,
        "lines": document.lines,
    }
    if document.kind is Kind.INVOICE:
        required |= {"buyer's name or company": buyer.name or buyer.company, "buyer's address": buyer.address}
        required |= {"buyer's country": buyer.country}
    if document.kind is Kind.CREDIT_NOTE:
        required |= {"number that it corrects": document.corrects, "day of what it corrects": document.corrects_issued}
    problems = [f"The {name} is missing." for name, value in required.items() if not value]
    if not (len(document.currency) == 3 and document.currency.isascii() and document.currency.isupper()):
        problems.append("The currency is no code of ISO 4217.")
    problems += [problem for line in document.lines for problem in _line_problems(line)]
    kinds = {line.kind for line in document.lines}
    if Tax.REVERSE_CHARGE in kinds and not (buyer.vat_number and vendor.vat_number):
        problems.append("Reverse charge needs the VAT numbers of both.")
    if Tax.EXEMPT in kinds and not document.exemption:
        problems.append("Lines without tax need a reason.")
    if Tax.OUTSIDE in kinds and len(kinds) > 1:
        problems.append("Lines outside the tax's scope stand alone.")
    if kinds & {Tax.RATED, Tax.ZERO, Tax.EXEMPT} and not (vendor.vat_number or vendor.tax_number):
        problems.append("The vendor's VAT number or tax number is missing.")
    return problems


def _line_problems(line: Line) -> list[str]:
    problems = []
    if not line.title.strip():
        problems.append("A line has no title.")
    if line.quantity < 1 or min(line.net, line.tax, line.rate, line.discount) < 0:
        problems.append("A line has a quantity below one or an amount below zero.")
    if line.kind is Tax.RATED:
        if not line.rate:
            problems.append("A rated line has no rate.")
        # Who computed it may have rounded once for each of several.
        elif abs(line.net * line.rate - line.tax * 10_000) >= 10_000 * max(1, line.quantity):
            problems.append("The tax of a line does not fit its rate.")
    elif line.tax or line.rate:
        problems.append("A line that is not rated has a tax.")
    return problems
