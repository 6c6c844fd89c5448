"""The Team page: operators, their roles and one-time links. Owners only."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.kit.asking import Confirmation, asks_first
from troth.kit.roles import OWNERS, Role, actor, may
from troth.office import operators
from troth.office.models import Operator
from troth.office.operators import OperatorError


class NewOperator(forms.Form):
    """A new operator. The next page shows their one-time link."""

    name = forms.CharField(max_length=100, help_text="Shown to the team and in logs.")
    email = forms.EmailField(label="Email address", max_length=254, help_text="Used to sign in.")
    role = forms.ChoiceField(
        choices=[(role.value, f"{role.display_name}: {role.meaning}") for role in Role],
        widget=forms.RadioSelect,
        initial=Role.CLERK.value,
    )


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """Show all operators."""
    context = {"operators": operators.list_all(), "roles": list(Role), "own_id": request.user.pk}
    return render(request, "office/team.html", context)


@may(OWNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Add an operator, then show their link once."""
    form = NewOperator(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "office/team_add.html", {"form": form}, status=422 if form.is_bound else 200)
    values = form.cleaned_data
    try:
        link = operators.add(values["name"], values["email"], Role(values["role"]))
    except OperatorError as error:
        form.add_error(None, f"{error} {error.mend}")
        return render(request, "office/team_add.html", {"form": form}, status=422)
    return _show_link(request, values["name"], link)


def _show_link(request: HttpRequest, name: str, link: str) -> HttpResponse:
    context = {"name": name, "link": f"{settings.TROTH_CONFIG.office.url}{link}"}
    return render(request, "office/team_link.html", context)


@may(OWNERS)
@require_POST
def link(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """Show a new one-time link, for an operator who lost their password or authenticator."""
    operator = get_object_or_404(Operator, id=operator_id)
    return _show_link(request, operator.name, operators.new_link(operator.email))


@may(OWNERS)
@require_POST
def role(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """Change an operator's role."""
    chosen = request.POST.get("role", "")
    if chosen not in Role.values:
        raise Http404
    return _changed(request, lambda email: operators.set_role(email, Role(chosen)), operator_id, "Role changed.")


def _ask_remove(request: HttpRequest, operator_id: UUID) -> Confirmation | None:
    if operator_id == actor(request):
        return None  # refused anyway
    operator = get_object_or_404(Operator, id=operator_id)
    words = (
        "They are signed out immediately and can no longer sign in. Their entries stay in the access log. To give them "
        "access again, add them as a new team member."
    )
    return Confirmation(f"Remove {operator.name}?", words, "Remove", reverse("team"))


@may(OWNERS)
@require_POST
@asks_first(_ask_remove)
def remove(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """Remove an operator, except oneself."""
    if operator_id == actor(request):
        messages.error(request, "You cannot remove yourself. Ask another owner.")
        return redirect("team")
    return _changed(request, operators.remove, operator_id, "Team member removed and signed out.")


def _changed(request: HttpRequest, change: Callable[[str], None], operator_id: UUID, message: str) -> HttpResponse:
    try:
        change(get_object_or_404(Operator, id=operator_id).email)
    except OperatorError as error:
        messages.error(request, f"{error} {error.mend}")
    else:
        messages.success(request, message)
    return redirect("team")
