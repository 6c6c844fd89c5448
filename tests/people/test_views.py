"""The list page by page: nobody is missing and nobody is there twice, from either end and from link to link."""

import uuid

import pytest

from tests.conftest import both
from tests.people.files import taken_in, written
from troth.newsletter.models import Subscription
from troth.people import queries
from troth.people.queries import Edge, SubscriberState
from troth.vault.models import Person

OPERATOR = uuid.UUID(int=42)


@pytest.fixture
def crowd(site, tmp_path, monkeypatch):
    """23 people, of whom every third has left; their ids, newest first; three to a page."""
    monkeypatch.setattr(queries, "PAGE_SIZE", 3)
    taken_in(written(tmp_path / "people.csv", "email", *[f"p{n}@example.com" for n in range(23)]))
    ids = list(Person.objects.order_by("-id").values_list("id", flat=True))
    Subscription.objects.filter(person__in=ids[::3]).update(state="left")
    return ids


def wanted(crowd, state):
    return {
        None: crowd,
        SubscriberState.LEFT: crowd[::3],
        SubscriberState.CONFIRMED: [p for n, p in enumerate(crowd) if n % 3],
    }[state]


def ids_of(page):
    return [row.person_id for row in page.rows]


@both
@pytest.mark.parametrize("state", [None, SubscriberState.LEFT, SubscriberState.CONFIRMED])
def test_every_page_by_its_number_has_its_people(crowd, state):
    everybody = wanted(crowd, state)
    for number in range(1, len(everybody) // 3 + 3):
        found = queries.page(OPERATOR, state=state, number=number)
        assert ids_of(found) == everybody[(number - 1) * 3 : number * 3], number
        assert found.total == len(everybody)


@both
@pytest.mark.parametrize("state", [None, SubscriberState.LEFT])
def test_the_links_lead_through_the_whole_list_and_back(crowd, state):
    everybody, page = wanted(crowd, state), queries.page(OPERATOR, state=state, number=1)
    seen = ids_of(page)
    while page.older:
        page = queries.page(OPERATOR, state=state, number=page.older, edge=Edge(page.behind))
        seen += ids_of(page)
    assert seen == everybody
    while page.newer:
        page = queries.page(OPERATOR, state=state, number=page.newer, edge=Edge(page.ahead, newer=True))
    assert ids_of(page) == everybody[:3]


def test_somebody_who_comes_meanwhile_moves_nobody(crowd, tmp_path):
    first = queries.page(OPERATOR, state=None, number=1)
    taken_in(written(tmp_path / "more.csv", "email", "new@example.com"))
    assert ids_of(queries.page(OPERATOR, state=None, number=2, edge=Edge(first.behind))) == crowd[3:6]


def test_the_first_page_is_the_newest_whatever_link_led_there(crowd, tmp_path):
    second = queries.page(OPERATOR, state=None, number=2)
    taken_in(written(tmp_path / "more.csv", "email", "new@example.com"))
    found = queries.page(OPERATOR, state=None, number=1, edge=Edge(second.ahead, newer=True))
    assert ids_of(found)[1:] == crowd[:2]


def test_a_page_whose_people_are_all_gone_is_found_by_its_number(crowd):
    found = queries.page(OPERATOR, state=None, number=2, edge=Edge(crowd[-1]))
    assert ids_of(found) == crowd[3:6]
