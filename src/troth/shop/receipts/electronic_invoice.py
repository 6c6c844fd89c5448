"""Write the electronic invoice of EN 16931 in UN/CEFACT's syntax, as Factur-X and ZUGFeRD embed it. Touches nothing.

Which element stands for what is in the norm's CII binding; the terms (BT-…) are its numbers. Checked in the tests with
the schema and the rules that Factur-X publishes.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from xml.etree.ElementTree import Element, SubElement, tostring

from troth.shop.receipts import amounts, buyer_details
from troth.shop.receipts.document import Document, DocumentRefused, Kind, Line, Tax, TaxSum, Vendor
from troth.shop.receipts.words import WORDS

NAME = "factur-x.xml"
_GUIDELINE = "urn:cen.eu:en16931:2017"
_SPACES = {
    "xmlns:rsm": "urn:un:unece:uncefact:data:standard:CrossIndustryInvoice:100",
    "xmlns:ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "xmlns:udt": "urn:un:unece:uncefact:data:standard:UnqualifiedDataType:100",
    "xmlns:qdt": "urn:un:unece:uncefact:data:standard:QualifiedDataType:100",
}
_TYPES = {Kind.INVOICE: "380", Kind.CREDIT_NOTE: "381"}
"""UNTDID 1001."""
_ONLINE_PAYMENT = "68"
"""UNTDID 4461: paid by an online payment service."""
_PIECE = "C62"
"""UN/ECE Recommendation 20."""
_REASON_CODES = {Tax.REVERSE_CHARGE: "VATEX-EU-AE", Tax.OUTSIDE: "VATEX-EU-O"}


def is_wanted(document: Document) -> bool:
    """Return whether the document carries one: between businesses in the EU, in a currency with two decimals at most,
    which is all that the norm knows."""
    return document.is_between_businesses and amounts.decimals(document.currency) <= 2


def written(document: Document) -> bytes:
    """Return the XML. The same document gives the same bytes. Raises `DocumentRefused` where `is_wanted` is false."""
    if not is_wanted(document):
        raise DocumentRefused("Only invoices between businesses in the EU are electronic invoices.")
    root = Element("rsm:CrossIndustryInvoice", _SPACES)
    context = SubElement(root, "rsm:ExchangedDocumentContext")
    _text(context, "ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", _GUIDELINE)  # BT-24
    head = SubElement(root, "rsm:ExchangedDocument")
    _text(head, "ram:ID", document.number)  # BT-1
    _text(head, "ram:TypeCode", _TYPES[document.kind])  # BT-3
    _day(head, "ram:IssueDateTime", document.issued)  # BT-2
    trade = SubElement(root, "rsm:SupplyChainTradeTransaction")
    for number, line in enumerate(document.lines, 1):
        _line(SubElement(trade, "ram:IncludedSupplyChainTradeLineItem"), number, line, document.currency)
    agreement = SubElement(trade, "ram:ApplicableHeaderTradeAgreement")
    _seller(SubElement(agreement, "ram:SellerTradeParty"), document.vendor)
    _buyer(SubElement(agreement, "ram:BuyerTradeParty"), document)
    _text(agreement, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", document.order)  # BT-13
    delivery = SubElement(trade, "ram:ApplicableHeaderTradeDelivery")
    _day(
        SubElement(delivery, "ram:ActualDeliverySupplyChainEvent"), "ram:OccurrenceDateTime", document.supplied
    )  # BT-72
    _settlement(SubElement(trade, "ram:ApplicableHeaderTradeSettlement"), document)
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + bytes(tostring(root, "utf-8"))


def _text(parent: Element, path: str, text: str, **attributes: str) -> None:
    """Append the elements of `path`, one in the other, with `text` in the innermost."""
    for name in path.split("/"):
        parent = SubElement(parent, name)
    parent.text = text
    parent.attrib.update(attributes)


def _day(parent: Element, name: str, on: date) -> None:
    _text(parent, f"{name}/udt:DateTimeString", f"{on:%Y%m%d}", format="102")


def _percent(hundredths: int) -> str:
    return str(Decimal(hundredths).scaleb(-2))


def _line(item: Element, number: int, line: Line, currency: str) -> None:
    _text(item, "ram:AssociatedDocumentLineDocument/ram:LineID", str(number))  # BT-126
    _text(item, "ram:SpecifiedTradeProduct/ram:Name", line.title)  # BT-153
    each = Decimal(line.net).scaleb(-amounts.decimals(currency)) / line.quantity
    exact = each.quantize(Decimal("0.000001"), ROUND_HALF_UP).normalize()
    price = "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice/ram:ChargeAmount"
    _text(item, price, f"{exact:f}")  # BT-146
    delivery = "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity"
    _text(item, delivery, str(line.quantity), unitCode=_PIECE)  # BT-129, BT-130
    settlement = SubElement(item, "ram:SpecifiedLineTradeSettlement")
    tax = SubElement(settlement, "ram:ApplicableTradeTax")
    _text(tax, "ram:TypeCode", "VAT")
    _text(tax, "ram:CategoryCode", line.kind)  # BT-151
    if line.kind is not Tax.OUTSIDE:
        _text(tax, "ram:RateApplicablePercent", _percent(line.rate))  # BT-152
    total = "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount"
    _text(settlement, total, amounts.plain(line.net, currency))  # BT-131


def _seller(party: Element, vendor: Vendor) -> None:
    if not vendor.vat_number:  # a rule of the norm: by something the seller must be known (BR-CO-26)
        _text(party, "ram:ID", vendor.tax_number)  # BT-29
    _text(party, "ram:Name", vendor.name)  # BT-27
    _address(party, [vendor.street], vendor.country, postal_code=vendor.postal_code, city=vendor.city)
    if vendor.email:
        _text(party, "ram:URIUniversalCommunication/ram:URIID", vendor.email, schemeID="EM")  # BT-34
    if vendor.tax_number:
        _text(party, "ram:SpecifiedTaxRegistration/ram:ID", vendor.tax_number, schemeID="FC")  # BT-32
    if vendor.vat_number:
        _text(party, "ram:SpecifiedTaxRegistration/ram:ID", vendor.vat_number, schemeID="VA")  # BT-31


def _buyer(party: Element, document: Document) -> None:
    company, *person = buyer_details.names(document.buyer)
    _text(party, "ram:Name", company)  # BT-44
    if person:
        _text(party, "ram:DefinedTradeContact/ram:PersonName", person[0])  # BT-56
    _address(party, buyer_details.address_lines(document.buyer), document.buyer.country)
    _text(party, "ram:SpecifiedTaxRegistration/ram:ID", document.buyer.vat_number, schemeID="VA")  # BT-48


def _address(party: Element, lines: list[str], country: str, *, postal_code: str = "", city: str = "") -> None:
    address = SubElement(party, "ram:PostalTradeAddress")
    if postal_code:
        _text(address, "ram:PostcodeCode", postal_code)
    three = [*lines[:2], ", ".join(lines[2:])] if lines[2:] else lines  # the norm has three and no more
    for name, line in zip(("ram:LineOne", "ram:LineTwo", "ram:LineThree"), three, strict=False):
        _text(address, name, line)
    if city:
        _text(address, "ram:CityName", city)
    _text(address, "ram:CountryID", country)  # BT-40, BT-55


def _settlement(settlement: Element, document: Document) -> None:
    currency = document.currency
    _text(settlement, "ram:InvoiceCurrencyCode", currency)  # BT-5
    _text(settlement, "ram:SpecifiedTradeSettlementPaymentMeans/ram:TypeCode", _ONLINE_PAYMENT)  # BT-81
    for tax in document.taxes:
        _tax(SubElement(settlement, "ram:ApplicableTradeTax"), tax, document)
    if document.kind is Kind.INVOICE:
        paid = WORDS[document.language].paid
        _text(settlement, "ram:SpecifiedTradePaymentTerms/ram:Description", paid)  # BT-20
    sums = SubElement(settlement, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    _text(sums, "ram:LineTotalAmount", amounts.plain(document.net, currency))  # BT-106
    _text(sums, "ram:TaxBasisTotalAmount", amounts.plain(document.net, currency))  # BT-109
    _text(sums, "ram:TaxTotalAmount", amounts.plain(document.tax, currency), currencyID=currency)  # BT-110
    _text(sums, "ram:GrandTotalAmount", amounts.plain(document.total, currency))  # BT-112
    _text(sums, "ram:TotalPrepaidAmount", amounts.plain(document.total, currency))  # BT-113
    _text(sums, "ram:DuePayableAmount", amounts.plain(0, currency))  # BT-115
    if document.corrects and document.corrects_issued:
        reference = SubElement(settlement, "ram:InvoiceReferencedDocument")
        _text(reference, "ram:IssuerAssignedID", document.corrects)  # BT-25
        path = "ram:FormattedIssueDateTime/qdt:DateTimeString"
        _text(reference, path, f"{document.corrects_issued:%Y%m%d}", format="102")  # BT-26


def _tax(element: Element, tax: TaxSum, document: Document) -> None:
    notes = WORDS[document.language].tax_notes
    reason = document.exemption if tax.kind is Tax.EXEMPT else notes.get(tax.kind, "")
    _text(element, "ram:CalculatedAmount", amounts.plain(tax.tax, document.currency))  # BT-117
    _text(element, "ram:TypeCode", "VAT")
    if reason and tax.kind not in (Tax.RATED, Tax.ZERO):
        _text(element, "ram:ExemptionReason", reason)  # BT-120
    _text(element, "ram:BasisAmount", amounts.plain(tax.net, document.currency))  # BT-116
    _text(element, "ram:CategoryCode", tax.kind)  # BT-118
    if tax.kind in _REASON_CODES:
        _text(element, "ram:ExemptionReasonCode", _REASON_CODES[tax.kind])  # BT-121
    if tax.kind is not Tax.OUTSIDE:
        _text(element, "ram:RateApplicablePercent", _percent(tax.rate))  # BT-119
