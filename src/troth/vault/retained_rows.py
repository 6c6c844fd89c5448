"""Rows with a retention period: finds the oldest, and deletes expired ones."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet

_MOST = 1000


def oldest(rows: QuerySet[Any], field: str) -> datetime | None:
    """Return the least value of `field`. By way of the order: an index says it with its first entry."""
    first: datetime | None = rows.order_by(field).values_list(field, flat=True).first()
    return first


def delete_some(rows: QuerySet[Any]) -> int:
    """Delete up to 1,000 of these rows, so that no timer holds the worker up; returns how many."""
    ids = list(rows.values_list("pk", flat=True)[:_MOST])
    rows.model._base_manager.filter(pk__in=ids).delete()
    return len(ids)
