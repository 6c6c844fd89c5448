"""What the views about campaigns share: find a campaign, and what is said where something is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from troth.newsletter.campaigns import queries
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign


def by_id(campaign_id: UUID) -> Campaign:
    """Return a campaign with its topic. Raises `Http404`."""
    campaign = queries.campaign(campaign_id)
    if campaign is None:
        raise Http404
    return campaign


def or_back(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Wrap a view that acts on a campaign: where that is refused, lead back to the campaign and say why."""

    @wraps(view)
    def wrapper(request: HttpRequest, campaign_id: UUID, **named: Any) -> HttpResponse:
        try:
            return view(request, campaign_id, **named)
        except CampaignRefused as refused:
            flash.error(request, f"{refused} {refused.mend}".strip())
            return redirect("campaign", campaign_id=campaign_id)

    return wrapper
