"""Start and expiry of sessions: when a session began and how, stored in the session, read by the middleware."""

from typing import Any

from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import login, logout
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from troth.core import clock
from troth.office.models import Operator

BEGAN = "began"
FROM_SHELL = "from_shell"


@receiver(user_logged_in)
def _note_beginning(sender: object, request: HttpRequest, user: Operator, **kwargs: Any) -> None:
    request.session[BEGAN] = int(clock.now().timestamp())
    request.session.pop(FROM_SHELL, None)


def is_over(request: HttpRequest) -> bool:
    """Return whether the session began longer ago than it lasts (`SESSION_COOKIE_AGE`), or at an unknown time."""
    age = clock.now().timestamp() - request.session.get(BEGAN, 0)
    return not -60 <= age < settings.SESSION_COOKIE_AGE


def begin(request: HttpRequest, operator: Operator, *, from_shell: bool) -> HttpResponse:
    """Sign `operator` in by a one-time link; return the redirect to their next page. A link replaces the password only:
    a second factor is asked for. `from_shell`: an operator without one need not add it in this session."""
    if is_mfa_enabled(operator, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]):
        logout(request)  # nobody stays signed in meanwhile, whoever it was
        record_authentication(request, operator, method="link")
        answer: HttpResponse = perform_login(request, Login(user=operator))
        return answer
    login(request, operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    record_authentication(request, operator, method="link", reauthenticated=True)
    if from_shell:
        request.session[FROM_SHELL] = True
    return redirect("today" if from_shell else "mfa_index")
