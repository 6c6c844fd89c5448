"""Middleware before every page: host check, security headers, session expiry, second factor and roles."""

from collections.abc import Callable
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import logout
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect

from troth.kit.roles import View, roles_of
from troth.office.sign_in import sessions

Handler = Callable[[HttpRequest], HttpResponseBase]

_WITHOUT_FACTOR = frozenset({
    "welcome", "look", "account_login", "account_logout", "account_reauthenticate", "mfa_index", "mfa_activate_totp",
    "mfa_add_webauthn", "mfa_reauthenticate", "mfa_reauthenticate_webauthn", "mfa_authenticate", "mfa_login_webauthn",
})  # fmt: skip
"""Pages for an operator without a second factor: those to add one, and to sign out."""


def host_and_headers(get_response: Handler) -> Handler:
    """Refuse a foreign `Host` first (DNS rebinding), and set security headers."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        request.get_host()  # raises DisallowedHost, which Django answers with 400
        response = get_response(request)
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=(), payment=()"
        response.headers.setdefault("X-Frame-Options", "DENY")  # an email's preview is framed by our own pages
        response["X-Robots-Tag"] = "noindex"
        if not request.path.startswith(("/static/", "/api/")):
            response["Cache-Control"] = "no-store"  # a page may show a person
        return response

    return respond


def session_end(get_response: Handler) -> Handler:
    """End a session 12 hours after it began, however busy it was."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated and sessions.is_over(request):
            logout(request)
        return get_response(request)

    return respond


_OWN_ACCOUNT = frozenset({
    "account_login", "account_logout", "account_inactive", "account_change_password", "account_set_password",
    "account_reauthenticate", "mfa_index", "mfa_authenticate", "mfa_login_webauthn", "mfa_reauthenticate",
    "mfa_reauthenticate_webauthn", "mfa_activate_totp", "mfa_deactivate_totp", "mfa_list_webauthn", "mfa_add_webauthn",
    "mfa_remove_webauthn", "mfa_view_recovery_codes", "mfa_generate_recovery_codes", "mfa_download_recovery_codes",
    "welcome", "look",
})  # fmt: skip
"""Pages about the signed-in operator alone. Every other view declares its roles by `may`."""


class Roles:
    """Refuse operators whose role a view does not declare; a view without roles is refused to all (deny by default)."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: View, args: object, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Raise `PermissionDenied` (403) for another role."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if name in _OWN_ACCOUNT or not request.user.is_authenticated:
            return None
        if getattr(request.user, "role", None) in (roles_of(view) or ()):
            return None
        raise PermissionDenied


class SecondFactor:
    """Restrict an operator without a second factor to the pages that add one."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        """Redirect to Account security if a second factor is missing."""
        name = request.resolver_match.url_name if request.resolver_match else None
        if not request.user.is_authenticated or name in _WITHOUT_FACTOR or request.session.get(sessions.FROM_SHELL):
            return None
        if is_mfa_enabled(request.user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
            return None
        return redirect("mfa_index")
