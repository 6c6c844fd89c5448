"""Templates of transactional emails in the console. Owners only: what is written here is sent without a review. Shows
nobody's details."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.core.errors import TrothError
from troth.kit.asking import Confirmation, asks_first
from troth.kit.roles import OWNERS, may
from troth.newsletter.campaigns import email_frame
from troth.newsletter.campaigns.drafts import preview_of
from troth.newsletter.campaigns.views import framing
from troth.newsletter.models import MailTemplate
from troth.newsletter.transactional import templates
from troth.newsletter.transactional.forms import TemplateForm


@may(OWNERS)
@require_GET
def show_all(request: HttpRequest) -> HttpResponse:
    """Show the templates."""
    return render(request, "newsletter/mail_templates.html", {"templates": MailTemplate.objects.all()})


@may(OWNERS)
@require_http_methods(["GET", "POST"])
def create(request: HttpRequest) -> HttpResponse:
    """Show the form of a new template; create it on POST."""
    return _form(request, None)


@may(OWNERS)
@require_http_methods(["GET", "POST"])
@framing
def change(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Show a template with its preview; change it on POST."""
    return _form(request, get_object_or_404(MailTemplate, id=template_id))


def _form(request: HttpRequest, template: MailTemplate | None) -> HttpResponse:
    form, status = TemplateForm(request.POST or None, template=template), 200
    if request.method == "POST":
        status = 422
        if form.is_valid():
            try:
                saved = templates.save(form.words(), template.id if template else None)
            except TrothError as refused:
                form.add_error(None, f"{refused} {refused.mend}".strip())
            else:
                flash.success(request, "Saved. Emails have these words from now on.")
                return redirect("mail_template", template_id=saved.id)
    context: dict[str, Any] = {"form": form, "template": template, "url": settings.TROTH_CONFIG.office.url.rstrip("/")}
    if template is not None:
        content = templates.content_of(template, settings.TROTH_CONFIG)
        context["data"] = content.data_fields
    return render(request, "newsletter/mail_template.html", context, status=status)


@may(OWNERS)
@require_GET
def email(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Return the email with sample details, as a document for a frame (`email_frame`)."""
    template = get_object_or_404(MailTemplate, id=template_id)
    preview = preview_of(lambda: templates.content_of(template, settings.TROTH_CONFIG), templates.sample)
    page = email_frame.document(preview, part=request.GET.get("part", ""))
    return HttpResponse(page, headers=email_frame.HEADERS)


def _ask_delete(request: HttpRequest, template_id: UUID) -> Confirmation:
    template = get_object_or_404(MailTemplate, id=template_id)
    words = "Programs that ask for it get an error, and its emails that are still queued are not sent."
    back = reverse("mail_template", args=[template_id])
    return Confirmation(f"Delete the template {template.name}?", words, "Delete template", back)


@may(OWNERS)
@require_POST
@asks_first(_ask_delete)
def delete(request: HttpRequest, template_id: UUID) -> HttpResponse:
    """Delete a template."""
    templates.delete(template_id)
    flash.success(request, "The template is deleted.")
    return redirect("mail_templates")
