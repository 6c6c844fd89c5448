"""Writing campaigns in the console: the list, the editor with its preview, tests, pictures, copies.

Views hold HTTP only. These pages show nobody's details. A GET changes nothing; everything works without a script.
"""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.csp import CSP
from django.views.decorators.csp import csp_override
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.core.errors import TrothError
from troth.kit.asking import Confirmation, asks_first
from troth.kit.paging import number_asked
from troth.kit.roles import DESK, OWNERS, actor, may
from troth.kit.uploads import takes_file
from troth.newsletter.campaigns import drafts, email_frame, queries, sending_views
from troth.newsletter.campaigns.actions import by_id, or_back
from troth.newsletter.campaigns.drafts import DraftConflict
from troth.newsletter.campaigns.forms import DraftForm
from troth.newsletter.campaigns.queries import Tab
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign, CampaignImage

State = Campaign.State
_NOT_SAVED = ("invalid", "conflict", "refused")
framing = csp_override({**settings.SECURE_CSP, "frame-src": [CSP.SELF]})
"""Marks a view whose page shows an email in a frame."""


@may(DESK)
@require_GET
def campaigns(request: HttpRequest) -> HttpResponse:
    """Show one tab of the list, 50 campaigns to a page. Without `tab`: the first that is not empty."""
    counts, number = queries.counts(), number_asked(request)
    tab = _tab(request, counts)
    page = queries.page(tab, number)
    if number > page.pages:
        raise Http404
    context = {
        "tab": tab,
        "tabs": [(name, counts[name]) for name in Tab],
        "page": page,
        "query": f"tab={tab}&",
        "zone": settings.TROTH_CONFIG.zone.key,
        "any": sum(counts.values()),
        "owns": getattr(request.user, "role", None) in OWNERS,
    }
    return render(request, "newsletter/campaigns.html", context)


def _tab(request: HttpRequest, counts: dict[Tab, int]) -> Tab:
    name = request.GET.get("tab", "")
    if not name:
        return next((tab for tab in (Tab.SENDING, Tab.DRAFTS, Tab.SCHEDULED, Tab.SENT) if counts[tab]), Tab.DRAFTS)
    try:
        return Tab(name)
    except ValueError as error:
        raise Http404 from error


@may(DESK)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Create an empty draft, and open it."""
    return redirect("campaign", campaign_id=drafts.create().id)


@may(DESK)
@require_GET
@framing
def show(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show a campaign: the editor of a draft, the date of a scheduled one, the progress of one that was started."""
    campaign = by_id(campaign_id)
    if campaign.state == State.DRAFT:
        return _editor(request, campaign, DraftForm(campaign=campaign))
    if campaign.state == State.SCHEDULED:
        return sending_views.show_review(request, campaign)
    return sending_views.show_progress(request, campaign)


# -- the editor -------------------------------------------------------------------------------------------------------


def _editor(request: HttpRequest, campaign: Campaign, form: DraftForm) -> HttpResponse:
    state, status = ("invalid", 422) if form.is_bound else ("shown", 200)
    return render(request, "newsletter/editor.html", {"form": form, **_beside(campaign, state, form)}, status=status)


def _beside(campaign: Campaign, state: str, form: DraftForm) -> dict[str, Any]:
    """Return what stands beside the text: when it was saved, its revision, hints and links.

    Where nothing was saved, the revision stays the one that the form had: the next attempt must not overwrite either.
    """
    zone = settings.TROTH_CONFIG.zone
    return {
        "campaign": campaign,
        "beside": state,
        "saved": "Not saved" if state in _NOT_SAVED else f"Saved {campaign.changed_at.astimezone(zone):%H:%M}",
        "revision": form["revision"].value() if state in _NOT_SAVED else campaign.revision,
        "errors": form.errors.get_json_data() if state == "invalid" else {},
        "preview": drafts.preview(campaign) if campaign.markdown.strip() else None,
        "zone": zone.key,
    }


