"""Tokens of the API in the office: made, shown once, ended. Owners only."""

from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from troth.audience.api import tokens, views
from troth.audience.api.tokens import TokenError
from troth.audience.models import ApiToken
from troth.kit.asking import Question, asks_first
from troth.kit.roles import OWNERS, may


class NewToken(forms.Form):
    """A new token. It is shown next, once."""

    name = forms.CharField(
        max_length=tokens.LONGEST_NAME,
        label="What it is for",
        help_text="Such as “monthly spreadsheet”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@may(OWNERS)
@require_http_methods(["GET", "HEAD", "POST"])
def show(request: HttpRequest) -> HttpResponse:
    """All tokens, and a form for a new one."""
    form = NewToken(request.POST or None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, form)
    try:
        made = tokens.add(form.cleaned_data["name"])
    except TokenError as error:
        form.add_error("name", f"{error} {error.mend}")
        return _page(request, form)
    office = settings.TROTH_CONFIG.office.url.rstrip("/")
    example = f"curl -H 'Authorization: Bearer {made}' \\\n{office}/api/v1/statistics/totals"
    context = {"name": form.cleaned_data["name"], "token": made, "example": example}
    return render(request, "audience/token_made.html", context)


def _page(request: HttpRequest, form: NewToken) -> HttpResponse:
    context = {"form": form, "tokens": tokens.list_all(), "document": views.DOCUMENT}
    return render(request, "audience/tokens.html", context, status=422 if form.is_bound else 200)


def _ask_end(request: HttpRequest, token_id: UUID) -> Question | None:
    found = ApiToken.objects.filter(id=token_id).first()
    if found is None:
        return None
    words = "Whatever uses it gets no figures from then on. A token that has ended cannot be brought back."
    return Question(f"End the token {found.name}?", words, "End it", reverse("api_tokens"))


@may(OWNERS)
@require_POST
@asks_first(_ask_end)
def end(request: HttpRequest, token_id: UUID) -> HttpResponse:
    """End one: the next question with it is refused."""
    found = ApiToken.objects.filter(id=token_id).first()
    if found is not None:
        tokens.end(found.name)
        messages.success(request, f"Ended: {found.name}. It opens nothing any more.")
    return redirect("api_tokens")
