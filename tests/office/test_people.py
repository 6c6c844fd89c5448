"""The list, finding, one person, their consent: what each shows, refuses, and writes in the ledger."""

import re
import uuid
from html import unescape
from html.parser import HTMLParser

import pytest

from tests.conftest import both
from tests.office.conftest import browser
from tests.worker.test_intake import confirm_link, drain, leave_link
from troth.core.purpose import Purpose, Reason
from troth.newsletter.models import Request, Subscription
from troth.people import queries as service
from troth.vault import ledger
from troth.vault.keeper import keeper
from troth.vault.models import LedgerRow

HOSTILE = "<img src=x onerror=1 hx-get=/x>"
NOBODY = uuid.UUID("018f0000-0000-7000-8000-000000000000")


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def uses():
    """What the ledger tells of operators, oldest first."""
    told = [ledger.read(row) for row in LedgerRow.objects.order_by("number")]
    return [use for use in told if use is not None and use.actor != "worker"]


@both
def test_the_list_shows_who_signed_up_and_the_ledger_names_who_looked(desk, people):
    ada, bo = people("ada@example.com", "Ada"), people("bo@example.com", "Bo")
    page = desk.get("/people/").content.decode()
    assert page.index("bo@example.com") < page.index("ada@example.com"), "newest first"
    (use,) = uses()
    assert (use.reason, use.purpose, use.actor) == (Reason.LIST_PEOPLE, Purpose.ADMINISTRATION, str(desk.operator.id))
    assert {uuid.UUID(bytes=one) for one in use.people} == {ada, bo}
    assert "Viewing this page was logged: 2 people, purpose: administration." in page
    assert ledger.verify_chain() == []


@both
def test_a_persons_page_shows_them_and_the_ledger_names_who_looked(desk, people):
    ada = people()
    page = desk.get(f"/people/{ada}/").content.decode()
    assert "ada@example.com" in page
    assert "Ada Example" in page
    (use,) = uses()
    assert (use.reason, use.actor, use.people) == (Reason.SHOW_PERSON, str(desk.operator.id), [ada.bytes])


@both
def test_the_consent_record_is_opened_for_identification_and_by_a_button_only(desk, people, site):
    ada = people()
    site.submit(confirm_link(Request.objects.get()))
    drain()
    assert desk.get(f"/people/{ada}/consent/").status_code == 405
    page = desk.post(f"/people/{ada}/consent/").content.decode()
    assert "Signed up" in page
    assert "Confirmed" in page
    assert "purpose: identification" in page
    (use,) = uses()
    assert (use.reason, use.purpose) == (Reason.SHOW_CONSENT, Purpose.IDENTIFICATION)
    assert use.actor == str(desk.operator.id)


@both
def test_finding_by_the_whole_address_leads_to_the_person(desk, people):
    ada = people()
    answer = desk.post("/people/search/", {"sought": " ADA@example.com "})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/people/{ada}/")
    (use,) = uses()
    assert (use.reason, use.people, use.actor) == (Reason.FIND_PERSON, [ada.bytes], str(desk.operator.id))


def test_a_search_that_finds_nobody_is_in_the_ledger_too(desk, people):
    people()
    answer = desk.post("/people/search/", {"sought": "ada@example.org"})
    assert answer.status_code == 200
    assert "No results" in answer.content.decode()
    assert "ada@example.com" not in answer.content.decode()
    (use,) = uses()
    assert (use.reason, use.people) == (Reason.FIND_PERSON, [])


@pytest.mark.parametrize(
    "typed",
    [
        {},
        {"sought": ""},
        {"sought": "ada@example.com" * 30},
        {"sought": "a\x00b@example.com"},
    ],
)
def test_what_is_no_address_is_refused_and_not_looked_for(desk, people, typed):
    people()
    answer = desk.post("/people/search/", typed)
    assert answer.status_code == 422
    assert not any(tag == "img" for tag, _ in Tags(answer.content.decode()).found)
    assert uses() == []


