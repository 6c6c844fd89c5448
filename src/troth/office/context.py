"""Template context of every page of the console."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from troth.kit.look import look_of
from troth.kit.roles import DESK, OWNERS
from troth.office import navigation


def console(request: HttpRequest) -> dict[str, Any]:
    """Return the site's name, the navigation, the role's rights and the colour scheme."""
    match = request.resolver_match
    role = getattr(getattr(request, "user", None), "role", None)
    return {
        "site_name": settings.TROTH_CONFIG.site.name,
        "nav": navigation.links_for(role),
        "sees_people": role in DESK,
        "sees_held": role in OWNERS,
        "here": match.url_name if match else "",
        "look": look_of(request),
    }
