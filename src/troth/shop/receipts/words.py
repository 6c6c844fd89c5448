"""The words on invoices, receipts and credit notes, in English and German."""

from dataclasses import dataclass

from troth.shop.receipts.document import Kind, Language, Tax


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """All words of one language."""

    titles: dict[Kind, str]
    number: str
    issued: str
    supplied: str
    order: str
    corrects: str
    """With {number} and {day}."""
    vat_number: str
    tax_number: str
    your_vat_number: str
    title: str
    quantity: str
    rate: str
    net: str
    discount: str
    """With {amount}."""
    subtotal: str
    tax: str
    """With {rate} and {net}."""
    total: str
    paid: str
    refunded: str
    tax_notes: dict[Tax, str]
    page: str
    """With {page} and {pages}."""
    letters: str
    attached: str


WORDS: dict[Language, Words] = {
    "en": Words(
        titles={Kind.INVOICE: "Invoice", Kind.RECEIPT: "Receipt", Kind.CREDIT_NOTE: "Credit note"},
        number="Number",
        issued="Date",
        supplied="Delivered and paid",
        order="Order",
        corrects="This corrects {number} of {day}.",
        vat_number="VAT number",
        tax_number="Tax number",
        your_vat_number="Your VAT number",
        title="Description",
        quantity="Quantity",
        rate="VAT",
        net="Net",
        discount="Discount of {amount} included",
        subtotal="Net total",
        tax="VAT {rate} on {net}",
        total="Total",
        paid="Paid by card. Nothing is due.",
        refunded="Refunded to the card with which it was paid.",
        tax_notes={
            Tax.REVERSE_CHARGE: "Reverse charge: VAT is payable by the recipient (Article 196, Directive 2006/112/EC).",
            Tax.OUTSIDE: "Not subject to VAT in the vendor’s country: the place of supply is outside "
            "the European Union.",
            Tax.ZERO: "Zero-rated.",
        },
        page="Page {page} of {pages}",
        letters="□ stands for a letter that could not be printed here.",
        attached="The electronic invoice (EN 16931) is attached to this PDF as factur-x.xml.",
    ),
    "de": Words(
        titles={Kind.INVOICE: "Rechnung", Kind.RECEIPT: "Kaufbeleg", Kind.CREDIT_NOTE: "Rechnungskorrektur"},
        number="Nummer",
        issued="Datum",
        supplied="Geliefert und bezahlt",
        order="Bestellung",
        corrects="Dies berichtigt {number} vom {day}.",
        vat_number="USt-IdNr.",
        tax_number="Steuernummer",
        your_vat_number="Ihre USt-IdNr.",
        title="Bezeichnung",
        quantity="Menge",
        rate="USt.",
        net="Netto",
        discount="Rabatt von {amount} berücksichtigt",
        subtotal="Summe netto",
        tax="{rate} USt. auf {net}",
        total="Gesamtbetrag",
        paid="Mit Karte bezahlt. Es ist nichts mehr zu zahlen.",
        refunded="Erstattet auf die Karte, mit der bezahlt wurde.",
        tax_notes={
            Tax.REVERSE_CHARGE: "Steuerschuldnerschaft des Leistungsempfängers (Artikel 196 der Richtlinie "
            "2006/112/EG, Reverse-Charge-Verfahren).",
            Tax.OUTSIDE: "Im Land des Anbieters nicht steuerbar: Der Leistungsort liegt außerhalb der "
            "Europäischen Union.",
            Tax.ZERO: "Steuersatz null.",
        },
        page="Seite {page} von {pages}",
        letters="□ steht für ein Zeichen, das hier nicht gedruckt werden konnte.",
        attached="Die elektronische Rechnung (EN 16931) ist diesem PDF als factur-x.xml beigefügt.",
    ),
}

_LAENDER = """
AT Österreich|BE Belgien|BG Bulgarien|CH Schweiz|CY Zypern|CZ Tschechien|DE Deutschland|DK Dänemark|EE Estland
ES Spanien|FI Finnland|FR Frankreich|GB Vereinigtes Königreich|GR Griechenland|HR Kroatien|HU Ungarn|IE Irland
IS Island|IT Italien|LI Liechtenstein|LT Litauen|LU Luxemburg|LV Lettland|MT Malta|NL Niederlande|NO Norwegen
PL Polen|PT Portugal|RO Rumänien|RS Serbien|SE Schweden|SI Slowenien|SK Slowakei|TR Türkei|UA Ukraine
US Vereinigte Staaten
"""
LAENDER = dict(entry.split(" ", 1) for entry in _LAENDER.strip().replace("\n", "|").split("|"))
"""Countries in German, by ISO 3166 code."""
