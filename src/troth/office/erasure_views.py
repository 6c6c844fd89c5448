"""The page of past erasures: when, by whose wish, what went, what a law kept, and whether the receipt is good.

Owners only. Opens nobody: a row of an erasure that is done names nobody, and leads to nobody any more.
"""

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
from troth.front import published
from troth.kit.paging import Page, number_asked
from troth.kit.roles import OWNERS, may
from troth.office import actor_names
from troth.policy.retention import RECEIPTS_KEPT
from troth.vault.models import Erasure

_SIZE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One erasure."""

    id: UUID
    asked_at: datetime
    who: str
    """By whose wish."""
    done_at: datetime | None
    went: tuple[tuple[str, int], ...] = ()
    kept: tuple[str, ...] = ()
    """What a law kept, in words."""
    fault: str = ""
    """What is wrong with the receipt; empty where its signature is good and this site's."""


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The newest first, 50 to a page."""
    number = number_asked(request)
    rows = Erasure.objects.order_by("-asked_at", "-id")[(number - 1) * _SIZE : number * _SIZE]
    keys, name_of = _keys(), actor_names.names()
    page = Page([_line(row, name_of(row.asked_by), keys) for row in rows], number, _SIZE, Erasure.objects.count())
    if number > page.pages:
        raise Http404
    return render(request, "office/erasures.html", {"page": page, "years": round(RECEIPTS_KEPT.days / 365)})


def _keys() -> Mapping[int, bytes] | None:
    """The site's public keys, as the front has them; None where nothing is published that can be read."""
    try:
        told = published.load(settings.TROTH_SITE.public)
    except published.PublishedError:
        return None
    return told.link_keys if told else None


def _line(row: Erasure, who: str, keys: Mapping[int, bytes] | None) -> Line:
    if row.done_at is None:
        return Line(row.id, row.asked_at, who, None)
    told, fault = _read(row.receipt, keys)
    went = tuple((str(what), int(count)) for what, count in told.get("went", {}).items())
    return Line(row.id, row.asked_at, who, row.done_at, went, tuple(told.get("kept_by_law", ())), fault)


def _read(receipt: str, keys: Mapping[int, bytes] | None) -> tuple[Mapping[str, Any], str]:
    """What a receipt says, and what is wrong with it. One that was altered says nothing."""
    try:
        return receipts.read(receipt.encode(), keys).told, ""
    except receipts.ReceiptRefused as refused:
        return {}, str(refused)
