"""Handles the console's page of API tokens: create, show once, revoke. Owners only."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from troth.audience.api import tokens, views
from troth.audience.api.tokens import Scope, TokenError
from troth.audience.models import ApiToken
from troth.kit.asking import Confirmation, asks_first
from troth.kit.roles import OWNERS, may

_EXAMPLES = {
    Scope.STATISTICS: "{}/api/v1/statistics/totals",
    Scope.MAIL: "-H 'Content-Type: application/json' -H 'Idempotency-Key: order-4711' \\\n"
    '-d \'{{"template": "receipt", "to": "ada@example.com", "data": {{}}}}\' \\\n{}/api/mail',
}


class NewToken(forms.Form):
    """The form for a new token, which is shown once."""

    name = forms.CharField(
        max_length=tokens.LONGEST_NAME,
        label="Name",
        help_text="What uses it, such as “monthly spreadsheet”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        choices=[(scope.value, scope.label) for scope in Scope],
        initial=Scope.STATISTICS.value,
        required=False,
        label="It may",
    )

    def clean_scope(self) -> Scope:
        """Return the scope; to read the statistics if none was chosen."""
        return Scope(self.cleaned_data["scope"] or Scope.STATISTICS)


@may(OWNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """Show all tokens and the form for a new one; create it on POST."""
    form = NewToken(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    try:
        token = tokens.add(form.cleaned_data["name"], scope=form.cleaned_data["scope"])
    except TokenError as error:
        form.add_error("name", f"{error} {error.mend}")
        return _page(request, form)
    office = settings.TROTH_CONFIG.office.url.rstrip("/")
    example = f"curl -H 'Authorization: Bearer {token}' \\\n{_EXAMPLES[form.cleaned_data['scope']].format(office)}"
    context = {"name": form.cleaned_data["name"], "token": token, "example": example}
    context["does"] = form.cleaned_data["scope"].label.lower()
    return render(request, "audience/token_made.html", context)


def _page(request: HttpRequest, form: NewToken) -> HttpResponse:
    context = {"form": form, "tokens": tokens.list_all(), "document": views.DOCUMENT}
    return render(request, "audience/tokens.html", context, status=422 if form.is_bound else 200)


def _ask_end(request: HttpRequest, token_id: UUID) -> Confirmation | None:
    token = ApiToken.objects.filter(id=token_id).first()
    if token is None:
        return None
    words = "Programs that use it lose access at once. A revoked token cannot be restored."
    return Confirmation(f"Revoke the token {token.name}?", words, "Revoke", reverse("api_tokens"))


@may(OWNERS)
@require_POST
@asks_first(_ask_end)
def end(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """Revoke a token: the next request with it is refused."""
    token = ApiToken.objects.filter(id=token_id).first()
    if token is not None:
        tokens.end(token.name)
        messages.success(request, f"Revoked: {token.name}. It no longer gives access.")
    return redirect("api_tokens")
