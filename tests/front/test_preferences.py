"""The preference centre and the topics on the sign-up form: what they show, what they take, and what they refuse."""

import re
import uuid

import msgspec
import pytest

from tests.front.client import CONSENT
from troth.core.signed_links import Act, LinkSigner
from troth.front.channels.clerk_client import ClerkBusy
from troth.newsletter.entry import PAUSE_AS_IT_IS, PreferencesSet, Signup
from troth.newsletter.published import OfferedTopic
from troth.policy.published import OldVersion, PrivacyPage

TOPICS = [
    OfferedTopic(number=0, name="Releases", description="New versions <of all>"),
    OfferedTopic(number=5, name="Security & trust"),
    OfferedTopic(number=62, name="Events"),
]
EVERY = 1 | 1 << 5 | 1 << 62


@pytest.fixture
def offered(front):
    """A front whose form has topics; no proof of work."""
    front.publish(proof_of_work=0, form={"topics": msgspec.to_builtins(TOPICS)})
    return front


@pytest.fixture
def link(keys):
    return lambda topics=0, subject=None: (
        "/troth/preferences/" + keys.signer.sign_topics(subject or uuid.uuid4(), topics)
    )


def boxes(page):
    """Name and state of each box on a page."""
    found = re.findall(r'<input [^>]*name="(topic_\d+)"[^>]*type="checkbox"[^>]*>', page)
    marks = re.findall(r'<input [^>]*name="topic_\d+"[^>]*type="checkbox"([^>]*)>', page)
    return {name: "checked" in mark for name, mark in zip(found, marks, strict=True)}


# -- the sign-up form -------------------------------------------------------------------------------------------------


async def test_the_form_offers_the_public_topics_and_none_is_ticked(client, offered):
    for path in ("/troth/newsletter", "/troth/newsletter?embed"):
        page = (await client.get(path)).text
        assert boxes(page) == {"topic_0": False, "topic_5": False, "topic_62": False}
        assert "New versions &lt;of all&gt;" in page and "Security &amp; trust" in page
    for path in ("/troth/contact", "/troth/privacy/me"):
        assert not boxes((await client.get(path)).text)


async def test_a_form_without_topics_has_no_box(client):
    assert "fieldset" not in (await client.get("/troth/newsletter")).text


async def test_what_is_ticked_goes_sealed_to_the_clerk(client, offered, line, keys):
    assert (await client.sign_up(topic_0="yes", topic_62="on")).status == 303
    entry = keys.opening.open(line.frames[0][1], Signup)
    assert (entry.topics, entry.policy) == (1 | 1 << 62, 0)


async def test_a_form_that_was_pasted_before_there_were_topics_still_works(client, offered, line, keys):
    assert (await client.sign_up()).status == 303
    assert keys.sign_up(line.frames[0][1]).topics == 0


async def test_the_number_of_the_policy_in_force_goes_along(client, front, line, keys):
    version = OldVersion(number=7, at="2026-11-25T00:00:00+00:00", digest="", said="", html="", changes="")
    page = PrivacyPage(
        **dict.fromkeys(("fresh", "stale", "fresh_embed", "stale_embed", "fresh_json", "stale_json"), "x"),
        since_ms=0,
        until_ms=1,
        stated="2026-11-25",
        versions=[version, msgspec.structs.replace(version, number=6)],
    )
    front.publish(proof_of_work=0, privacy=page)
    assert (await client.sign_up()).status == 303
    assert keys.sign_up(line.frames[0][1]).policy == 7


async def test_a_pasted_form_with_a_topic_that_is_gone_comes_back_as_it_is_now(client, offered, line):
    answer = await client.sign_up(topic_3="yes", topic_5="yes", name="Ada")
    assert answer.status == 400 and "no longer offered" in answer.text
    assert boxes(answer.text) == {"topic_0": False, "topic_5": True, "topic_62": False}
    assert 'value="Ada"' in answer.text
    answer = await client.sign_up(topic_3="yes", headers={"accept": "application/json"})
    assert answer.status == 400 and answer.json["anew"]
    assert not line.frames


async def test_a_form_that_comes_back_keeps_what_was_ticked(client, offered, line):
    answer = await client.sign_up(email="nonsense", topic_5="yes")
    assert answer.status == 422
    assert boxes(answer.text) == {"topic_0": False, "topic_5": True, "topic_62": False}
    assert not line.frames


async def test_no_other_field_and_no_box_twice_is_taken(client, offered, line):
    for field in ("topic_63", "topic_-1", "topic_00", "topic", "topics"):
        assert (await client.sign_up(**{field: "yes"})).status == 400
    body = b"email=ada%40example.org&topic_0=yes&topic_0=yes"
    assert (await client.post("/troth/newsletter", body=body)).status == 400
    assert (await client.write(topic_0="yes")).status == 400  # the contact form has none
    assert not line.frames


