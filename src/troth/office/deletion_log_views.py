"""The deletion log: when, on whose request, what was deleted, what the law keeps, and whether the receipt is valid.
Owners only; opens no person: the row of a finished deletion leads to nobody."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troth.core import receipts
from troth.core.text.durations import span
from troth.front import published
from troth.kit.paging import Page, number_asked
from troth.kit.roles import OWNERS, may
from troth.office import actor_names
from troth.policy.retention import RECEIPTS_KEPT
from troth.vault.models import Erasure

_SIZE = 50


@dataclass(frozen=True, slots=True)
class DeletionRow:
    """One deletion."""

    id: UUID
    asked_at: datetime
    asked_by: str
    done_at: datetime | None
    deleted: tuple[tuple[str, int], ...] = ()
    """Counts by category."""
    kept_by_law: tuple[str, ...] = ()
    fault: str = ""
    """What is wrong with the receipt; empty if its signature is valid and this site's."""


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the newest first, 50 to a page."""
    number = number_asked(request)
    rows = Erasure.objects.order_by("-asked_at", "-id")[(number - 1) * _SIZE : number * _SIZE]
    keys, name_of = _keys(), actor_names.names()
    page = Page([_line(row, name_of(row.asked_by), keys) for row in rows], number, _SIZE, Erasure.objects.count())
    if number > page.pages:
        raise Http404
    return render(
        request,
        "office/deletion_log.html",
        {"page": page, "kept_for": span(RECEIPTS_KEPT), "rights_url": f"{settings.TROTH_CONFIG.site.url}/privacy/me"},
    )


def _keys() -> Mapping[int, bytes] | None:
    """Return the site's public keys, as the front has them; None if nothing readable is published."""
    try:
        site = published.load(settings.TROTH_SITE.public)
    except published.PublishedError:
        return None
    return site.link_keys if site else None


def _line(row: Erasure, asked_by: str, keys: Mapping[int, bytes] | None) -> DeletionRow:
    if row.done_at is None:
        return DeletionRow(row.id, row.asked_at, asked_by, None)
    receipt, fault = _read(row.receipt, keys)
    deleted = tuple((str(category), int(count)) for category, count in receipt.get("went", {}).items())
    kept_by_law = tuple(receipt.get("kept_by_law", ()))
    return DeletionRow(row.id, row.asked_at, asked_by, row.done_at, deleted, kept_by_law, fault)


def _read(receipt: str, keys: Mapping[int, bytes] | None) -> tuple[Mapping[str, Any], str]:
    """Return a receipt's content and what is wrong with it. An altered receipt has no content."""
    try:
        return receipts.read(receipt.encode(), keys).told, ""
    except receipts.ReceiptRefused as refused:
        return {}, str(refused)
