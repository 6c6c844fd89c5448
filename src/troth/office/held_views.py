"""The page of what was held back. Owners only; whoever caused a mail never learns that it was (WALL 3: no oracle)."""

from collections.abc import Callable
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
    """What holds mails and exports, and what waits, the oldest first."""
    context = {"alarms": held.alarms(actor(request)), "rows": held.rows(actor(request))}
    return render(request, "office/held.html", context)


def _decision(act: Callable[[UUID], str], title: str, words: str, button: str) -> Callable[..., HttpResponse]:
    """Make the view that asks first, then calls `act` with the URL's id and shows what it returned."""

    def ask(request: HttpRequest, **ids: UUID) -> Question:
        return Question(title, words, button, reverse("held"))

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
    "All that was held for these words alone is sent. Once it has left it cannot be called back.",
    "Send all",
)
uphold = _decision(
    held.uphold,
    "A leak: send none?",
    "Nothing that was held for these words is ever sent, and nobody is told. This cannot be undone.",
    "Send none",
)
release = _decision(
    held.let_go,
    "Let it leave as it is?",
    "It was held because it may carry somebody else’s details. Once it has left it cannot be called back.",
    "Let it leave",
)
drop = _decision(
    held.drop, "Drop it for good?", "It never leaves, and nobody is told. This cannot be undone.", "Drop it"
)
