"""Sending campaigns in the console: review, schedule, send, progress, and whom it did not reach.

Views hold HTTP only. Owners send; Support may pause, which is the quick way to stop a mistake. The one page that shows
people, and its export, open them through the keeper and say so at the foot (C2).
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from troth.core import clock
from troth.gate.models import Delivery
from troth.gate.sender_dns import stored
from troth.kit import numbers
from troth.kit.asking import Confirmation, asks_first
from troth.kit.paging import number_asked
from troth.kit.roles import DESK, OWNERS, actor, may
from troth.newsletter.campaigns import audience, queries, sending
from troth.newsletter.campaigns.actions import by_id, or_back
from troth.newsletter.campaigns.forms import ScheduleForm
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign

State = Campaign.State
_MOVING = (State.PREPARING, State.SENDING)
_UNDER_WAY = (State.PREPARING, State.SENDING, State.PAUSED)


def _owns(request: HttpRequest) -> bool:
    return getattr(request.user, "role", None) in OWNERS


def _people(count: int) -> str:
    return "1 subscriber" if count == 1 else f"{numbers.count(count)} subscribers"


# -- before it is sent ------------------------------------------------------------------------------------------------


@may(DESK)
@require_GET
def review(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show who gets a campaign and what stops it, with the ways to send it."""
    campaign = by_id(campaign_id)
    if campaign.state not in (State.DRAFT, State.SCHEDULED):
        return redirect("campaign", campaign_id=campaign_id)
    return show_review(request, campaign)


def show_review(
    request: HttpRequest, campaign: Campaign, form: ScheduleForm | None = None, *, status: int = 200
) -> HttpResponse:
    """Show the page of a draft or of a scheduled campaign."""
    problems = sending.problems(campaign)
    context = {
        "campaign": campaign,
        "count": audience.estimate(campaign),
        "of_unknown_language": audience.of_unknown_language(campaign),
        "problems": problems,
        "stops": any(not problem.acceptable for problem in problems),
        "acceptable": any(problem.acceptable for problem in problems),
        "form": form or ScheduleForm(initial=_proposed(campaign)),
        "zone": settings.TROTH_CONFIG.zone.key,
        "sender": settings.TROTH_CONFIG.mail.sender,
        "owns": _owns(request),
        "doubts": sending.sender_doubts(),
        "checks_dns": settings.TROTH_CONFIG.checks_dns,
        "dns_at": sending.sender_checked_at(),
    }
    return render(request, "newsletter/review.html", context, status=status)


