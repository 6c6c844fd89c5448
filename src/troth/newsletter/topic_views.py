"""Topics in the console: what subscribers may choose to read about. Shows nobody's details."""

from uuid import UUID

from django.contrib import messages as flash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from troth.kit.roles import DESK, OWNERS, may
from troth.newsletter import topics as service
from troth.newsletter.campaigns.forms import TopicForm
from troth.newsletter.models import Topic
from troth.newsletter.topics import TopicRefused


@may(DESK)
@require_GET
def topics(request: HttpRequest) -> HttpResponse:
    """Show the topics, with their numbers of subscribers."""
    return _topics(request, TopicForm())


def _topics(request: HttpRequest, form: TopicForm, *, status: int = 200) -> HttpResponse:
    counts = service.counts()
    rows = [(topic, counts.get(topic.id, 0)) for topic in service.all_topics()]
    context = {
        "rows": [row for row in rows if row[0].archived_at is None],
        "archived": [row for row in rows if row[0].archived_at is not None],
        "form": form,
        "owns": getattr(request.user, "role", None) in OWNERS,
    }
    return render(request, "newsletter/topics.html", context, status=status)


@may(OWNERS)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Create a topic."""
    form = TopicForm(request.POST)
    if not form.is_valid():
        return _topics(request, form, status=422)
    values = form.cleaned_data
    try:
        service.create(values["name"], values["description"], public=values["public"])
    except TopicRefused as refused:
        form.add_error("name", f"{refused} {refused.mend}".strip())
        return _topics(request, form, status=409)
    flash.success(request, f"The topic “{values['name']}” is created.")
    return redirect("topics")


@may(OWNERS)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, topic_id: UUID) -> HttpResponse:
    """Change a topic's name, description and whether people can choose it."""
    topic = get_object_or_404(Topic, id=topic_id)
    form = TopicForm(request.POST or None, topic=topic)
    status = 200 if request.method == "GET" else 422
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            service.change(topic_id, values["name"], values["description"], public=values["public"])
        except TopicRefused as refused:
            form.add_error("name", f"{refused} {refused.mend}".strip())
            status = 409
        else:
            flash.success(request, "Saved.")
            return redirect("topics")
    context = {"topic": topic, "form": form, "subscribers": service.counts().get(topic_id, 0)}
    return render(request, "newsletter/topic.html", context, status=status)


@may(OWNERS)
@require_POST
def archive(request: HttpRequest, topic_id: UUID) -> HttpResponse:
    """Archive a topic, or restore it."""
    topic = get_object_or_404(Topic, id=topic_id)
    if request.POST.get("archived") == "no":
        service.restore(topic_id)
        flash.success(request, f"“{topic.name}” can be chosen again.")
    else:
        service.archive(topic_id)
        flash.success(request, f"“{topic.name}” is archived: nobody can choose it, and its subscribers are kept.")
    return redirect("topics")
