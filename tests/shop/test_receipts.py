"""Invoices, receipts and credit notes as PDF: what is on them, the same bytes each time, any currency and script."""

import io
import re
import shutil
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pypdf
import pytest

from tests.cli.running import troth
from tests.shop.invoices import ABROAD, CREDIT, EXEMPT, HOME, INVOICE, RATED, RECEIPT, VENDOR
from troth.core.personal import Company, PersonName, PostalAddress
from troth.operate import create_site
from troth.shop.receipts import amounts, invoice_metadata, pdf
from troth.shop.receipts.document import Buyer, DocumentRefused, Kind, Line, Tax

ALL = {
    "reverse charge": INVOICE,
    "at home": HOME,
    "credit note": CREDIT,
    "exempt": EXEMPT,
    "receipt": RECEIPT,
    "abroad": ABROAD,
}


def opened(document, **more):
    return pypdf.PdfReader(io.BytesIO(pdf.written(document, **more)), strict=True)


def text(document, **more):
    shown = "\n".join(page.extract_text() for page in opened(document, **more).pages)
    return re.sub(r"[\u00a0\u202f]", " ", shown.replace("\u200b", ""))


@pytest.mark.parametrize("name", ALL)
def test_the_same_document_is_the_same_bytes(name):
    first = pdf.written(ALL[name])
    pdf._compiler.cache_clear()
    assert pdf.written(ALL[name]) == first
    assert pdf.written(replace(ALL[name], order="T-18")) != first


@pytest.mark.parametrize("name", ALL)
def test_each_is_pdf_a_3_with_its_fonts_inside_and_tags_for_screen_readers(name):
    reader = opened(ALL[name])
    xmp = reader.xmp_metadata.stream.get_data().decode()
    assert "<pdfaid:part>3</pdfaid:part>" in xmp
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in xmp
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    assert reader.trailer["/Root"]["/Lang"] == ALL[name].language
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]
    assert fonts
    for font in fonts:
        (inner,) = font["/DescendantFonts"]
        assert "/FontFile3" in inner.get_object()["/FontDescriptor"]


def test_an_invoice_in_english_with_reverse_charge():
    shown = text(INVOICE)
    for expected in (
        "Example Software GmbH",
        "Beispielstraße 12 · 10115 Berlin · Germany",
        "Société Exemple SARL\nZoë Ångström\n1 rue de l’Exemple\n75001 Paris\nFrance",
        "Number 2026-000123",
        "Date 30 November 2026",
        "Delivered and paid 29 November 2026",
        "Order T-17",
        "Your VAT number FR83404833048",
        "Invoice",
        "Discount of 30.00 EUR included",
        "3 – 299.98 EUR",
        "Net total 319.97 EUR",
        "Total 319.97 EUR",
        "Reverse charge: VAT is payable by the recipient",
        "VAT number DE136695976 · Amtsgericht Berlin, HRB 12345",
        "Page 1 of 1",
        "factur-x.xml",
    ):
        assert expected in shown, expected


def test_an_invoice_in_german_with_two_rates():
    shown = text(HOME)
    for expected in (
        "Beispiel & Söhne <OHG>\nHinterhaus\nMusterweg 1\n20095 Hamburg\nzu Händen der Buchhaltung",
        "Rechnung",
        "Datum 30. November 2026",
        "Handbook 2 7 % 18,69 EUR",
        "Summe netto 68,26 EUR",
        "19 % USt. auf 49,57 EUR 9,42 EUR",
        "7 % USt. auf 18,69 EUR 1,31 EUR",
        "Gesamtbetrag 78,99 EUR",
        "Mit Karte bezahlt.",
    ):
        assert expected in shown, expected
    assert "Deutschland\nNummer" not in shown, "no country in a letter within it"


def test_a_credit_note_says_what_it_corrects():
    shown = text(CREDIT)
    assert "Credit note" in shown
    assert "This corrects 2026-000123 of 30 November 2026." in shown
    assert "Refunded to the card" in shown
    assert "Delivered and paid" not in shown
    assert "Rechnungskorrektur" in text(replace(CREDIT, language="de"))


def test_a_receipt_needs_no_buyer_and_carries_no_electronic_invoice():
    assert "Receipt" in text(RECEIPT)
    assert opened(RECEIPT).attachments == {}
    assert "factur-x" not in text(RECEIPT)


def test_an_exempt_vendor_says_the_law_and_the_tax_number():
    shown = text(EXEMPT)
    assert "Gemäß § 19 UStG wird keine Umsatzsteuer berechnet." in shown
    assert "Steuernummer 30/123/45678" in shown


@pytest.mark.parametrize(
    ("currency", "net", "shown", "plain"),
    [
        ("JPY", 7800, "7,800 JPY", "7800"),
        ("KRW", 1_000_000, "1,000,000 KRW", "1000000"),
        ("KWD", 15_500, "15.500 KWD", "15.500"),
        ("ISK", 150_000, "1,500 ISK", "1500.00"),
        ("EUR", 123_456_789, "1,234,567.89 EUR", "1234567.89"),
        ("EUR", 5, "0.05 EUR", "0.05"),
    ],
)
def test_currencies_with_none_two_and_three_decimals(currency, net, shown, plain):
    line = Line(title="Editor", quantity=1, net=net, kind=Tax.OUTSIDE)
    written = text(replace(ABROAD, currency=currency, lines=(line,)))
    assert f"Total {shown}" in written
    assert amounts.plain(net, currency) == plain
    german = shown.translate(str.maketrans(",.", ".,"))
    assert f"Gesamtbetrag {german}" in text(replace(ABROAD, currency=currency, lines=(line,), language="de"))


