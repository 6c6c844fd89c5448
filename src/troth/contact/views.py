"""The inbox in the console: HTTP only; what it shows comes from `contact.queries`. Every page that shows a person
states that viewing it was logged (C2). What people wrote is shown as text. All of it works without a script."""

from uuid import UUID

from django.contrib import messages as flash
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.contact import queries, replies
from troth.contact.forms import AnswerForm, CannedForm, LabelForm, SoughtForm
from troth.contact.models import Canned, Label, Thread
from troth.core.personal import MessageText
from troth.kit.asking import Confirmation, asks_first
from troth.kit.paging import number_asked
from troth.kit.roles import DESK, actor, may

State = Thread.State


def _state(request: HttpRequest) -> State | None:
    """Return the chosen tab's state; open conversations by default, None for all."""
    name = request.GET.get("state", "")
    if name == "all" or (not name and "label" in request.GET):
        return None
    try:
        return State(name or State.WAITING)
    except ValueError as error:
        raise Http404 from error


def _label(request: HttpRequest) -> Label | None:
    label_id = request.GET.get("label")
    try:
        return get_object_or_404(Label, id=UUID(label_id)) if label_id else None
    except ValueError as error:
        raise Http404 from error


# -- the list -------------------------------------------------------------------------------------------------------


@may(DESK)
@require_GET
def messages(request: HttpRequest) -> HttpResponse:
    """Show the conversations, newest first, 50 to a page."""
    state, label, number = _state(request), _label(request), number_asked(request)
    page = queries.page(actor(request), state=state, label=label, number=number)
    if number > page.pages:
        raise Http404
    return _messages(request, page, state=state, label=label)


def _messages(
    request: HttpRequest,
    page: queries.ThreadsPage | None,
    *,
    state: State | None = None,
    label: Label | None = None,
    problem: str = "",
    searched: bool = False,
    status: int = 200,
) -> HttpResponse:
    counts = queries.counts()
    context = {
        "page": page,
        "tabs": [(tab.value, tab.words, counts[tab.value], tab == state) for tab in State],
        "total": sum(counts.values()),
        "all": state is None and not label and not searched,
        "label": label,
        "labels": Label.objects.all(),
        "query": f"state={state or 'all'}&{f'label={label.id}&' if label else ''}",
        "form_url": queries.form_url(),
        "searched": searched,
        "problem": problem,
    }
    return render(request, "contact/messages.html", context, status=status)


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("form")
@require_POST
def find(request: HttpRequest) -> HttpResponse:
    """Search conversations by person. By POST, so that the search gets into no log and no history."""
    form = SoughtForm(request.POST)
    if not form.is_valid():
        return _messages(request, None, problem=str(form.errors["sought"][0]), searched=True, status=422)
    page = queries.found_page(actor(request), form.cleaned_data["sought"])
    problem = "" if page.rows else "No conversations found"
    return _messages(request, page if page.rows else None, problem=problem, searched=True)


# -- one conversation -----------------------------------------------------------------------------------------------


@may(DESK)
@require_GET
def thread(request: HttpRequest, thread_id: UUID) -> HttpResponse:
    """Show a conversation, with a form to reply."""
    return _thread(request, thread_id)


def _thread(
    request: HttpRequest, thread_id: UUID, form: AnswerForm | None = None, *, status: int = 200
) -> HttpResponse:
    conversation = queries.thread(actor(request), thread_id)
    if conversation is None:
        raise Http404
    form = form or AnswerForm()
    context = {"shown": conversation, "form": form, "saved_replies": Canned.objects.all()}
    return render(request, "contact/thread.html", context, status=status)


@may(DESK)
@sensitive_post_parameters()
@sensitive_variables("form", "text", "again")
@require_POST
def answer(request: HttpRequest, thread_id: UUID) -> HttpResponse:
    """Send a reply, or insert a saved one into it first."""
    form = AnswerForm(request.POST)
    if "insert" in request.POST:
        return _thread(request, thread_id, form.with_canned())
    if not form.is_valid():
        return _thread(request, thread_id, form, status=422)
    try:
        replies.answer(
            actor(request), thread_id, MessageText(form.cleaned_data["text"]), last_seen=form.cleaned_data["seen"]
        )
    except replies.ReplyRefused as refused:
        form.add_error("text", str(refused))
        return _thread(request, thread_id, form, status=409)
    flash.success(request, "Your reply is queued. Its status is shown next to it below: sent, held or rejected.")
    return redirect("thread", thread_id=thread_id)


@may(DESK)
@require_POST
def state(request: HttpRequest, thread_id: UUID) -> HttpResponse:
    """Close or reopen a conversation."""
    closes = request.POST.get("state") == State.CLOSED
    changed = replies.close(thread_id) if closes else replies.reopen(thread_id)
    if not changed:
        raise Http404
    return redirect("messages") if closes else redirect("thread", thread_id=thread_id)


@may(DESK)
@require_POST
def label(request: HttpRequest, thread_id: UUID) -> HttpResponse:
    """Add or remove a label."""
    form = LabelForm(request.POST)
    if not form.is_valid():
        flash.error(request, "A label must be 1 to 30 characters long.")
    elif form.cleaned_data["remove"]:
        replies.unlabel(thread_id, form.cleaned_data["remove"])
    elif not replies.label(thread_id, form.cleaned_data["name"]):
        flash.error(request, f"A conversation can have at most {replies.MOST_LABELS} labels.")
    return redirect("thread", thread_id=thread_id)


# -- saved replies ---------------------------------------------------------------------------------------------------


@may(DESK)
@require_http_methods(["GET", "POST"])
def canned(request: HttpRequest) -> HttpResponse:
    """Show the saved replies, and add one."""
    form = CannedForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("canned")
    context = {"form": form, "saved_replies": Canned.objects.all()}
    return render(request, "contact/canned.html", context, status=422 if form.is_bound else 200)


def _ask_remove_canned(request: HttpRequest, canned_id: UUID) -> Confirmation | None:
    if "remove" not in request.POST:
        return None
    reply = get_object_or_404(Canned, id=canned_id)
    words = "Replies that were already sent with it are not affected."
    return Confirmation(f"Delete “{reply.title}”?", words, "Delete", reverse("canned_change", args=[canned_id]))


@may(DESK)
@require_http_methods(["GET", "POST"])
@asks_first(_ask_remove_canned)
def canned_change(request: HttpRequest, canned_id: UUID) -> HttpResponse:
    """Edit or delete a saved reply."""
    reply = get_object_or_404(Canned, id=canned_id)
    if request.method == "POST" and "remove" in request.POST:
        reply.delete()
        return redirect("canned")
    form = CannedForm(request.POST or None, reply=reply)
    if request.method == "POST" and form.is_valid():
        form.save()
        return redirect("canned")
    context = {"form": form}
    return render(request, "contact/canned_change.html", context, status=422 if form.is_bound else 200)
