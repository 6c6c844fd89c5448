"""When a session began, and how it was opened: kept in the session, read by the middleware."""

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

from troth.ground import clock
from troth.office.models import Operator

BEGAN = "began"
FROM_SHELL = "from_shell"
LASTS_SECONDS = 12 * 60 * 60


@receiver(user_logged_in)
def _note_beginning(sender: object, request: HttpRequest, user: Operator, **kwargs: Any) -> None:
    request.session[BEGAN] = int(clock.now().timestamp())
    request.session.pop(FROM_SHELL, None)


def is_over(request: HttpRequest) -> bool:
    """Whether the session began more than 12 hours ago (or never said when)."""
    age = clock.now().timestamp() - request.session.get(BEGAN, 0)
    return not -60 <= age < LASTS_SECONDS


def begin(request: HttpRequest, operator: Operator, *, from_shell: bool) -> None:
    """Sign `operator` in by a one-time link. `from_shell`: the link itself stands for the second factor."""
    from allauth.account.internal.flows.login import record_authentication

    login(request, operator, backend="allauth.account.auth_backends.AuthenticationBackend")
    record_authentication(request, operator, method="link", reauthenticated=True)
    if from_shell:
        request.session[FROM_SHELL] = True
