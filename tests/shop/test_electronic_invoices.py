"""Electronic invoices hold to the schema and the rules of EN 16931, as Factur-X publishes them, and are in the PDF."""

import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import facturx
import lxml.etree as xml
import pypdf
import pytest
from saxonche import PySaxonProcessor

from tests.shop.invoices import ABROAD, AT_HOME, CREDIT, EXEMPT, HOME, INVOICE, RATED, RECEIPT, REVERSED, VENDOR
from troth.core.personal import PersonName, PostalAddress
from troth.shop.receipts import electronic_invoice, pdf
from troth.shop.receipts.document import Buyer, DocumentRefused, Line

RULES = Path(facturx.__file__).parent / "xsd_and_schematron" / "facturx-en16931"
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
ALL = {
    "reverse charge": INVOICE,
    "two rates": HOME,
    "credit note": CREDIT,
    "credit note at home": replace(CREDIT, buyer=AT_HOME, lines=RATED),
    "exempt": replace(EXEMPT, vendor=VENDOR),
    "a small business": EXEMPT,
    "crowns": replace(INVOICE, currency="SEK"),
    "no decimals": replace(INVOICE, currency="JPY"),
    "nothing paid": replace(INVOICE, lines=(replace(REVERSED[0], net=0),)),
    "a person in business": replace(INVOICE, buyer=replace(INVOICE.buyer, company=None)),
    "a third of a cent": replace(HOME, lines=(Line(title="Editor", quantity=3, net=100, tax=19, rate=1900),)),
    "rounded for each of many": replace(
        HOME, lines=tuple(Line(title=f"{n}", quantity=1, net=8, tax=2, rate=1900) for n in range(2))
    ),
    "what XML must escape": replace(
        HOME, buyer=replace(AT_HOME, name=PersonName("<&>\"'\x00\x0b\ufffe]]>"), address=PostalAddress("&lt;\n\n2"))
    ),
}


@pytest.fixture(scope="module")
def judged():
    """A function that returns what the schema and the rules find."""
    schema = xml.XMLSchema(xml.parse(str(RULES / "Factur-X_EN16931.xsd")))
    with PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(
            stylesheet_file=str(RULES / "FACTUR-X_EN16931.xslt")
        )

        def judge(written):
            schema.validate(xml.fromstring(written))
            problems = [str(problem) for problem in schema.error_log]
            parsed = processor.parse_xml(xml_text=written.decode())
            report = xml.fromstring(rules.transform_to_string(xdm_node=parsed).encode())
            assert len(list(report.iter(f"{SVRL}fired-rule"))) > 50, "the rules ran"
            return problems + ["".join(failed.itertext()) for failed in report.iter(f"{SVRL}failed-assert")]

        yield judge


@pytest.mark.parametrize("name", ALL)
def test_it_passes_schema_and_rules(name, judged):
    assert judged(electronic_invoice.written(ALL[name])) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"<ram:GrandTotalAmount>78.99", b"<ram:GrandTotalAmount>79.99"),
        (b"<ram:LineTotalAmount>68.26", b"<ram:LineTotalAmount>68.27"),
        (b"<ram:TypeCode>380", b"<ram:TypeCode>999"),
        (b"<ram:CountryID>DE", b"<ram:CountryID>XX"),
        (b"<ram:CategoryCode>S", b"<ram:CategoryCode>AE"),
        (b"ram:InvoiceCurrencyCode", b"ram:InvoiceCurrency"),
    ],
)
def test_the_judge_sees_what_is_wrong(before, after, judged):
    good = electronic_invoice.written(HOME)
    assert before in good
    assert judged(good.replace(before, after))


def test_it_is_in_the_pdf_with_what_names_it():
    reader = pypdf.PdfReader(io.BytesIO(pdf.written(HOME)), strict=True)
    assert [*reader.attachments] == ["factur-x.xml"]
    assert reader.attachments["factur-x.xml"] == [electronic_invoice.written(HOME)]
    (specification,) = reader.trailer["/Root"]["/AF"]
    assert specification.get_object()["/AFRelationship"] == "/Alternative"
    metadata = reader.xmp_metadata.stream.get_data()
    xml.fromstring(metadata[metadata.index(b"<x:xmpmeta") : metadata.rindex(b"<?xpacket")])
    assert b"<fx:ConformanceLevel>EN 16931</fx:ConformanceLevel>" in metadata
    assert b"<fx:DocumentFileName>factur-x.xml</fx:DocumentFileName>" in metadata


def test_the_library_of_factur_x_reads_it_out():
    name, content = facturx.get_xml_from_pdf(pdf.written(CREDIT), check_xsd=True)
    assert name == "factur-x.xml"
    assert content == electronic_invoice.written(CREDIT)


def test_it_says_the_same_as_the_page():
    tree = xml.fromstring(electronic_invoice.written(INVOICE))
    names = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}

    def value(path):
        return tree.xpath(f"string(//{path})", namespaces=names)

    assert value("ram:BuyerTradeParty/ram:Name") == "Société Exemple SARL"
    assert value("ram:DefinedTradeContact/ram:PersonName") == "Zoë Ångström"
    assert value("ram:BuyerTradeParty//ram:SpecifiedTaxRegistration/ram:ID") == "FR83404833048"
    assert value("ram:GrandTotalAmount") == "319.97"
    assert value("ram:DuePayableAmount") == "0.00"
    assert Decimal(value("ram:ChargeAmount")) * 3 == pytest.approx(Decimal("299.98"), abs=Decimal("0.00001"))


@pytest.mark.parametrize(
    "document",
    [
        RECEIPT,
        ABROAD,
        replace(INVOICE, currency="KWD"),
        replace(HOME, buyer=replace(AT_HOME, vat_number="")),
        replace(RECEIPT, buyer=Buyer(vat_number="DE136695976", country="DE")),
    ],
    ids=["receipt", "abroad", "three decimals", "no VAT number", "a receipt all the same"],
)
def test_others_have_none(document):
    assert not electronic_invoice.is_wanted(document)
    with pytest.raises(DocumentRefused):
        electronic_invoice.written(document)
    assert pypdf.PdfReader(io.BytesIO(pdf.written(document))).attachments == {}
