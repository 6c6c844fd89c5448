"""Turn a document into the texts that its page shows, in its language, for `receipt.typ`. Touches nothing."""

import textwrap
from collections.abc import Sequence
from typing import Any

from troth.audience.queries import country_names
from troth.shop.receipts import amounts, buyer_details
from troth.shop.receipts.document import Document, Kind, Language, Line, Tax, Vendor
from troth.shop.receipts.words import LAENDER, WORDS, Words

_LONGEST_WORD = 40


def texts(document: Document, *, attached: bool) -> dict[str, Any]:
    """Return all texts of the page. `attached`: whether the electronic invoice is attached."""
    words = WORDS[document.language]
    buyer = document.buyer
    recipient = [*buyer_details.names(buyer), *buyer_details.address_lines(buyer)]
    abroad = buyer.country != document.vendor.country
    if recipient and buyer.country and abroad:
        recipient.append(country(buyer.country, document.language))
    return {
        "language": document.language,
        "heading": words.titles[document.kind],
        "document": f"{words.titles[document.kind]} {document.number}",
        "vendor": _vendor(document.vendor, document.language),
        "recipient": [_breakable(line) for line in recipient],
        "facts": _facts(document, words),
        "columns": [words.title, words.quantity, words.rate, words.net],
        "lines": [_line(line, document, words) for line in document.lines],
        "sums": _sums(document, words),
        "total": [words.total, amounts.shown(document.total, document.currency, document.language)],
        "notes": _notes(document, words, attached=attached),
        "foot": _foot(document.vendor, words),
        "page": words.page,
    }


def _vendor(vendor: Vendor, language: Language) -> list[str]:
    place = f"{vendor.postal_code} {vendor.city}".strip()
    return [vendor.name, vendor.street, place, country(vendor.country, language)]


def country(code: str, language: Language) -> str:
    """Return the country's name; in German those of Europe, the others in English, as the post takes them anywhere."""
    return (LAENDER.get(code) if language == "de" else None) or country_names.country(code)


def _breakable(line: str) -> str:
    """The line, with places where a word that is too long for the page may be broken."""
    return " ".join("\u200b".join(textwrap.wrap(word, _LONGEST_WORD)) for word in line.split())


def _facts(document: Document, words: Words) -> list[list[str]]:
    facts = [
        [words.number, document.number],
        [words.issued, amounts.day(document.issued, document.language)],
        [words.supplied, amounts.day(document.supplied, document.language)],
        [words.order, document.order],
    ]
    if document.kind is Kind.CREDIT_NOTE:
        del facts[2]
    if document.buyer.vat_number:
        facts.append([words.your_vat_number, document.buyer.vat_number])
    return facts


def _line(line: Line, document: Document, words: Words) -> dict[str, Any]:
    discount = amounts.shown(line.discount, document.currency, document.language)
    return {
        "title": _breakable(line.title),
        "note": words.discount.format(amount=discount) if line.discount else "",
        "cells": [
            str(line.quantity),
            amounts.rate(line.rate, document.language) if line.kind is Tax.RATED else "–",
            amounts.shown(line.net, document.currency, document.language),
        ],
    }


def _sums(document: Document, words: Words) -> list[list[str]]:
    def money(amount: int) -> str:
        return amounts.shown(amount, document.currency, document.language)

    rated = [
        [words.tax.format(rate=amounts.rate(tax.rate, document.language), net=money(tax.net)), money(tax.tax)]
        for tax in document.taxes
        if tax.kind is Tax.RATED
    ]
    return [[words.subtotal, money(document.net)], *rated]


def _notes(document: Document, words: Words, *, attached: bool) -> list[str]:
    kinds = [tax.kind for tax in document.taxes]
    notes = [words.refunded if document.kind is Kind.CREDIT_NOTE else words.paid]
    if document.corrects and document.corrects_issued:
        day = amounts.day(document.corrects_issued, document.language)
        notes.insert(0, words.corrects.format(number=document.corrects, day=day))
    notes += [words.tax_notes[kind] for kind in kinds if kind in words.tax_notes]
    if Tax.EXEMPT in kinds:
        notes.append(document.exemption)
    if attached:
        notes.append(words.attached)
    return notes


def _foot(vendor: Vendor, words: Words) -> Sequence[str]:
    numbers = [(words.vat_number, vendor.vat_number), (words.tax_number, vendor.tax_number)]
    return [vendor.email, *(f"{name} {number}" for name, number in numbers if number), *vendor.notes]
