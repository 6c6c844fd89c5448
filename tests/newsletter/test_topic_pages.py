"""Topics in the console: made, renamed, shown to people or not, archived, with their numbers of subscribers."""

import uuid

import pytest

from tests.newsletter.test_editor_pages import HOSTILE, text
from troth.newsletter import topics
from troth.newsletter.models import Subscription, Topic, TopicSubscription


@pytest.fixture
def releases(site) -> Topic:
    return topics.create("Releases", "What is new", public=True)


def test_without_topics_the_page_says_what_they_are_for(desk, support):
    assert "Create topics below" in text(desk.get("/newsletter/topics/"))
    assert "An owner can create topics" in text(support.get("/newsletter/topics/"))


def test_a_topic_is_created_and_shown_with_its_subscribers(desk, subscribers):
    typed = {"name": "Releases", "description": "What is new", "public": "on"}
    assert desk.post("/newsletter/topics/new/", typed).headers["Location"] == "/newsletter/topics/"
    topic = Topic.objects.get()
    assert (topic.name, topic.description, topic.public) == ("Releases", "What is new", True)
    for subscription in Subscription.objects.filter(person__in=subscribers(2)):
        TopicSubscription.objects.create(topic=topic, subscription=subscription)
    page = text(desk.get("/newsletter/topics/"))
    assert "Releases" in page and "Public" in page and 'data-label="Subscribers">2<' in page


def test_a_topic_is_renamed_and_hidden_from_people(desk, releases):
    path = f"/newsletter/topics/{releases.id}/"
    assert 'value="Releases"' in text(desk.get(path))
    desk.post(path, {"name": "Versions", "description": ""})
    releases.refresh_from_db()
    assert (releases.name, releases.public) == ("Versions", False)
    assert "Private" in text(desk.get("/newsletter/topics/"))


def test_a_topic_is_archived_and_restored(desk, releases):
    path = f"/newsletter/topics/{releases.id}/archive/"
    desk.post(path, {"archived": "yes"})
    releases.refresh_from_db()
    assert releases.archived_at is not None and "Archived" in text(desk.get("/newsletter/topics/"))
    desk.post(path, {"archived": "no"})
    releases.refresh_from_db()
    assert releases.archived_at is None


@pytest.mark.parametrize(("name", "status"), [("", 422), ("   ", 422), ("x" * 61, 422), ("Releases", 409)])
def test_a_name_that_cannot_be_is_refused_and_stays_in_the_form(desk, releases, name, status):
    answer = desk.post("/newsletter/topics/new/", {"name": name, "description": "Kept"})
    assert answer.status_code == status and 'role="alert"' in text(answer) and 'value="Kept"' in text(answer)
    other = topics.create("Other", "", public=True)
    assert desk.post(f"/newsletter/topics/{other.id}/", {"name": name}).status_code == status
    assert set(Topic.objects.values_list("name", flat=True)) == {"Releases", "Other"}


def test_a_campaign_to_a_topic_names_it(desk, releases, written):
    made = written(topic=releases)
    assert "Releases" in text(desk.get("/newsletter/")) and "Releases" in text(
        desk.get(f"/newsletter/{made.id}/review/")
    )


def test_hostile_names_are_shown_as_words(desk, written):
    topic = topics.create(HOSTILE, HOSTILE, public=True)
    made = written(topic=topic)
    paths = ["/newsletter/", "/newsletter/topics/", f"/newsletter/topics/{topic.id}/", f"/newsletter/{made.id}/"]
    assert all(HOSTILE not in desk.get(path).content.decode() for path in paths)


def test_support_looks_an_analyst_does_not_and_a_get_changes_nothing(desk, support, analyst, releases):
    assert support.get("/newsletter/topics/").status_code == 200
    paths = ["new/", f"{releases.id}/", f"{releases.id}/archive/"]
    for path in paths:
        assert support.post(f"/newsletter/topics/{path}", {"name": "X"}).status_code == 403
        assert analyst.post(f"/newsletter/topics/{path}", {"name": "X"}).status_code == 403
    assert analyst.get("/newsletter/topics/").status_code == 403
    for path in ("new/", f"{releases.id}/archive/"):
        assert desk.get(f"/newsletter/topics/{path}").status_code == 405
    for path in ("", "archive/"):
        assert desk.post(f"/newsletter/topics/{uuid.uuid4()}/{path}", {"name": "X"}).status_code == 404
    assert Topic.objects.get().name == "Releases"
