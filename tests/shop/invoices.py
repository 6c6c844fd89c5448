"""Invoices of invented buyers, which the tests of this folder and `bench.receipts` write."""

from dataclasses import replace
from datetime import date

from troth.core.personal import Company, PersonName, PostalAddress
from troth.shop.receipts.document import Buyer, Document, Kind, Line, Tax, Vendor

VENDOR = Vendor(
    name="Example Software GmbH",
    street="Beispielstraße 12",
    postal_code="10115",
    city="Berlin",
    country="DE",
    vat_number="DE136695976",
    email="books@example.com",
    notes=("Amtsgericht Berlin, HRB 12345",),
)
BUYER = Buyer(
    name=PersonName("Zoë Ångström"),
    company=Company("Société Exemple SARL"),
    address=PostalAddress("1 rue de l’Exemple\n75001 Paris"),
    country="FR",
    vat_number="FR83404833048",
)
AT_HOME = Buyer(
    company=Company("Beispiel & Söhne <OHG>"),
    address=PostalAddress("Hinterhaus\nMusterweg 1\n20095 Hamburg\nzu Händen der Buchhaltung"),
    country="DE",
    vat_number="DE136695976",
)
REVERSED = (
    Line(title="Editor, Team edition", quantity=3, net=29_998, kind=Tax.REVERSE_CHARGE, discount=3000),
    Line(title="Viewer", quantity=1, net=1999, kind=Tax.REVERSE_CHARGE),
)
RATED = (
    Line(title="Editor", quantity=1, net=4117, tax=782, rate=1900),
    Line(title="Handbook", quantity=2, net=1869, tax=131, rate=700),
    Line(title="Viewer", quantity=1, net=840, tax=160, rate=1900),
)
INVOICE = Document(
    kind=Kind.INVOICE,
    number="2026-000123",
    issued=date(2026, 11, 30),
    supplied=date(2026, 11, 29),
    order="T-17",
    currency="EUR",
    vendor=VENDOR,
    buyer=BUYER,
    lines=REVERSED,
)
HOME = replace(INVOICE, buyer=AT_HOME, lines=RATED, language="de")
CREDIT = replace(
    INVOICE, kind=Kind.CREDIT_NOTE, number="2026-000124", corrects="2026-000123", corrects_issued=date(2026, 11, 30)
)
EXEMPT = replace(
    INVOICE,
    buyer=AT_HOME,
    vendor=replace(VENDOR, vat_number="", tax_number="30/123/45678"),
    lines=(Line(title="Editor", quantity=1, net=4900, kind=Tax.EXEMPT),),
    exemption="Gemäß § 19 UStG wird keine Umsatzsteuer berechnet.",
    language="de",
)
RECEIPT = replace(INVOICE, kind=Kind.RECEIPT, buyer=Buyer(), lines=RATED)
ABROAD = replace(
    INVOICE,
    buyer=replace(BUYER, country="JP", vat_number=""),
    lines=(Line(title="Editor", quantity=1, net=7800, kind=Tax.OUTSIDE),),
)
