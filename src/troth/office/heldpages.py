"""The page of what was held back. Owners only; whoever caused a mail never learns that it was (WALL 3: no oracle)."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from troth.kit.asking import Question, asks_first
from troth.kit.roles import OWNERS, actor, may
from troth.office import held

_OVER = "This is not held any more."


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """What waits, the oldest first."""
    return render(request, "office/held.html", {"rows": held.rows(actor(request))})


def _ask_release(request: HttpRequest, held_id: UUID) -> Question:
    words = "It was held because it may carry somebody else’s details. Once it has left it cannot be called back."
    return Question("Let it leave as it is?", words, "Let it leave", reverse("held"))


def _ask_drop(request: HttpRequest, held_id: UUID) -> Question:
    words = "It never leaves, and nobody is told. This cannot be undone."
    return Question("Drop it for good?", words, "Drop it", reverse("held"))


@may(OWNERS)
@require_POST
@asks_first(_ask_release)
def release(request: HttpRequest, held_id: UUID) -> HttpResponse:
    """Let one leave as it is."""
    messages.info(request, held.let_go(held_id) or _OVER)
    return redirect("held")


@may(OWNERS)
@require_POST
@asks_first(_ask_drop)
def drop(request: HttpRequest, held_id: UUID) -> HttpResponse:
    """See that one never leaves."""
    messages.info(request, held.drop(held_id) or _OVER)
    return redirect("held")
