"""The house: every process, queue and item that waits for a hand. Opens nobody."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troth.gate import failure_reasons
from troth.gate.models import Delivery
from troth.kit.roles import EVERYBODY, may
from troth.office import system_status
from troth.vault.models import AsideItem

_MOST = 50


@may(EVERYBODY)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """All of it on one page."""
    stands = system_status.gather()
    labels = dict(Delivery.State.choices)
    context = {
        "stands": stands,
        "mails": [(labels[state], count) for state, count in stands.mails.items()],
        "why": failure_reasons.told(),
        "aside": AsideItem.objects.filter(filed_at=None).order_by("-created_at")[:_MOST],
        "aside_total": sum(stands.aside.values()),
    }
    return render(request, "office/house.html", context)