async def test_all_topics_there_can_be_fit_into_one_form(client, front, line, keys):
    every = [OfferedTopic(number=number, name=f"Topic {number}") for number in range(63)]
    front.publish(proof_of_work=0, form={"topics": msgspec.to_builtins(every), "consent": CONSENT})
    details = {"name": "A", "company": "B", "telephone": "", "postal_address": "", "leave_empty": "", "back": ""}
    answer = await client.sign_up(**details, **{f"topic_{number}": "yes" for number in range(63)})
    assert answer.status == 303
    assert keys.sign_up(line.frames[0][1]).topics == (1 << 63) - 1


# -- the preference centre --------------------------------------------------------------------------------------------


async def test_the_page_shows_what_the_link_carries_and_changes_nothing(client, offered, line, link):
    path = link(1 | 1 << 62 | 1 << 9)
    for address in (path, f"{path}/saved/{1 | 1 << 62:x}"):
        for method in ("GET", "HEAD"):
            answer = await client.ask(method, address)
            assert answer.status == 200 and answer.headers["cache-control"] == "no-store"
        answer = await client.get(address)
        assert boxes(answer.text) == {"topic_0": True, "topic_5": False, "topic_62": True}
        assert answer.hidden("seen") == f"{1 | 1 << 62:x}"  # of topics that the page does not show, nothing
        assert 'content="noindex"' in answer.text
    assert not line.frames


async def test_the_page_is_the_same_for_everybody_with_these_topics(client, offered, link):
    pages = [link(5, uuid.uuid4()), link(5, uuid.uuid4())]
    texts = [(await client.get(path)).text.replace(path, "") for path in pages]
    assert texts[0] == texts[1]


async def test_saving_sends_what_was_seen_and_what_is_chosen(client, offered, line, link, keys):
    path = link(1)
    answer = await client.post(path, {"wish": "save", "seen": "1", "topic_5": "yes", "pause": "3"})
    assert (answer.status, answer.headers["location"]) == (303, f"{path}/saved/20")
    [(kind, envelope, once, _)] = line.frames
    entry = keys.opening.open(envelope, PreferencesSet)
    assert (kind, once) == (2, None)
    assert entry == PreferencesSet(path.rsplit("/", 1)[1], 1, 1 << 5, 3)
    shown = await client.get(f"{path}/saved/20")
    assert "Your choices are saved" in shown.text
    assert boxes(shown.text) == {"topic_0": False, "topic_5": True, "topic_62": False}
    assert shown.hidden("seen") == "20"


async def test_thinking_better_of_it_within_a_minute_counts(client, offered, line, link):
    path = link()
    for fields in ({"topic_0": "yes"}, {}, {"topic_0": "yes"}):
        assert (await client.post(path, {"wish": "save", "seen": "0", "pause": ""} | fields)).status == 303
    assert len(line.frames) == 3


async def test_without_a_choice_a_pause_stays_as_it_is(client, offered, line, link, keys):
    path = link()
    for pause in ({}, {"pause": ""}):
        await client.post(path, {"wish": "save", "seen": "0"} | pause)
    entries = [keys.opening.open(frame[1], PreferencesSet) for frame in line.frames]
    assert [entry.pause for entry in entries] == [PAUSE_AS_IT_IS] * 2


async def test_the_button_to_leave_leaves_and_a_second_press_is_not_stored_again(client, offered, line, link, keys):
    path = link()
    for _ in range(2):
        answer = await client.post(path, {"wish": "leave"})
        assert (answer.status, answer.headers["location"]) == (303, "/troth/thanks/left")
    [(_, envelope, _, _)] = line.frames
    assert keys.opening.open(envelope, PreferencesSet).leave


async def test_saving_is_slowed_down_and_leaving_never_is(client, front, line, link):
    front.publish(burst=1, refill_seconds=1000.0)
    statuses = [(await client.post(link(), {"wish": "save", "seen": "0"})).status for _ in range(3)]
    assert statuses == [303, 429, 429]
    assert {(await client.post(link(), {"wish": "leave"})).status for _ in range(10)} == {303}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"wish": "other"},
        {"wish": "save"},
        {"wish": "save", "seen": ""},
        {"wish": "save", "seen": "-1"},
        {"wish": "save", "seen": "g"},
        {"wish": "save", "seen": "1" * 17},
        {"wish": "save", "seen": "0", "pause": "2"},
        {"wish": "save", "seen": "0", "pause": "12"},
        {"wish": "save", "seen": "0", "pause": "x"},
        {"wish": "save", "seen": "0", "topic_63": "yes"},
        {"wish": "save", "seen": "0", "email": "x"},
    ],
)
async def test_what_the_page_does_not_have_is_refused(client, offered, line, link, fields):
    assert (await client.post(link(), fields)).status == 400
    assert not line.frames


