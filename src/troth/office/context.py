"""What every page of the console knows."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from troth.kit.look import look_of
from troth.kit.nav import NAV


def console(request: HttpRequest) -> dict[str, Any]:
    """The site's name, the navigation, and light or dark."""
    match = request.resolver_match
    return {
        "site_name": settings.TROTH_CONFIG.site.name,
        "nav": NAV,
        "here": match.url_name if match else "",
        "look": look_of(request),
    }
