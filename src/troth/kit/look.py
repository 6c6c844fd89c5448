"""Light, dark, or as the system says: one cookie, read on the server, so no page flashes and no script is needed."""

from typing import Literal, get_args

from django.http import HttpRequest, HttpResponseBase

Look = Literal["auto", "light", "dark"]
LOOKS: tuple[Look, ...] = get_args(Look)
_COOKIE = "look"
_YEAR = 31_536_000


def look_of(request: HttpRequest) -> Look:
    """The look that this browser chose; `auto` if none, or one that does not exist."""
    chosen = request.COOKIES.get(_COOKIE, "auto")
    return next((look for look in LOOKS if look == chosen), "auto")


def remember(response: HttpResponseBase, look: Look) -> None:
    """Keep the choice in this browser for a year. It says nothing about who uses it."""
    response.set_cookie(_COOKIE, look, max_age=_YEAR, httponly=True, samesite="Lax")