async def test_a_body_of_another_type_or_too_long_is_refused(client, offered, line, link):
    assert (await client.post(link(), body=b"{}", **{"content-type": "application/json"})).status == 415
    assert (await client.post(link(), body=b"wish=" + b"x" * 20_000)).status == 413
    assert not line.frames


async def test_no_other_link_opens_it_and_it_opens_no_other_page(client, offered, line, keys, link):
    here = "/troth/preferences/"
    foreign = LinkSigner(uuid.uuid4(), 1, keys.signer._key).sign_topics(uuid.uuid4(), 0)
    good = link().removeprefix(here)
    wrong = [foreign, good[:-1], good + "A", good + "=", "x", good[:-5] + ("AAAAA" if good[-5] != "A" else "BBBBB")]
    wrong += [keys.signer.sign(act, uuid.uuid4()) for act in (Act.CONFIRM, Act.UNSUBSCRIBE, Act.RIGHTS)]
    for text in wrong:
        for path in (here + text, f"{here}{text}/saved/1"):
            assert (await client.get(path)).status == 400
        for fields in ({"wish": "save", "seen": "0"}, {"wish": "leave"}):
            assert (await client.post(here + text, fields)).status == 400
    for page in ("confirm", "unsubscribe", "privacy/me"):
        for method in ("GET", "POST"):
            assert (await client.ask(method, f"/troth/{page}/{good}")).status == 400
    assert not line.frames


@pytest.mark.parametrize("topics", ["", "g", "-1", "1" * 17, "0x1"])
async def test_an_address_with_other_topics_than_there_can_be_is_refused(client, offered, link, topics):
    assert (await client.get(f"{link()}/saved/{topics}")).status in (400, 404)


async def test_what_could_not_be_stored_is_503(client, offered, line, link):
    line.refusal = ClerkBusy(60)
    for fields in ({"wish": "save", "seen": "0"}, {"wish": "leave"}):
        assert (await client.post(link(), fields)).status == 503


async def test_over_an_open_connection_nothing_is_shown_or_taken(client, offered, line, link):
    client.peer = "203.0.113.7"
    for answer in (await client.get(link()), await client.post(link(), {"wish": "leave"})):
        assert answer.status == 403
    assert not line.frames


# -- one topic --------------------------------------------------------------------------------------------------------


async def test_a_get_shows_which_topic_the_button_stops_and_stops_nothing(client, offered, line, link):
    page = await client.get(f"{link(EVERY)}/topic/5")
    assert page.status == 200 and "<strong>Security &amp; trust</strong>" in page.text
    assert (await client.ask("HEAD", f"{link(EVERY)}/topic/5")).status == 200
    page = await client.get(f"{link(EVERY)}/topic/7")  # a private one: its name is for nobody
    assert "emails about this topic from" in page.text and "Security" not in page.text
    assert not line.frames


async def test_the_button_stops_that_topic_and_shows_the_others_as_they_were(client, offered, line, keys, link):
    here = link(EVERY)
    answer = await client.post(f"{here}/topic/5", {})
    assert (answer.status, answer.headers["location"]) == (303, f"{here}/saved/{EVERY & ~(1 << 5):x}")
    [(_, envelope, _, _)] = line.frames
    entry = keys.opening.open(envelope, PreferencesSet)
    assert (entry.seen, entry.chosen, entry.pause, entry.leave) == (1 << 5, 0, PAUSE_AS_IT_IS, False)
    assert entry.link == here.rpartition("/")[2]
    shown = (await client.get(answer.headers["location"])).text
    assert boxes(shown) == {"topic_0": True, "topic_5": False, "topic_62": True}


async def test_a_topic_is_stopped_by_its_own_link_and_address_only(client, offered, line, keys, link):
    assert (await client.post(f"{link()}/topic/63", {})).status == 404
    assert (await client.get(f"{link()}/topic/{'9' * 30}")).status == 404
    assert (await client.get(f"{link()}/topic/-1")).status == 404
    assert (await client.post(f"{link()}/topic/5", {"wish": "leave"})).status == 400
    assert (await client.post(f"{link()}/topic/5", body=b"{}", **{"content-type": "application/json"})).status == 415
    for act in (Act.CONFIRM, Act.UNSUBSCRIBE, Act.RIGHTS):
        other = f"/troth/preferences/{keys.signer.sign(act, uuid.uuid4())}/topic/5"
        assert [(await client.ask(method, other)).status for method in ("GET", "POST")] == [400, 400]
    assert not line.frames


async def test_who_presses_too_often_is_asked_to_wait(client, front, line, link):
    front.publish(proof_of_work=0, burst=1, form={"topics": msgspec.to_builtins(TOPICS)})
    assert (await client.post(f"{link(EVERY)}/topic/5", {})).status == 303
    assert (await client.post(f"{link(EVERY)}/topic/5", {})).status == 429
    assert len(line.frames) == 1
