"""The page of what was held back. Owners only; whoever caused a mail never learns that it was (WALL 3: no oracle)."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from troth.kit.roles import OWNERS, actor, may
from troth.office import held

_OVER = "This is not held any more."


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """What holds mails and exports, and what waits, the oldest first."""
    context = {"alarms": held.alarms(actor(request)), "rows": held.rows(actor(request))}
    return render(request, "office/held.html", context)


@may(OWNERS)
@require_POST
def spare(request: HttpRequest, cause_id: UUID) -> HttpResponse:
    """Say that some words are nobody's detail, for all that they hold."""
    messages.info(request, held.spare(cause_id) or _OVER)
    return redirect("held")


@may(OWNERS)
@require_POST
def uphold(request: HttpRequest, cause_id: UUID) -> HttpResponse:
    """Say that they are somebody's, for all that they hold."""
    messages.info(request, held.uphold(cause_id) or _OVER)
    return redirect("held")


@may(OWNERS)
@require_POST
def release(request: HttpRequest, held_id: UUID) -> HttpResponse:
    """Let one leave as it is."""
    messages.info(request, held.let_go(held_id) or _OVER)
    return redirect("held")


@may(OWNERS)
@require_POST
def drop(request: HttpRequest, held_id: UUID) -> HttpResponse:
    """See that one never leaves."""
    messages.info(request, held.drop(held_id) or _OVER)
    return redirect("held")