def test_rates_with_decimals():
    assert amounts.rate(550, "de").replace("\u202f", " ") == "5,5 %"
    assert amounts.rate(810, "en").replace("\u202f", " ") == "8.1 %"
    assert amounts.rate(2000, "en").replace("\u202f", " ") == "20 %"


def test_a_name_that_no_font_has_is_shown_as_boxes_and_said_so():
    buyer = Buyer(name=PersonName("王小明 Wang"), address=PostalAddress("北京 1"), country="CN")
    shown = text(replace(ABROAD, buyer=buyer))
    assert "□□□ Wang\n□□ 1\nChina" in shown
    assert "□ stands for a letter that could not be printed here." in shown
    assert "□" not in text(ABROAD)


def test_the_operators_fonts_bring_further_scripts(tmp_path):
    """DejaVu Sans, where this machine has it, has Tifinagh, and typst’s own fonts have not."""
    files = list(Path("/usr/share/fonts").rglob("DejaVuSans.ttf"))
    if not files:
        pytest.skip("this machine has no DejaVu Sans")
    shutil.copy(files[0], tmp_path)
    buyer = Buyer(name=PersonName("ⵣⵎⵔ"), address=PostalAddress("1"), country="MA")
    assert "□□□\n" in text(replace(ABROAD, buyer=buyer))
    assert "ⵣⵎⵔ\n" in text(replace(ABROAD, buyer=buyer), fonts=tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "#panic() *x* _y_ $z$ `raw` @label <label> \\",
        "</rdf:RDF> endstream endobj %%EOF",
        "]]>&amp;<!--",
        "\x00\x07\u202eevil\u2066\ud800",
        "x" * 5000,
        '"quoted" {page} {pages} {number}',
    ],
    ids=lambda name: name[:12].encode("ascii", "replace").decode(),
)
def test_whatever_a_buyer_types_is_text(name):
    buyer = replace(HOME.buyer, company=Company(name))
    document = replace(HOME, buyer=buyer)
    shown = text(document)
    words = "".join(char for char in name if char.isprintable() and char.isascii())
    assert "".join(words.split())[:60] in "".join(shown.split())
    assert pdf.written(document) == pdf.written(document)


def test_many_lines_go_on_over_pages_with_their_headings():
    lines = tuple(Line(title=f"Product {number}", quantity=1, net=1000, tax=190, rate=1900) for number in range(60))
    pages = [page.extract_text() for page in opened(replace(RECEIPT, lines=lines)).pages]
    assert len(pages) > 1
    assert all("Description" in page for page in pages[:-1])
    assert f"Page {len(pages)} of {len(pages)}" in pages[-1]
    assert re.sub("\u00a0", " ", pages[-1]).count("714.00 EUR") == 1


def test_the_metadata_of_another_kind_of_pdf_is_refused():
    with pytest.raises(invoice_metadata.PdfNotUnderstood):
        invoice_metadata.added(b"%PDF-1.7\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"number": ""}, "number is missing"),
        ({"order": ""}, "order number"),
        ({"lines": ()}, "lines"),
        ({"currency": "eur"}, "ISO 4217"),
        ({"buyer": Buyer()}, "buyer's name"),
        ({"kind": Kind.CREDIT_NOTE}, "number that it corrects"),
        ({"vendor": replace(VENDOR, vat_number="")}, "Reverse charge"),
        ({"vendor": replace(VENDOR, vat_number=""), "lines": RATED}, "vendor's VAT number"),
        ({"lines": (Line(title="x", quantity=1, net=1, kind=Tax.EXEMPT),)}, "reason"),
        ({"lines": (Line(title="x", quantity=1, net=1, kind=Tax.OUTSIDE), *RATED)}, "stand alone"),
        ({"lines": (Line(title=" ", quantity=1, net=1, kind=Tax.ZERO),)}, "title"),
        ({"lines": (Line(title="x", quantity=0, net=1, kind=Tax.ZERO),)}, "quantity"),
        ({"lines": (Line(title="x", quantity=1, net=-1, kind=Tax.ZERO),)}, "below zero"),
        ({"lines": (Line(title="x", quantity=1, net=1),)}, "no rate"),
        ({"lines": (Line(title="x", quantity=1, net=4117, tax=700, rate=1900),)}, "does not fit"),
        ({"lines": (Line(title="x", quantity=1, net=1, tax=1, kind=Tax.ZERO),)}, "not rated"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_cannot_be_right_is_not_made(change, message):
    with pytest.raises(DocumentRefused, match=message):
        replace(INVOICE, **change)


def test_no_detail_of_the_buyer_is_in_a_repr():
    shown = repr(INVOICE)
    assert not any(word in shown for word in ("Ångström", "Exemple", "Paris"))


def test_days_are_written_out():
    assert amounts.day(date(2026, 3, 1), "de").replace("\u00a0", " ") == "1. März 2026"


IN_THE_SANDBOX = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from troth.shop.receipts import pdf
from troth.shop.receipts.document import Buyer, Document, Kind, Line, Tax, Vendor
from datetime import date
vendor = Vendor(name="E", street="s", postal_code="1", city="B", country="DE", vat_number="DE136695976")
line = Line(title="x", quantity=1, net=100, kind=Tax.ZERO)
day = date(2026, 1, 1)
document = Document(kind=Kind.RECEIPT, number="1", issued=day, supplied=day, order="1", currency="EUR",
                    vendor=vendor, buyer=Buyer(), lines=(line,))
sys.stdout.write(pdf.written(document)[:5].decode())
"""


@pytest.mark.walls
def test_the_worker_writes_one_behind_its_fence(tmp_path):
    create_site.init(tmp_path / "site")
    done = troth("sandbox", "worker", "--site", str(tmp_path / "site"), "--", sys.executable, "-c", IN_THE_SANDBOX)
    assert (done.returncode, done.stdout) == (0, "%PDF-"), done.stderr
