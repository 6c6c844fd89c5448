"""The page as the worker makes it: readable, honest in each state, inert, and the same for programs."""

import gzip
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from tests.proofs.runs import write_run
from troth.core import clock
from troth.core.config.sections import ShopSection, SiteSection
from troth.front import snapshot
from troth.operate.create_site import policy_text
from troth.policy import data_map, json_document, promises, publish, text, versions
from troth.policy.promises import PROMISES

DOCS = Path(__file__).parents[2] / "docs"
NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
MADE = [promise for promise in PROMISES if not promise.section]
"""By a site without a shop."""
COUNT = len(MADE)
WORST_PAGE = 30 * 1024


@pytest.fixture(autouse=True)
def held(site):
    with clock.hold(NOON) as held:
        yield held


def made(*, stale=False):
    found = publish.fronted()
    return found.stale if stale else found.fresh


def words(page):
    """What is read without unfolding anything."""
    bare = re.sub(
        r"<details.*?</details>", lambda m: re.search(r"<summary>.*?</summary>", m[0], re.S)[0], page, flags=re.S
    )
    bare = re.sub(r"<time.*?</time>|<code.*?</code>", " ", bare)  # a date is seen, not read
    return re.findall(r"[A-Za-z][\w’'-]*", re.sub(r"<[^>]+>", " ", bare))


def note(page, promise):
    return re.search(rf'<details class="note" id="{re.escape(promise)}"(?: open)?>.*?</details>', page, re.S)[0]


def test_it_is_read_in_two_minutes():
    write_run()
    assert len(words(made())) <= 2 * 250, "250 words a minute, tables and all"


def _sell(site, settings):
    """Turn the shop on, and promise what a shop promises."""
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = msgspec.structs.replace(config, shop=ShopSection(enabled=True))
    site.policy.write_text(policy_text(shop=True))


def test_a_shop_makes_two_promises_more_and_is_read_in_half_a_minute_more(site, settings):
    """What is bought, the card company and two duties to keep records are further rows of its tables."""
    _sell(site, settings)
    write_run()
    page = made()
    assert page.count('<details class="note"') == COUNT + 2 == len(PROMISES.ids)
    assert "Kept" in note(page, "cards.encrypted") and "Kept" in note(page, "cards.direct")
    assert len(words(page)) <= 2.5 * 250


def test_a_site_that_began_to_sell_states_them_once_they_are_published(site, settings):
    """Until then its page, its JSON and its banner tell of what its text says, and of nothing more."""
    write_run()
    assert versions.in_force().number == 1
    _sell(site, settings)
    write_run()
    page = publish.fronted()
    assert f"All {COUNT} promises were tested and kept" in page.fresh and "cards.direct" not in page.fresh_json
    draft = versions.draft(site.policy)
    assert draft.edited and not draft.bad
    versions.publish(draft.text, "We sell now.", "shell")
    page = publish.fronted()
    assert f"All {COUNT + 2} promises were tested and kept" in page.fresh and "cards.direct" in page.fresh_json


def test_each_promise_stands_below_its_sentence_with_state_and_time():
    write_run()
    page = made()
    for promise in MADE:
        shown = note(page, promise.id)
        assert "Kept" in shown and "tested" in shown and 'datetime="2026-11-25T12:00Z"' in shown
        assert page.index("promise kept") < page.index(shown)
    assert page.count('<details class="note"') == COUNT == page.count('class="promise kept"')


def test_it_unfolds_to_how_it_is_kept_tried_seen_and_where_to_look():
    write_run()
    for promise in MADE:
        shown = note(made(), promise.id)
        for heading in (
            "How it is kept",
            "How it was tested",
            "What these tests would detect",
            "Check for yourself",
        ):
            assert f">{heading}</h3>" in shown
        for proof in promise.proofs:
            assert proof.tried in shown and proof.sees in shown and f"Found by {proof.id}." in shown
        assert all(control.where in shown for control in promise.controls)


def test_breaches_that_were_made_on_purpose_are_named(monkeypatch):
    write_run()
    monkeypatch.setattr(promises, "breaches_seen", lambda promise: [f"A leak <{promise}> on purpose."])
    shown = note(made(), "contact.basic")
    assert "A leak &lt;contact.basic&gt; on purpose." in shown
    assert json.loads(publish.fronted().fresh_json)["promises"][1]["breaches_seen"]


@pytest.mark.parametrize(
    ("found", "banner", "mark"),
    [
        ({}, f"All {COUNT} promises were tested and kept", "Kept"),
        ({"contact_forms": "broken"}, "One promise is broken.", "Broken"),
        ({"contact_forms": "broken", "cards_masked": "broken"}, "2 promises are broken.", "Broken"),
        ({"contact_forms": "unproven"}, f"{COUNT - 1} of {COUNT} promises were kept when last tested", "Not proven"),
    ],
)
def test_what_was_found_is_said_first(found, banner, mark):
    write_run(**found)
    page = made()
    assert page.startswith('<p class="standing') and banner in page[:400]
    assert mark in note(page, "contact.basic")


def test_what_is_broken_is_unfolded_with_what_was_found():
    write_run(contact_forms="broken")
    page = made()
    assert page.count(" open>") == 1 and '<details class="note" id="contact.basic" open>' in page


def test_before_the_first_trial_nothing_is_said_to_be_kept():
    page = made()
    assert "Not tested yet." in page and ">Kept<" not in page and publish.fronted().until_ms == 0


def test_in_its_older_form_nothing_is_kept_and_each_says_since_when():
    write_run()
    page = made(stale=True)
    assert page[:300].count("Not verified since") == 1
    assert "Kept</span>" not in page
    assert 'since <time datetime="2026-11-25T12:00Z">' in note(page, "contact.basic")