@takes_file
@may(DESK)
@require_POST
@framing
def save(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Save a draft: as one types (by htmx, answered with what stands beside the text), or by a button.

    `then` says what the button does next: `review`, `test`, `image` (add the chosen picture to the text) or nothing.
    """
    campaign = by_id(campaign_id)
    form, by_htmx = DraftForm(request.POST, campaign=campaign), "HX-Request" in request.headers
    if not form.is_valid():
        return _saved(request, campaign, "invalid", form, status=422) if by_htmx else _editor(request, campaign, form)
    typed = form.typed()
    if request.POST.get("then") == "image" and (problem := _add_image(request, typed)):
        flash.error(request, problem)
    try:
        drafts.save(campaign_id, form.cleaned_data["revision"], **typed)
    except CampaignRefused as refused:
        return _refused(request, campaign, form, refused, by_htmx=by_htmx)
    return _saved(request, by_id(campaign_id), "saved", form) if by_htmx else _then(request, campaign_id)


def _refused(
    request: HttpRequest, campaign: Campaign, form: DraftForm, refused: CampaignRefused, *, by_htmx: bool
) -> HttpResponse:
    conflict = isinstance(refused, DraftConflict)
    if by_htmx:
        return _saved(request, campaign, "conflict" if conflict else "refused", form, status=409)
    return _conflict(request, campaign, form) if conflict else _lost(request, campaign, form, refused)


def _then(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Go on after a button saved the draft."""
    match request.POST.get("then"):
        case "review":
            return redirect("campaign_review", campaign_id=campaign_id)
        case "test":
            return _test(request, campaign_id)
    flash.success(request, "Saved.")
    return redirect("campaign", campaign_id=campaign_id)


def _saved(request: HttpRequest, campaign: Campaign, state: str, form: DraftForm, *, status: int = 200) -> HttpResponse:
    return render(request, "newsletter/beside.html", _beside(campaign, state, form), status=status)


def _conflict(request: HttpRequest, campaign: Campaign, form: DraftForm) -> HttpResponse:
    """Show both versions: the operator's own, which can be saved over the other one, and the saved one."""
    mine = DraftForm({**request.POST.dict(), "revision": campaign.revision}, campaign=campaign)
    mine.is_valid()
    labels = {name: field.label or name.capitalize() for name, field in form.fields.items()}
    saved = {name: getattr(campaign, name) for name in form.typed()}
    different = [
        (labels[name], form.cleaned_data[name], saved[name])
        for name in saved
        if name != "markdown" and form.cleaned_data[name] != saved[name]
    ]
    context = {"campaign": campaign, "form": mine, "different": different, "zone": settings.TROTH_CONFIG.zone.key}
    return render(request, "newsletter/conflict.html", context, status=409)


def _lost(request: HttpRequest, campaign: Campaign, form: DraftForm, refused: CampaignRefused) -> HttpResponse:
    """Show what was typed into a campaign that is no draft any more."""
    context = {"campaign": campaign, "typed": form.cleaned_data, "refused": refused}
    return render(request, "newsletter/no_draft.html", context, status=409)


# -- the preview: a document of its own, in a frame -------------------------------------------------------------------


@may(DESK)
@require_GET
@framing
def preview(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Show the email of a campaign that was sent, is scheduled or is a draft."""
    return render(request, "newsletter/preview.html", {"campaign": by_id(campaign_id)})


@may(DESK)
@require_GET
def email(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Return the email itself, as a document in which nothing runs and nothing is loaded but our own pictures.

    It is for frames only: htmx gets none, so that an email never becomes a part of a page.
    """
    if "HX-Request" in request.headers:
        raise Http404
    campaign = by_id(campaign_id)
    part, dark = request.GET.get("part", ""), request.GET.get("scheme") == "dark"
    page = email_frame.document(drafts.preview(campaign), part=part, dark=dark)
    return HttpResponse(page, headers=email_frame.HEADERS)


@may(DESK)
@require_GET
def image(request: HttpRequest, image_name: str) -> HttpResponse:
    """Return a picture, for previews."""
    picture = get_object_or_404(CampaignImage, name=image_name)
    return HttpResponse(bytes(picture.data), content_type=picture.media_type)


# -- pictures ---------------------------------------------------------------------------------------------------------


@takes_file
@may(DESK)
@require_POST
def add_image(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Store a picture; return the Markdown that shows it, as JSON."""
    by_id(campaign_id)
    typed = {"markdown": ""}
    problem = _add_image(request, typed)
    if problem:
        return JsonResponse({"problem": problem}, status=422)
    return JsonResponse({"markdown": typed["markdown"].strip()})


def _add_image(request: HttpRequest, typed: dict[str, Any]) -> str:
    """Add the uploaded picture to the end of the text; return what is wrong, if anything is."""
    file = request.FILES.get("image")
    if file is None:
        return "Choose a picture first."
    try:
        picture = drafts.add_image(file.read())
    except TrothError as error:
        return f"{error} {error.mend}".strip()
    typed["markdown"] = f"{typed['markdown'].rstrip()}\n\n![]({_address(picture)})\n".lstrip()
    return ""


def _address(picture: CampaignImage) -> str:
    return f"{settings.TROTH_CONFIG.site.url}/images/{picture.name}"


# -- tests, copies, and what becomes of a draft -----------------------------------------------------------------------


@may(DESK)
@require_POST
def test(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Send the operator a test."""
    by_id(campaign_id)
    return _test(request, campaign_id)


def _test(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    try:
        drafts.send_test(campaign_id, actor(request))
    except TrothError as refused:
        flash.error(request, f"The test was not sent. {refused} {refused.mend}".strip())
    else:
        flash.success(request, f"A test is on its way to {getattr(request.user, 'email', 'you')}.")
    return redirect("campaign", campaign_id=campaign_id)


@may(DESK)
@require_POST
@or_back
def duplicate(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Make a draft of the same words, and open it."""
    by_id(campaign_id)
    copy = drafts.duplicate(campaign_id)
    flash.success(request, "This is the copy. Nothing is sent until you review and send it.")
    return redirect("campaign", campaign_id=copy.id)


@may(DESK)
@require_POST
@or_back
def hide(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Hide a campaign from the list, or show it again."""
    by_id(campaign_id)
    if request.POST.get("hidden") == "no":
        drafts.show(campaign_id)
        flash.success(request, "The campaign is back in the list.")
        return redirect("campaign", campaign_id=campaign_id)
    drafts.hide(campaign_id)
    flash.success(request, "The campaign is hidden from the list. It is under Hidden.")
    return redirect("campaigns")


@may(OWNERS)
@require_POST
@or_back
def publish(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Remove a sent campaign from the website's archive, or add it."""
    by_id(campaign_id)
    public = request.POST.get("public") == "yes"
    drafts.publish(campaign_id, public=public)
    does = "shows it within ten seconds" if public else "stops showing it within ten seconds"
    flash.success(request, f"Your website’s archive {does}, and so does its RSS feed.")
    return redirect("campaign", campaign_id=campaign_id)


def _ask_delete(request: HttpRequest, campaign_id: UUID) -> Confirmation:
    campaign = by_id(campaign_id)
    words = "Its text is gone then. Pictures that other campaigns use stay."
    heading = f"Delete “{campaign.subject}”?" if campaign.subject else "Delete this draft?"
    return Confirmation(heading, words, "Delete draft", reverse("campaign", args=[campaign_id]))


@may(DESK)
@require_http_methods(["POST"])
@asks_first(_ask_delete)
@or_back
def delete(request: HttpRequest, campaign_id: UUID) -> HttpResponse:
    """Delete a draft."""
    by_id(campaign_id)
    drafts.delete(campaign_id)
    flash.success(request, "The draft is deleted.")
    return redirect("campaigns")
