"""How long the shop's rows are kept. May touch: the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.rooms import Retained
from troth.shop.models import CompanyEvent, Dispute, Movement, Order, RefundOrder, RefusedNotice
from troth.vault.legal_holds import INVOICE
from troth.vault.retained_rows import delete_some, oldest

BOOKS_KEPT = timedelta(days=366 * (INVOICE.years + 1))
UNPAID_KEPT = timedelta(days=90)
EVENTS_KEPT = timedelta(days=90)
"""Three times as long as the card company lists them."""
_MOST = 500
_PAID = Order.with_canaries.filter(paid_at__isnull=False)
_UNPAID = Order.with_canaries.filter(paid_at=None)
_SETTLED = CompanyEvent.objects.filter(settled_at__isnull=False)


def _remove(orders: Sequence[UUID]) -> int:
    """Remove these orders with all that hangs on them."""
    with transaction.atomic():
        for model in (Movement, Dispute, RefundOrder):
            model.with_canaries.filter(order__in=orders).delete()
        Order.with_canaries.filter(id__in=orders).delete()
    return len(orders)


def _sweep_paid(_config: Config) -> int:
    over = _PAID.filter(paid_at__lt=clock.now() - BOOKS_KEPT)
    return _remove(list(over.values_list("id", flat=True)[:_MOST]))


def _sweep_unpaid(_config: Config) -> int:
    over = _UNPAID.filter(created_at__lt=clock.now() - UNPAID_KEPT)
    return _remove(list(over.values_list("id", flat=True)[:_MOST]))


def _sweep_events(_config: Config) -> int:
    RefusedNotice.objects.filter(day__lt=(clock.now() - EVENTS_KEPT).date()).delete()
    return delete_some(_SETTLED.filter(known_at__lt=clock.now() - EVENTS_KEPT))


def _oldest_event() -> datetime | None:
    return oldest(_SETTLED.all(), "known_at")


KEPT = (
    Retained(
        name="orders",
        title="Orders, for the books",
        visitors="What you bought, without your details once you are deleted",
        period=lambda _config: BOOKS_KEPT,
        oldest=lambda: oldest(_PAID.all(), "paid_at"),
        sweep=_sweep_paid,
        why="As long as their invoices.",
        words=INVOICE.period,
    ),
    Retained(
        name="orders_unpaid",
        title="Orders that were never paid",
        visitors="A purchase that was never paid, without your details",
        anonymous=True,
        period=lambda _config: UNPAID_KEPT,
        oldest=lambda: oldest(_UNPAID.all(), "created_at"),
        sweep=_sweep_unpaid,
        why="While a delayed payment may still arrive.",
    ),
    Retained(
        name="card_company_events",
        title="IDs of the card company’s events",
        visitors="That the card company told us of a payment, by its ID",
        anonymous=True,
        period=lambda _config: EVENTS_KEPT,
        oldest=_oldest_event,
        sweep=_sweep_events,
        why="Longer than the card company lists them, so that none is taken for a new one.",
    ),
)
