"""Pages of the console that belong to no other package: Today, one-time links, colour scheme, errors."""

import sys

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.contact import queries as contact
from troth.kit.look import LOOKS, look_of, remember
from troth.kit.roles import EVERYBODY, may
from troth.office import operators
from troth.office import today as first_page
from troth.office.forms import PasswordForm
from troth.office.models import Welcome
from troth.office.sign_in import sessions
from troth.policy import status_rows
from troth.rights import held_exports


@may(EVERYBODY)
@require_GET
def today(request: HttpRequest) -> HttpResponse:
    """Show what needs attention and recent numbers. Opens no person."""
    context = {
        "today": first_page.today(),
        "promise_needs": status_rows.needs(),
        "open_messages": contact.counts()["waiting"],
        "oldest_open_message": contact.waiting_since(),
        "held_exports": len(held_exports.waiting()),
    }
    return render(request, "office/today.html", context)


@login_not_required
@sensitive_post_parameters()
@require_http_methods(["GET", "HEAD", "POST"])
def welcome(request: HttpRequest, token: str) -> HttpResponse:
    """Show a one-time link's page. A GET changes nothing; the button uses the link up."""
    link = operators.look_up(token)
    if link is None:
        return render(request, "office/link_over.html", status=410)
    if link.signs_in:
        return _sign_in(request, token) if request.method == "POST" else _ask(request, link, None)
    return _choose_password(request, link, token)


def _ask(request: HttpRequest, link: Welcome, form: PasswordForm | None) -> HttpResponse:
    status = 422 if form is not None and form.is_bound else 200
    return render(request, "office/welcome.html", {"operator": link.operator, "form": form}, status=status)


def _sign_in(request: HttpRequest, token: str) -> HttpResponse:
    spent = operators.use(token)
    if spent is None:
        return render(request, "office/link_over.html", status=410)
    return sessions.begin(request, spent.operator, from_shell=True)


def _choose_password(request: HttpRequest, link: Welcome, token: str) -> HttpResponse:
    factors = Authenticator.objects.filter(user_id=link.operator.pk)
    form = PasswordForm(link.operator, request.POST or None, has_factors=factors.exists())
    if request.method != "POST" or not form.is_valid():
        return _ask(request, link, form)
    if operators.use(token) is None:
        return render(request, "office/link_over.html", status=410)
    if form.cleaned_data.get("forget"):
        factors.delete()
    link.operator.set_password(form.cleaned_data["password"])
    link.operator.save(update_fields=["password"])  # ends the operator's other sessions
    return sessions.begin(request, link.operator, from_shell=False)


@login_not_required
@require_POST
def look(request: HttpRequest) -> HttpResponse:
    """Remember the colour scheme: light, dark or the system's."""
    back = request.POST.get("back", "/")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts=None) or not back.startswith("/"):
        back = "/"
    response = redirect(back)
    chosen = next((scheme for scheme in LOOKS if scheme == request.POST.get("look")), None)
    if chosen is None:
        return _error(request, 400)
    remember(response, chosen)
    return response


_FORGED = (
    "This form has expired",
    "Nothing was changed. You signed in or out after opening the page, or it was open for too long. Go back, "
    "reload the "
    "page and submit the form again.",
)
_ERRORS = {
    400: ("Invalid request", "The server could not read this request. Go back and try again."),
    403: (
        "You don’t have access to this page",
        "Your role does not allow it. An owner can change your role under Team.",
    ),
    404: ("Page not found", "The address is wrong, or the page no longer exists."),
    429: ("Too many attempts", "Wait a few minutes and try again."),
    500: (
        "Something went wrong",
        "This is a server error. Details are in the server log, without any personal data.",
    ),
    503: (
        "The database is not responding",
        "It is down or too busy. Nothing is lost: new submissions are stored and processed later. Try again in "
        "a moment; "
        "if it persists, run `troth doctor` on the server.",
    ),
}


def _error(request: HttpRequest, status: int) -> HttpResponse:
    title, advice = _ERRORS[status]
    return render(request, "office/error.html", {"status": status, "title": title, "advice": advice}, status=status)


@login_not_required
def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 400."""
    return _error(request, 400)


@login_not_required
def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 403."""
    return _error(request, 403)


@login_not_required
def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Return the page for 403 after a form without a valid CSRF token."""
    title, advice = _FORGED
    return render(request, "office/error.html", {"status": 403, "title": title, "advice": advice}, status=403)


@login_not_required
def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Return the page for 404."""
    return _error(request, 404)


@login_not_required
def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Return the page for 429, from allauth's rate limits."""
    return _error(request, 429)


@login_not_required
def broken(request: HttpRequest) -> HttpResponse:
    """Return the page for 500, or 503 if the database is down or locked. It uses neither database nor session."""
    status = 503 if isinstance(sys.exception(), OperationalError | InterfaceError) else 500
    if hasattr(request, "session"):
        request.session.modified = False  # or the middleware would try to save it, and wait once more
    title, advice = _ERRORS[status]
    common = {"site_name": settings.TROTH_CONFIG.site.name, "look": look_of(request)}
    page = render_to_string("office/error.html", {"status": status, "title": title, "advice": advice, **common})
    return HttpResponse(page, status=status, headers={"Retry-After": "10"} if status == 503 else {})
