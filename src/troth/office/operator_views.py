"""Operators: who may enter, as what; their one-time links. Owners only."""

from collections.abc import Callable
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.kit.asking import Question, asks_first
from troth.kit.roles import OWNERS, Role, actor, may
from troth.office import operators
from troth.office.models import Operator
from troth.office.operators import OperatorError


class NewOperator(forms.Form):
    """A new operator. The link that is shown next is how they come in."""

    name = forms.CharField(max_length=100, help_text="How the office greets them.")
    email = forms.EmailField(label="E-mail address", max_length=254, help_text="What they sign in with.")
    role = forms.ChoiceField(
        choices=[(role.value, f"{role.label}: {role.meaning}") for role in Role],
        widget=forms.RadioSelect,
        initial=Role.CLERK.value,
    )


def _one(operator_id: UUID) -> Operator:
    operator = Operator.objects.filter(id=operator_id).first()
    if operator is None:
        raise Http404
    return operator


@may(OWNERS)
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """All operators."""
    context = {"operators": operators.list_all(), "roles": list(Role), "me": request.user.pk}
    return render(request, "office/operators.html", context)


@may(OWNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Add one, then show their link, once."""
    form = NewOperator(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return render(request, "office/operator_add.html", {"form": form}, status=422 if form.is_bound else 200)
    told = form.cleaned_data
    try:
        link = operators.add(told["name"], told["email"], Role(told["role"]))
    except OperatorError as error:
        form.add_error(None, f"{error} {error.mend}")
        return render(request, "office/operator_add.html", {"form": form}, status=422)
    return _show_link(request, told["name"], link)


def _show_link(request: HttpRequest, name: str, link: str) -> HttpResponse:
    context = {"name": name, "link": f"{settings.TROTH_CONFIG.office.url}{link}"}
    return render(request, "office/operator_link.html", context)


@may(OWNERS)
@require_POST
def link(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """A new one-time link for one who lost their password or their authenticator."""
    operator = _one(operator_id)
    return _show_link(request, operator.name, operators.new_link(operator.email))


@may(OWNERS)
@require_POST
def role(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """Another role."""
    asked = request.POST.get("role", "")
    if asked not in Role.values:
        raise Http404
    return _changed(request, lambda email: operators.set_role(email, Role(asked)), operator_id, "The role is changed.")


def _ask_remove(request: HttpRequest, operator_id: UUID) -> Question | None:
    if operator_id == actor(request):
        return None  # refused anyway
    operator = _one(operator_id)
    words = (
        "They are signed out at once and cannot sign in again. What they did stays in the ledger. To have them back "
    )
    words += "you would add them anew."
    return Question(f"Remove {operator.name}?", words, "Remove", reverse("operators"))


@may(OWNERS)
@require_POST
@asks_first(_ask_remove)
def remove(request: HttpRequest, operator_id: UUID) -> HttpResponse:
    """Remove one; not oneself, who would be left before a shut door."""
    if operator_id == actor(request):
        messages.error(request, "You cannot remove yourself. Ask another owner.")
        return redirect("operators")
    return _changed(request, operators.remove, operator_id, "Removed. Their sessions have ended.")


def _changed(request: HttpRequest, change: Callable[[str], None], operator_id: UUID, done: str) -> HttpResponse:
    try:
        change(_one(operator_id).email)
    except OperatorError as error:
        messages.error(request, f"{error} {error.mend}")
    else:
        messages.success(request, done)
    return redirect("operators")