@may(DESK)
@require_POST
def check_dns(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Have the sender's DNS records looked up again."""
    by_id(campaign_id)
    stored.ask(settings.TROTH_SITE)
    flash.success(request, "The DNS records are being checked. Reload this page in a few seconds.")
    return redirect("campaign_review", campaign_id=campaign_id)


def _proposed(campaign: Campaign) -> dict[str, str]:
    """Return the day and time that the form proposes: those it is scheduled for, or today's date."""
    if campaign.scheduled_time:
        day, _, time = campaign.scheduled_time.partition("T")
        return {"day": day, "time": time}
    return {"day": f"{clock.now().astimezone(settings.TROTH_CONFIG.zone):%Y-%m-%d}"}


def _accepts(request: HttpRequest) -> bool:
    return request.POST.get("accept") == "yes"


@may(OWNERS)
@require_POST
def schedule(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Schedule a campaign, or choose another time for it."""
    campaign = by_id(campaign_id)
    form = ScheduleForm(request.POST)
    if not form.is_valid():
        return show_review(request, campaign, form, status=422)
    try:
        due_at = sending.schedule(campaign_id, form.wall_time(), owner_accepts=_accepts(request))
    except CampaignRefused as refused:
        form.add_error(None, f"{refused} {refused.mend}".strip())
        return show_review(request, by_id(campaign_id), form, status=409)
    local = due_at.astimezone(settings.TROTH_CONFIG.zone)
    flash.success(request, f"Scheduled for {local:%-d %B %Y, %H:%M} ({settings.TROTH_CONFIG.zone.key}).")
    return redirect("campaign", campaign_id=campaign_id)


@may(OWNERS)
@require_POST
@or_back
def unschedule(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Make a scheduled campaign a draft again."""
    by_id(campaign_id)
    sending.unschedule(campaign_id)
    flash.success(request, "It is a draft again, and nothing will be sent.")
    return redirect("campaign", campaign_id=campaign_id)


def _ask_send(request: HttpRequest, campaign_id: UUID) -> Confirmation:
    campaign = by_id(campaign_id)
    count = audience.estimate(campaign)
    words = f"“{campaign.subject}” goes to {_people(count)}. It begins at once, and sent emails cannot be recalled."
    return Confirmation(
        f"Send to {_people(count)} now?",
        words,
        f"Send to {_people(count)}",
        reverse("campaign_review", args=[campaign_id]),
    )


@may(OWNERS)
@require_POST
@asks_first(_ask_send)
@or_back
def send(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Start a campaign now."""
    by_id(campaign_id)
    sending.send(campaign_id, owner_accepts=_accepts(request))
    return redirect("campaign", campaign_id=campaign_id)


# -- while and after it is sent ---------------------------------------------------------------------------------------


def show_progress(request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show how far a campaign is."""
    return render(request, "newsletter/progress.html", _how_far(request, campaign))


@may(DESK)
@require_GET
def progress(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Return how far a campaign is, a part of its page that is requested every two seconds."""
    campaign = by_id(campaign_id)
    answer = render(request, "newsletter/progress_numbers.html", _how_far(request, campaign))
    if campaign.state not in _MOVING:
        answer["HX-Refresh"] = "true"  # only a page that saw it move asks: there are other buttons now
    return answer


def _how_far(request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
    how_far = sending.progress(campaign.id)
    left = how_far.seconds_left
    return {
        "campaign": campaign,
        "progress": how_far,
        "rows": queries.state_counts(how_far),
        "under_way": campaign.state in _UNDER_WAY,
        "moves": campaign.state in _MOVING,
        "speed": f"{how_far.per_second:,.0f}" if how_far.per_second >= 10 else f"{how_far.per_second:.1f}",
        "left": numbers.span(left) if left is not None else "",
        "reasons": [
            (queries.LABELS[state][0], queries.in_words(reason), count)
            for state, reason, count in sending.reasons(campaign.id)
        ],
        "tag": queries.tag(campaign),
        "zone": settings.TROTH_CONFIG.zone.key,
        "owns": _owns(request),
        "statistics": queries.statistics_query(campaign),
        "archive": f"{settings.TROTH_CONFIG.site.url}/newsletter/archive",
    }


@may(DESK)
@require_POST
@or_back
def pause(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Pause at once. Nothing is asked: it is resumed as easily."""
    by_id(campaign_id)
    sending.pause(campaign_id)
    flash.success(request, "Paused. Emails that were just being sent are finished, and no other begins.")
    return redirect("campaign", campaign_id=campaign_id)


def _ask_resume(request: HttpRequest, campaign_id: UUID) -> Confirmation:
    by_id(campaign_id)
    waiting = sending.progress(campaign_id).waiting
    words = f"It goes on where it stopped. Still to be sent to: {_people(waiting)}."
    return Confirmation("Resume sending?", words, "Resume", reverse("campaign", args=[campaign_id]))


@may(OWNERS)
@require_POST
@asks_first(_ask_resume)
@or_back
def resume(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Go on with a paused campaign."""
    by_id(campaign_id)
    sending.resume(campaign_id)
    return redirect("campaign", campaign_id=campaign_id)


def _ask_cancel(request: HttpRequest, campaign_id: UUID) -> Confirmation:
    by_id(campaign_id)
    how_far = sending.progress(campaign_id)
    words = (
        f"Sent so far: to {_people(how_far.sent)}. Still waiting: {numbers.count(how_far.waiting)}, who will never "
        "get it. A cancelled campaign cannot be resumed."
    )
    return Confirmation(
        "Cancel this campaign for good?", words, "Stop it for good", reverse("campaign", args=[campaign_id])
    )


@may(OWNERS)
@require_POST
@asks_first(_ask_cancel)
@or_back
def cancel(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Stop a campaign for good."""
    by_id(campaign_id)
    sending.cancel(campaign_id)
    flash.success(request, "Cancelled. Nobody else gets it.")
    return redirect("campaign", campaign_id=campaign_id)


def _states(request: HttpRequest) -> set[str]:
    states = {state for state in queries.WITH_LIST if state in request.POST.getlist("state")}
    if not states:
        raise Http404
    return {str(state) for state in states}


def _ask_retry(request: HttpRequest, campaign_id: UUID) -> Confirmation:
    by_id(campaign_id)
    states, how_far = _states(request), sending.progress(campaign_id)
    count = sum(getattr(how_far, state) for state in states)
    twice = (
        " Some of them may get it twice: their emails may have arrived." if Delivery.State.UNCERTAIN in states else ""
    )
    words = f"It is sent once more to {_people(count)} ({' and '.join(sorted(states))}).{twice}"
    return Confirmation(f"Try {_people(count)} again?", words, "Try again", reverse("campaign", args=[campaign_id]))


@may(OWNERS)
@require_POST
@asks_first(_ask_retry)
@or_back
def retry(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Send again what failed or is uncertain."""
    by_id(campaign_id)
    count = sending.retry(campaign_id, _states(request))
    flash.success(request, f"Queued again: {_people(count)}.")
    return redirect("campaign", campaign_id=campaign_id)


# -- whom it did not reach --------------------------------------------------------------------------------------------


@may(DESK)
@require_GET
def recipients(request: HttpRequest, campaign_id: UUID, outcome: str) -> HttpResponse:
    """Show the recipients whose email failed or is uncertain, 50 to a page."""
    if outcome not in queries.WITH_LIST:
        raise Http404
    campaign, number = by_id(campaign_id), number_asked(request)
    page = queries.recipients(actor(request), campaign_id, outcome, number)
    if number > page.pages:
        raise Http404
    context = {"campaign": campaign, "state": outcome, "page": page, "query": "", "owns": _owns(request)}
    return render(request, "newsletter/recipients.html", context)


@may(OWNERS)
@require_POST
def export(request: HttpRequest, campaign_id: UUID, outcome: str) -> StreamingHttpResponse:
    """Stream these recipients as a CSV file. By POST: it opens people and is written to the access log."""
    if outcome not in queries.WITH_LIST:
        raise Http404
    by_id(campaign_id)
    parts = queries.export(actor(request), campaign_id, outcome)
    answer = StreamingHttpResponse(parts, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="recipients-{outcome}.csv"'
    answer["Cache-Control"] = "no-store"
    return answer
