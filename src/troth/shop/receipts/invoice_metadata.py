"""Say in a PDF's metadata that it carries a Factur-X invoice (Factur-X 1.08, section 6; XMP, ISO 16684-1).

typst writes PDF/A-3 and attaches the file, but not this. It is appended as an incremental update (ISO 32000-1, 7.5.6):
one new version of the metadata's object, and a table that points to it. Touches nothing.
"""

import re

from troth.core.errors import TrothError

_METADATA = re.compile(rb"/Metadata (\d+) 0 R")
_STREAM = re.compile(rb"\n(\d+) 0 obj\n<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n")
_TRAILER = re.compile(rb"trailer\n<<(.+)>>\nstartxref\n(\d+)\n%%EOF\s*\Z", re.DOTALL)
_END = b"</rdf:RDF>"
_SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_FIELDS = {
    "DocumentFileName": ("factur-x.xml", "The name of the embedded XML document"),
    "DocumentType": ("INVOICE", "The type of the hybrid document in capital letters"),
    "Version": ("1.0", "The version of the standard applying to the embedded XML document"),
    "ConformanceLevel": ("EN 16931", "The conformance level of the embedded XML document"),
}


class PdfNotUnderstood(TrothError):
    """A PDF of another shape than typst's."""


def added(pdf: bytes) -> bytes:
    """Return the PDF with the metadata of its electronic invoice. Raises `PdfNotUnderstood`."""
    catalog, trailer = _METADATA.search(pdf), _TRAILER.search(pdf)
    streams = [match for match in _STREAM.finditer(pdf) if catalog and match[1] == catalog[1]]
    if trailer is None or len(streams) != 1:
        raise PdfNotUnderstood("typst wrote a PDF of a shape that is not known here.")
    number, start = int(streams[0][1]), streams[0].end()
    xmp = pdf[start : start + int(streams[0][2])]
    before, end, after = xmp.rpartition(_END)
    if not end:
        raise PdfNotUnderstood("typst wrote metadata of a shape that is not known here.")
    extended = before + _description() + end + after
    pdf = pdf if pdf.endswith(b"\n") else pdf + b"\n"
    update = b"%d 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n%s\nendstream\nendobj\n"
    written = update % (number, len(extended), extended)
    table = b"xref\n%d 1\n%010d 00000 n \ntrailer\n<<%s/Prev %s>>\nstartxref\n%d\n%%%%EOF\n"
    return pdf + written + table % (number, len(pdf), trailer[1], trailer[2], len(pdf) + len(written))


def _description() -> bytes:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, (value, _) in _FIELDS.items())
    properties = "".join(
        '<rdf:li rdf:parseType="Resource">'
        f"<pdfaProperty:name>{name}</pdfaProperty:name><pdfaProperty:valueType>Text</pdfaProperty:valueType>"
        "<pdfaProperty:category>external</pdfaProperty:category>"
        f"<pdfaProperty:description>{words}</pdfaProperty:description></rdf:li>"
        for name, (_, words) in _FIELDS.items()
    )
    return (
        f'<rdf:Description rdf:about="" xmlns:fx="{_SPACE}">{values}</rdf:Description>'
        '<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"'
        ' xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#"'
        ' xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#"><pdfaExtension:schemas><rdf:Bag>'
        '<rdf:li rdf:parseType="Resource"><pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>'
        f"<pdfaSchema:namespaceURI>{_SPACE}</pdfaSchema:namespaceURI><pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
        "</rdf:Bag></pdfaExtension:schemas></rdf:Description>"
    ).encode()