@pytest.mark.parametrize("sought", ["Ada", "ada example", "@example.com", "ADA@example.com"])
def test_a_name_a_word_of_it_or_a_domain_lead_to_the_person(desk, people, sought):
    ada = people("ada@example.com", "Ada Example")
    assert desk.post("/people/search/", {"sought": sought}).headers["location"] == f"/people/{ada}/"


def test_several_who_are_found_are_listed(desk, people):
    people("ada@example.com", "Ada Example"), people("bob@example.com", "Bob Example")
    page = desk.post("/people/search/", {"sought": "example"}).content.decode()
    assert "ada@example.com" in page and "bob@example.com" in page


def test_a_hostile_search_leads_to_nobody_and_is_shown_as_it_is(desk, people):
    people()
    answer = desk.post("/people/search/", {"sought": HOSTILE})
    assert answer.status_code == 200
    assert not any(tag == "img" for tag, _ in Tags(answer.content.decode()).found)


def test_no_address_of_a_page_carries_anything_of_a_person(desk, people):
    ada = people("ada@example.com", "Ada Example")
    asked = []
    for answer in (
        desk.get("/people/"),
        desk.get(f"/people/{ada}/"),
        desk.post("/people/search/", {"sought": "ada@example.com"}),
        desk.post("/people/search/", {"sought": "nobody@example.com"}),
        desk.post(f"/people/{ada}/consent/"),
    ):
        asked += re.findall(r'(?:href|action|src)="([^"]*)"', answer.content.decode())
        asked.append(answer.headers.get("Location", ""))
    assert f"/people/{ada}/" in asked
    assert [one for one in asked if "ada@" in one.lower() or "%40" in one or "Example" in one] == []


@pytest.mark.parametrize("path", ["/people/", "/people/{}/", "CONSENT", "FIND"])
def test_a_hostile_name_is_shown_as_it_is_and_does_nothing(desk, people, path):
    who = people("hostile@example.com", HOSTILE)
    if path == "CONSENT":
        page = desk.post(f"/people/{who}/consent/").content.decode()
    elif path == "FIND":
        page = desk.client.post("/people/search/", {"sought": "hostile@example.com"}, follow=True).content.decode()
    else:
        page = desk.get(path.format(who)).content.decode()
    if path != "CONSENT":
        assert "&lt;img src=x onerror=1 hx-get=/x&gt;" in page
    tags = Tags(page).found
    assert not [tag for tag, _ in tags if tag == "img"]
    ours = {"hx-ignore", "hx-boost"}
    assert not [
        named
        for _, attrs in tags
        for named in attrs
        if named.startswith(("hx-", "data-hx", "on")) and named not in ours
    ]


def test_what_htmx_is_told_is_ours_and_evaluates_nothing(desk):
    page = desk.get("/people/").content.decode()
    (config,) = [
        attrs["content"] for tag, attrs in Tags(page).found if tag == "meta" and attrs.get("name") == "htmx-config"
    ]
    assert '"includeIndicatorCSS": false' in config
    assert '"prefix": ""' in config
    assert "hx-on" not in page
    assert "hx-vals" not in page


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=-1", "page=x", "page=2", "page=99999999", "page=%D9%A1", "state=nobody", "state=%00", "page=1.5"],
)
def test_a_page_that_is_not_there_is_404_and_opens_nobody(desk, people, query):
    people()
    assert desk.get(f"/people/?{query}").status_code == 404
    assert [use for use in uses() if use.people] == []


@pytest.mark.parametrize("who", [str(NOBODY), "x", "1", "../people", "018f0000", "%00", str(NOBODY).upper()])
def test_a_person_who_is_not_there_is_404(desk, people, who):
    people()
    assert desk.get(f"/people/{who}/").status_code == 404
    assert desk.post(f"/people/{who}/consent/").status_code == 404
    assert uses() == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("get", "/people/"), ("get", "/people/{}/"), ("post", "/people/{}/consent/"), ("post", "/people/search/")],
)
def test_without_a_sign_in_nobody_is_opened(people, operator, method, path):
    who = people()
    answer = getattr(browser(), method)(path.format(who), {"sought": "ada@example.com"})
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/sign-in/")
    assert uses() == []