def test_what_is_broken_is_broken_in_its_older_form_too():
    write_run(contact_forms="broken")
    assert "One promise is broken" in made(stale=True)


def test_it_says_when_the_oldest_was_tried_not_when_the_newest(held):
    write_run()
    held.move(hours=2)
    run = write_run(light=True)
    del run.results["contact.purpose"]
    run.save()
    assert "Oldest test: <time" in made()[:300] and "2026-11-25T12:00Z" in made()[:300]


def test_the_tables_are_those_of_the_code(settings):
    page = made()
    for table in (data_map.collected_table, data_map.receivers_table, data_map.lifetimes_table):
        assert table(settings.TROTH_CONFIG) in page


def test_it_names_version_digest_and_where_the_others_are():
    version = versions.in_force()
    page = made()
    assert "Version 1, in force since" in page and version.digest in page
    assert "/privacy/versions" in page and "/.well-known/privacy-promises.json" in page


def test_names_that_look_like_markup_are_text(site, settings):
    settings.TROTH_CONFIG = msgspec.structs.replace(
        settings.TROTH_CONFIG,
        site=SiteSection(name="<b>Ex&ample</b>", url="http://127.0.0.1:18300", hosting="<i>H</i>"),
    )
    page = made()
    assert "&lt;b&gt;Ex&amp;ample&lt;/b&gt;" in page and "<b>" not in page and "<i>H" not in page


def test_what_a_proof_said_is_text(site):
    run = write_run()
    for proofs in run.results.values():
        for told_ in proofs.values():
            told_["detail"] = "Found <script>alert(1)</script> & more."
    run.save()
    page = made()
    assert "<script" not in page and "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more." in page


def test_for_a_vendors_page_headings_are_one_step_lower():
    write_run()
    found = publish.fronted()
    assert "<h1>" in found.fresh and "<h1>" not in found.fresh_embed
    assert "<h4>How it is kept</h4>" in found.fresh_embed


def test_the_page_is_small_whatever_its_state():
    write_run(contact_forms="broken")
    found = publish.fronted()
    style = (snapshot._STYLE + snapshot.POLICY_STYLE.data.decode()).encode()
    for page in (found.fresh, found.stale, found.fresh_embed):
        assert len(gzip.compress(page.encode())) + len(gzip.compress(style)) < WORST_PAGE


def test_it_does_not_change_from_second_to_second(held):
    write_run()
    first = publish.fronted()
    held.move(seconds=30)
    assert publish.fronted() == first, "each change is a new generation on the disk"


# -- versions ---------------------------------------------------------------------------------------------------------


def test_an_earlier_version_is_shown_as_it_was_with_its_own_tables(site, settings, held):
    versions.in_force()
    held.move(days=1)
    site.policy.write_text(policy_text().replace("## Card numbers", "## Numbers of cards"))
    settings.TROTH_CONFIG = msgspec.structs.replace(
        settings.TROTH_CONFIG, site=SiteSection(name="New Name", url="http://127.0.0.1:18300", hosting="Example Host")
    )
    versions.publish(versions.draft().text, "Another heading, and the host has a name.", "shell")
    newest, old = publish.fronted().versions
    assert (newest.number, newest.html, old.number, old.changes) == (2, "", 1, "")
    assert (
        "Card numbers" in old.html
        and "Example Host" not in old.html
        and "Kept" not in old.html.partition("## About this page")[0][:2000]
    )
    assert "the hosting provider of this server" in old.html
    assert "## Numbers of cards" in newest.changes and "Example Host" in newest.changes
    assert (newest.said, newest.at) == ("Another heading, and the host has a name.", "2026-11-26T12:00Z")


def test_versions_are_made_ready_once(site, monkeypatch):
    versions.in_force()
    site.policy.write_text(policy_text().replace("Open a promise", "Unfold a promise"))
    versions.publish(versions.draft().text, "A word.", "shell")
    publish.fronted()
    monkeypatch.setattr(publish.html, "old", None)
    assert len(publish.fronted().versions) == 2


# -- for programs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stale", [False, True])
def test_the_json_is_of_the_published_form(stale):
    write_run(contact_forms="broken", cards_masked="unproven")
    found = publish.fronted()
    text = found.stale_json if stale else found.fresh_json
    document = msgspec.json.decode(text, type=json_document.Told, strict=True)  # forbids what the schema does not name
    states = {one.id: one.state for one in document.promises}
    assert (states["contact.basic"], states["cards.not-kept"]) == ("broken", "unproven")
    assert states["contact.purpose"] == ("stale" if stale else "kept")
    assert document.policy.sha256 == versions.in_force().digest
    assert (document.fresh_until is None) == stale
    assert {one.who for one in document.receivers} and {one.what for one in document.kept_for}


def test_the_schema_in_the_docs_is_the_one_that_is_served():
    assert (DOCS / "privacy-promises.schema.json").read_text("utf-8") == json_document.schema_text()


def test_the_schema_names_every_part_and_forbids_others():
    schema = json.loads(json_document.schema_text())
    assert schema["$schema"].endswith("2020-12/schema") and schema["$ref"] == "#/$defs/Told"
    for name, part in schema["$defs"].items():
        if part.get("type") == "object":
            assert part["additionalProperties"] is False, name


def test_the_sample_is_what_a_new_site_gets_and_asks_only_for_places_that_exist():
    assert set(text.PLACE.findall(policy_text())) <= set(text.PLACES)


def test_a_state_from_the_future_is_not_given_as_kept(held):
    write_run()
    held.move(hours=-2)
    found = publish.fronted()
    assert "All 5 promises" not in found.fresh
    assert timedelta(milliseconds=found.until_ms) == timedelta(0)
