"""Stores the theme (light, dark or system) in one cookie, read on the server: no page flashes, no script is needed."""

from typing import Literal, get_args

from django.http import HttpRequest, HttpResponseBase

Look = Literal["auto", "light", "dark"]
LOOKS: tuple[Look, ...] = get_args(Look)
_COOKIE = "look"
_YEAR = 31_536_000


def look_of(request: HttpRequest) -> Look:
    """Return the theme that this browser chose; `auto` for none, or for one that does not exist."""
    chosen = request.COOKIES.get(_COOKIE, "auto")
    return next((look for look in LOOKS if look == chosen), "auto")


def remember(response: HttpResponseBase, look: Look) -> None:
    """Store the choice in this browser for a year. It identifies nobody."""
    response.set_cookie(_COOKIE, look, max_age=_YEAR, httponly=True, samesite="Lax")
