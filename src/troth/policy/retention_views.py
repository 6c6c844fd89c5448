"""The Retention page: periods, dates and backups, without personal data."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from troth.core.site_files import backup_index
from troth.kit.roles import EVERYBODY, may
from troth.policy import retention


@may(EVERYBODY)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show the retention periods and the existing backups."""
    context = {"kinds": retention.report(), "backups": backup_index.read(settings.TROTH_SITE)}
    return render(request, "policy/retention.html", context)
