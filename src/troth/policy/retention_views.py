"""How long each kind of thing is kept, in the console: counts, dates, nobody's details."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troth.core import backup_index
from troth.kit.roles import EVERYBODY, may
from troth.policy import retention


@may(EVERYBODY)
@require_GET
def kept(request: HttpRequest) -> HttpResponse:
    """The table, and the backups that are there."""
    context = {"kinds": retention.report(), "backups": backup_index.read(settings.TROTH_SITE)}
    return render(request, "policy/kept.html", context)
