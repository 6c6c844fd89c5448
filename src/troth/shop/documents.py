"""Invoices and credit notes: their numbers, without gaps, and what a law requires to be kept of each.

A number is taken in the transaction that makes the document: what is rolled back takes none. May touch: the database,
the vault."""

from uuid import UUID

from django.conf import settings

from troth.core import clock, money
from troth.core.personal import MessageText
from troth.shop.models import DocumentNumber, Movement, Order
from troth.vault.keeper import keeper
from troth.vault.legal_holds import INVOICE, today
from troth.vault.records import Details, Invoice


def file(order: Order, movement: Movement, named: Details, vat_number: str) -> UUID:
    """Number a payment's invoice or a refund's credit note, and file it under a legal hold; return the record's id."""
    movement.document = _next_number()
    content = Invoice(
        number=movement.document,
        at_ms=clock.timestamp_ms(),
        named=named,
        text=MessageText(_text(order, movement, vat_number)),
    )
    assert order.person_id is not None
    return keeper().holds.file(order.person_id, INVOICE, content, on=today())


def _next_number() -> str:
    day = today()
    DocumentNumber.objects.get_or_create(year=day.year)
    row = DocumentNumber.objects.select_for_update().get(year=day.year)
    row.last += 1
    row.save(update_fields=["last"])
    return f"{settings.TROTH_CONFIG.shop.document_prefix}{day.year}-{row.last:05d}"


def _text(order: Order, movement: Movement, vat_number: str) -> str:
    currency = order.currency
    is_refund = movement.amount < 0
    lines = [
        f"{'Credit note' if is_refund else 'Invoice'} for order {order.number}",
        order.price.edition.title,
        f"Total: {money.shown(movement.amount, currency)}",
    ]
    if order.discount and not is_refund:
        lines.append(f"Discount: {money.shown(order.discount, currency)}")
    if movement.tax:
        lines.append(f"Tax in it, {order.tax_rate / 100:g} %: {money.shown(movement.tax, currency)}")
    if vat_number:
        lines.append(f"Buyer's VAT number: {vat_number}")
    return "\n".join(lines)
