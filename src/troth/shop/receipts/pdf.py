"""Write a document as PDF/A-3 with typst: the same bytes for the same document, with this version of typst.

Imported only where one is written: typst is large. Reads `receipt.typ` beside this file and, if the operator has some,
a folder of fonts; typst opens no connection for it. Letters that no font has are shown as □, with a note: PDF/A refuses
them, and a receipt must not fail for a name.
"""

import json
import re
from datetime import UTC, datetime, time
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import typst

from troth.core.errors import TrothError
from troth.shop.receipts import electronic_invoice, invoice_metadata, page_text
from troth.shop.receipts.document import Document
from troth.shop.receipts.words import WORDS

_TEMPLATE = Path(__file__).with_name("receipt.typ")
_STANDARD: Literal["a-3a"] = "a-3a"
_MISSING = re.compile(r"the text `(\".*?\")` could not be displayed", re.DOTALL)
_BOX = "□"
_MOST_MISSING = 500


class PdfFailed(TrothError):
    """typst could not write a document. Its own words may hold a buyer's, and are not repeated."""


def written(document: Document, fonts: Path | None = None) -> bytes:
    """Return the PDF, with the electronic invoice in it where there is to be one. `fonts`: a folder of further fonts,
    for scripts that typst's own do not have. Raises `PdfFailed`."""
    attached = electronic_invoice.is_wanted(document)
    xml = electronic_invoice.written(document) if attached else b""
    texts = page_text.texts(document, attached=attached)
    pdf = _compiled(document, texts, xml, fonts)
    return invoice_metadata.added(pdf) if attached else pdf


def _compiled(document: Document, texts: dict[str, Any], xml: bytes, fonts: Path | None) -> bytes:
    compiler, families = _compiler(fonts)
    inputs = {
        "year": str(document.issued.year),
        "month": str(document.issued.month),
        "day": str(document.issued.day),
        "fonts": families,
    }
    if xml:
        inputs["xml"] = xml.decode()
    noon = int(datetime.combine(document.issued, time(12), UTC).timestamp())
    missing: set[str] = set()
    while len(missing) <= _MOST_MISSING:
        inputs["texts"] = json.dumps(_boxed(texts, missing, document) if missing else texts, ensure_ascii=False)
        try:
            pdf = compiler.compile(format="pdf", sys_inputs=inputs, pdf_standards=[_STANDARD], timestamp=noon)
            assert isinstance(pdf, bytes)
            return pdf
        except typst.TypstError as error:
            more = _not_displayed(str(error)) - missing
        if not more:
            break
        missing |= more
    raise PdfFailed("The PDF of an invoice or receipt could not be written.")


def _not_displayed(message: str) -> set[str]:
    """The letters that typst names. It quotes them as Rust does: `"\\u{10ffff}"`."""
    quoted = _MISSING.findall(message)
    plain = (re.sub(r"\\u\{([0-9a-f]{1,6})\}", lambda match: chr(int(match[1], 16)), text[1:-1]) for text in quoted)
    return {char for text in plain for char in text if not char.isspace() and char != _BOX}


def _boxed(texts: Any, missing: set[str], document: Document) -> Any:
    """The texts with a box for each missing letter, and a note that says so."""

    def boxed(part: Any) -> Any:
        if isinstance(part, str):
            return "".join(_BOX if char in missing else char for char in part)
        if isinstance(part, list):
            return [boxed(element) for element in part]
        return {name: boxed(element) for name, element in part.items()} if isinstance(part, dict) else part

    changed = boxed(texts)
    return {**changed, "notes": [*changed["notes"], WORDS[document.language].letters]}


@lru_cache(maxsize=4)
def _compiler(fonts: Path | None) -> tuple[typst.Compiler, str]:
    folders = [fonts] if fonts else []
    own = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=folders) if fonts else None
    families = sorted({font.family for font in own.fonts()}) if own else []
    compiler = typst.Compiler(_TEMPLATE, root=_TEMPLATE.parent, ignore_system_fonts=True, font_paths=folders)
    return compiler, "|".join(families)