def test_states_are_counted_and_can_be_chosen(desk, people, site):
    people("a@example.com")
    people("b@example.com")
    people("c@example.com")
    for request in Request.objects.order_by("created_at")[:2]:
        site.submit(confirm_link(request))
    drain()
    site.submit(leave_link(Subscription.objects.filter(state="confirmed").order_by("created_at")[0]))
    drain()
    shown = {state: desk.get(f"/people/?state={state}").content.decode() for state in ("confirmed", "waiting", "left")}
    assert {state: re.findall(r"([abc])@example\.com</a>", page) for state, page in shown.items()} == {
        "confirmed": ["b"], "waiting": ["c"], "left": ["a"],
    }  # fmt: skip
    assert re.findall(r'<span class="num">(\d+)</span>', shown["left"])[:4] == ["3", "1", "1", "1"]


def test_a_long_list_has_pages_and_each_opens_only_its_own(desk, people, monkeypatch):
    monkeypatch.setattr(service, "PAGE_SIZE", 2)
    for letter in "abcde":
        people(f"{letter}@example.com")
    seen = [re.findall(r"([a-e])@example\.com</a>", desk.get(f"/people/?page={n}").content.decode()) for n in (1, 2, 3)]
    assert seen == [["e", "d"], ["c", "b"], ["a"]]
    assert [use.count for use in uses()] == [2, 2, 1]
    middle = desk.get("/people/?page=2").content.decode()
    assert "3–4 of 5" in middle
    links = re.findall(r'rel="(?:prev|next)" href="([^"]+)"', middle)
    assert [link.partition("&")[0] for link in links] == ["?page=1", "?page=3"]
    assert re.findall(r"([a-e])@example\.com</a>", desk.get(f"/people/{unescape(links[1])}").content.decode()) == ["a"]


def test_nobody_yet_says_where_the_form_stands(desk):
    page = desk.get("/people/").content.decode()
    assert "No people yet" in page
    assert "No personal data was shown" in page
    assert uses() == []


def test_a_person_who_was_erased_is_gone_from_every_page(desk, people):
    ada = people()
    keeper().erase([ada])
    assert "ada@example.com" not in desk.get("/people/").content.decode()
    assert desk.get(f"/people/{ada}/").status_code == 404
    assert "No results" in desk.post("/people/search/", {"sought": "ada@example.com"}).content.decode()


def test_today_opens_nobody(desk, people):
    people()
    page = desk.get("/").content.decode()
    assert "ada@example.com" not in page
    assert uses() == []


def test_the_list_goes_along_as_a_file_for_an_owner(desk, people):
    people()
    page = desk.get("/people/")
    assert b"as CSV" in page.content
    answer = desk.post("/people/export.csv")
    assert (answer.status_code, answer.streaming) == (200, True)
    assert 'filename="people.csv"' in answer["Content-Disposition"]
    assert b"ada@example.com,Ada Example," in b"".join(answer.streaming_content)
    assert b"".join(desk.post("/people/export.csv", {"state": "left"}).streaming_content).count(b"\n") == 1
    assert desk.post("/people/export.csv", {"state": "purple"}).status_code == 404
    assert desk.get("/people/export.csv").status_code == 405


def test_a_clerk_does_not_take_the_list_along(desk, people):
    people()
    desk.operator.role = "clerk"
    desk.operator.save()
    assert b"as CSV" not in desk.get("/people/").content
    assert desk.post("/people/export.csv").status_code == 403


def test_an_edge_that_is_none_is_not_found(desk):
    assert desk.get("/people/?page=1&before=nobody").status_code == 404
