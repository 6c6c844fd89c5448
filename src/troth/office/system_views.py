"""The System status page: processes, queues and failed items. Opens no person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troth.gate import outbox
from troth.gate.models import Delivery
from troth.kit.roles import EVERYBODY, may
from troth.office import system_status
from troth.vault.models import AsideItem

_MOST = 50
_REASONS = {
    AsideItem.Reason.DAMAGED: "Damaged on disk",
    AsideItem.Reason.NO_KEY: "Its decryption key is missing",
    AsideItem.Reason.UNOPENABLE: "Encrypted for another site, or altered",
    AsideItem.Reason.REFUSED: "Could not be processed",
}


@may(EVERYBODY)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the state of the whole system on one page."""
    status = system_status.gather()
    items = AsideItem.objects.filter(filed_at=None).order_by("-created_at")[:_MOST]
    context = {
        "status": status,
        "emails": [(Delivery.State(state).words.capitalize(), count) for state, count in status.mails.items()],
        "failures": outbox.failures(),
        "failed_items": [(item, _REASONS[AsideItem.Reason(item.reason)]) for item in items],
        "failed_total": sum(status.site.failed_items.values()),
    }
    return render(request, "office/system_status.html", context)
