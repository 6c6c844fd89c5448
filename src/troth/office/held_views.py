"""The page of held emails and exports. Owners only; senders never learn that something was held (WALL 3: no oracle)."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from troth.kit.asking import Confirmation, asks_first
from troth.kit.roles import OWNERS, actor, may
from troth.office import held

_OVER = "This is no longer held."


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show what holds emails and exports, and what is held, oldest first."""
    context = {"alarms": held.alarms(actor(request)), "rows": held.rows(actor(request))}
    return render(request, "office/held.html", context)


def _decision(act: Callable[[UUID], str], title: str, words: str, button: str) -> Callable[..., HttpResponse]:
    """Return a view that asks for confirmation, calls `act` with the URL's id and shows the result."""

    def ask(request: HttpRequest, **ids: UUID) -> Confirmation:
        return Confirmation(title, words, button, reverse("held"))

    @may(OWNERS)
    @require_POST
    @asks_first(ask)
    def decide(request: HttpRequest, **ids: UUID) -> HttpResponse:
        messages.info(request, act(*ids.values()) or _OVER)
        return redirect("held")

    return decide


spare = _decision(
    held.spare,
    "Not a leak: send all?",
    "Everything held for these words alone is sent. Sent emails cannot be recalled.",
    "Send all",
)
uphold = _decision(
    held.uphold,
    "A leak: send none?",
    "Nothing held for these words will ever be sent, and nobody is notified. This cannot be undone.",
    "Send none",
)
release = _decision(
    held.let_go,
    "Release it unchanged?",
    "It was held because it may contain somebody else’s details, could not be checked, or may already have been sent. "
    "Once sent, it cannot be recalled.",
    "Release",
)
drop = _decision(
    held.drop, "Discard it?", "It will never be sent, and nobody is notified. This cannot be undone.", "Discard"
)
