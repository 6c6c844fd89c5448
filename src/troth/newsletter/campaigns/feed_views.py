"""Drafting a campaign from a feed: the operator brings it, as a file or as text, and chooses items. HTTP only.

Nothing is fetched from the feed's address. Between the two pages the feed is in the page itself.
"""

from collections.abc import Collection

from django.conf import settings
from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from troth.core.errors import TrothError
from troth.kit.roles import DESK, may
from troth.kit.uploads import takes_file
from troth.newsletter.campaigns import feed_drafts, feeds
from troth.newsletter.campaigns.feeds import Feed


@takes_file
@may(DESK)
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Ask for a feed; by POST, show its items."""
    if request.method != "POST":
        return _ask(request)
    file, pasted = request.FILES.get("file"), request.POST.get("pasted", "")
    try:
        feed = feeds.read(file.read() if file else pasted) if file or pasted.strip() else None
    except TrothError as error:
        return _ask(request, f"{error} {error.mend}".strip(), pasted)
    if feed is None:
        return _ask(request, "Choose a file, or paste the feed.")
    return _items(request, feed, feed_drafts.offer(feed).suggested())


def _ask(request: HttpRequest, problem: str = "", pasted: str = "") -> HttpResponse:
    context = {"problem": problem, "pasted": pasted}
    return render(request, "newsletter/feed.html", context, status=422 if problem else 200)


@takes_file
@may(DESK)
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Create a draft of the chosen items, and open it."""
    keys, summaries = request.POST.getlist("item"), request.POST.get("text") == "summaries"
    try:
        feed = feeds.unpacked(request.POST.get("feed", ""))
    except TrothError as error:
        return _ask(request, f"{error} {error.mend}".strip())
    try:
        draft = feed_drafts.draft(feed, keys, summaries=summaries)
    except TrothError as error:
        return _items(request, feed, keys, problem=f"{error} {error.mend}".strip(), summaries=summaries)
    flash.success(request, "This is the draft. Nothing is sent until you review and send it.")
    return redirect("campaign", campaign_id=draft.id)


def _items(
    request: HttpRequest, feed: Feed, chosen: Collection[str], *, problem: str = "", summaries: bool = False
) -> HttpResponse:
    packed, count = feeds.packed(feed)
    context = {
        "offered": feed_drafts.offer(feed),
        "items": feed.items[:count],
        "chosen": frozenset(chosen),
        "packed": packed,
        "left_out": len(feed.items) - count,
        "problem": problem,
        "summaries": summaries,
        "zone": settings.TROTH_CONFIG.zone.key,
    }
    return render(request, "newsletter/feed_items.html", context, status=422 if problem else 200)
