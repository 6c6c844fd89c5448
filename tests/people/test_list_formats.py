"""A list goes to Mailchimp and listmonk and back: same dates and topics, and nobody who left is subscribed."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import both
from tests.people.files import examined, job, taken_in, written
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.text.csv_cells import neutral
from troth.newsletter import topics
from troth.newsletter.models import Subscription, TopicSubscription
from troth.people import export, import_job, import_topics, list_formats
from troth.people.csv_sources import FileRefused
from troth.people.list_formats import ListFormat, form_of
from troth.people.queries import SubscriberState
from troth.vault.models import Person

TOPICS = ('Releases, "old" and new', "-minus", "back\\slash", "=1+1", "Ünï", "A", "B")
PEERS = (ListFormat.MAILCHIMP, ListFormat.LISTMONK)


def exported(path, list_format, state=None):
    listed = export.ListExport("test", form_of(list_format, state))
    path.write_bytes(b"".join(part for _, part in listed.parts()))
    return +listed.left_out


@pytest.fixture
def crowd(site, tmp_path):
    """Five subscribers of whom one left, one paused and one waits."""
    for name in TOPICS:
        topics.create(name, "", public=True)
    lines = [f"p{n}@example.com,=Person {n},2023-01-0{n + 1} 10:00:00" for n in range(5)]
    taken_in(written(tmp_path / "people.csv", "email,name,consent_date", *lines))
    places = list(Subscription.objects.order_by("confirmed_at"))
    for number, topic in enumerate(topics.all_topics()):
        for place in places[: number % 3]:
            TopicSubscription.objects.create(subscription=place, topic=topic)
    Subscription.objects.filter(id=places[2].id).update(state="left", left_at=datetime(2024, 1, 1, tzinfo=UTC))
    Subscription.objects.filter(id=places[3].id).update(paused_until=clock.now() + timedelta(days=60))
    Subscription.objects.filter(id=places[4].id).update(state="waiting", confirmed_at=None)


def standing():
    """Who is subscribed since when, until when they pause, to what."""
    return {
        (place.confirmed_at, place.paused_until and place.paused_until.replace(microsecond=0)): set(
            place.topics.values_list("topic__name", flat=True)
        )
        for place in Subscription.objects.filter(state="confirmed")
    }


@both
@pytest.mark.parametrize("list_format", ListFormat)
def test_what_is_exported_comes_back_into_an_empty_site(crowd, tmp_path, list_format):
    path, before = tmp_path / "list.csv", standing()
    left_out = exported(path, list_format)
    if list_format in PEERS:
        assert left_out == {export.PAUSED: 1}
        before = {key: chosen for key, chosen in before.items() if key[1] is None}
    Person.objects.all().delete()
    topics.Topic.objects.all().delete()
    found = examined(path)
    assert found.unusable_topics == {}
    import_topics.create(found.unknown_topics)
    wanted = job(path)
    assert wanted.files[0].columns.program.name.casefold() == list_format
    assert import_job.carry_out(wanted, import_job.examine(wanted, lambda *_: None), lambda *_: None)["new"] == len(
        before
    )
    assert standing() == before


@pytest.mark.parametrize("list_format", PEERS)
def test_who_left_is_in_a_file_of_their_own_that_subscribes_nobody(crowd, tmp_path, list_format):
    path = tmp_path / "left.csv"
    exported(path, list_format, SubscriberState.LEFT)
    text = path.read_text()
    assert text.count("\n") == 2 and "p2@example.com" in text and "Person" not in text
    exported(tmp_path / "all.csv", list_format)
    assert "p2@" not in (tmp_path / "all.csv").read_text() and "p4@" not in (tmp_path / "all.csv").read_text()
    if list_format is ListFormat.MAILCHIMP:
        assert +examined(path).counts == {"away": 1}
    else:
        with pytest.raises(FileRefused, match="No email address column"):
            job(path)


@pytest.mark.parametrize("list_format", PEERS)
def test_who_has_not_confirmed_is_refused_with_the_reason(list_format):
    with pytest.raises(TrothError, match="have not confirmed"):
        form_of(list_format, SubscriberState.WAITING)


def test_an_address_that_would_get_an_apostrophe_is_left_out_and_counted(site, tmp_path):
    taken_in(written(tmp_path / "people.csv", "email", "+plus@example.com", "ada@example.com"))
    assert exported(tmp_path / "m.csv", ListFormat.MAILCHIMP) == {export.FORMULA: 1}
    assert exported(tmp_path / "own.csv", ListFormat.TROTH) == {}


_NAMES = st.lists(st.text(min_size=1, max_size=20), max_size=4)


@given(_NAMES)
def test_attributes_stay_json_in_a_cell_that_is_no_formula(names):
    cell = list_formats._attributes(names)
    assert neutral(cell) == cell
    assert json.loads(cell) == {"topics": names}


@given(st.lists(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20), max_size=4))
def test_topics_in_one_cell_are_read_as_they_were(names):
    text = io.StringIO()
    csv.writer(text).writerow([neutral(list_formats.quoted(names))])
    (cell,) = next(csv.reader(io.StringIO(text.getvalue(), newline="")))
    assert import_topics.names_in(cell) == names
