"""The policy's page on the front: what the worker said while it holds, and the truth afterwards, with nobody's help."""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.front.client import Client
from troth.core import clock
from troth.front.app import Front
from troth.front.snapshot import POLICY_STYLE
from troth.policy import json_document
from troth.policy.published import OldVersion, PrivacyPage

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


def ms(at):
    return int(at.timestamp() * 1000)


PAGE = PrivacyPage(
    fresh="<h1>Fresh page</h1>",
    stale="<h1>Stale page</h1>",
    fresh_embed="<h2>Fresh part</h2>",
    stale_embed="<h2>Stale part</h2>",
    fresh_json='{"state": "kept"}',
    stale_json='{"state": "stale"}',
    since_ms=ms(NOON),
    until_ms=ms(NOON + timedelta(days=1)),
    stated="2026-11-25",
    versions=[
        OldVersion(
            number=2, at="2026-11-25T12:00Z", digest="b" * 64, said="Said <b>better</b>.", html="", changes="<p>x</p>"
        ),
        OldVersion(
            number=1, at="2026-10-25T12:00Z", digest="a" * 64, said="The first.", html="<p>Old.</p>", changes=""
        ),
    ],
)
SECURITY = "Contact: mailto:a@example.com\nExpires: 2027-05-29T00:00:00Z\n"
ALL = [
    "/privacy",
    "/privacy?embed",
    "/privacy/versions",
    "/privacy/versions/1",
    "/.well-known/privacy-promises.json",
    "/.well-known/privacy-promises.schema.json",
    "/.well-known/gpc.json",
    "/.well-known/security.txt",
    "/policy.css",
]


@pytest.fixture
def held():
    with clock.hold(NOON + timedelta(hours=1)) as held:
        yield held


@pytest.fixture
def site(front, held):
    front.publish(privacy=PAGE, security=SECURITY)
    return Client(front)


SHOWN = [("/privacy", "Fresh page", "Stale page"), ("/privacy?embed", "Fresh part", "Stale part")]
SHOWN.append(("/.well-known/privacy-promises.json", '"kept"', '"stale"'))


@pytest.mark.parametrize(("path", "fresh", "stale"), SHOWN)
async def test_when_the_worker_has_been_silent_for_a_day_the_front_says_so_by_itself(site, held, path, fresh, stale):
    assert fresh in (await site.get(f"/troth{path}")).text
    held.move(hours=22, minutes=59)
    assert fresh in (await site.get(f"/troth{path}")).text
    held.move(minutes=1)
    told_ = (await site.get(f"/troth{path}")).text
    assert stale in told_ and fresh not in told_


@pytest.mark.parametrize(("path", "fresh", "stale"), SHOWN)
async def test_a_clock_that_is_put_back_makes_nothing_fresh(site, held, path, fresh, stale):
    held.move(hours=-2)
    assert stale in (await site.get(f"/troth{path}")).text


async def test_a_front_that_starts_while_the_worker_is_dead_says_it_too(tmp_path, site, held):
    held.move(days=2)
    late = Front(tmp_path, {"altcha": "11" * 32, "buckets": "22" * 32}, None)
    late.look()
    assert "Stale page" in (await Client(late).get("/troth/privacy")).text


async def test_the_page_needs_no_script_and_is_kept_by_nobody(site):
    answer = await site.get("/troth/privacy")
    assert answer.status == 200 and "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert '<meta name="robots"' not in answer.text


async def test_for_a_vendors_page_it_is_a_part_of_a_page(site):
    answer = await site.get("/troth/privacy?embed")
    assert answer.text == '<div class="troth-policy">\n<h2>Fresh part</h2></div>\n'
    assert answer.headers["content-type"].startswith("text/html")


async def test_the_style_sheet_has_a_name_that_stays_and_colours_by_variables(site):
    answer = await site.get("/troth/policy.css")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    for name in ("accent", "wrong", "soft", "line", "ground", "mono"):
        assert f"var(--troth-{name}," in answer.text
    same = await site.get("/troth/policy.css", if_none_match=answer.headers["etag"])
    assert (same.status, same.body) == (304, b"")


async def test_page_and_style_together_are_small(site):
    page = await site.get("/troth/privacy")
    name = page.text.partition("assets/front-")[2].partition('"')[0]
    style = await site.get(f"/troth/assets/front-{name}")
    own = await site.get(f"/troth/assets/{POLICY_STYLE.name}")
    assert own.status == style.status == 200
    assert sum(len(gzip.compress(one.body)) for one in (page, style, own)) < 30 * 1024


# -- versions ---------------------------------------------------------------------------------------------------------


async def test_all_versions_are_listed_with_date_digest_and_what_changed(site):
    page = (await site.get("/troth/privacy/versions")).text
    assert page.index("Version 2, since") < page.index("Version 1, since")
    assert "25 October 2026, 12:00 UTC" in page and "a" * 64 in page and "b" * 64 in page
    assert "Said &lt;b&gt;better&lt;/b&gt;." in page and "<p>x</p>" in page
    assert 'href="/troth/privacy/versions/1"' in page and 'href="/troth/privacy/versions/2"' not in page


async def test_an_earlier_version_says_that_it_is_not_in_force(site):
    page = (await site.get("/troth/privacy/versions/1")).text
    assert "No longer in force" in page and "<p>Old.</p>" in page and "noindex" in page


@pytest.mark.parametrize("number", ["2", "3", "0", "-1", "x", "1/2", "99999999999999999999"])
async def test_a_version_that_is_not_shown_is_404(site, number):
    assert (await site.get(f"/troth/privacy/versions/{number}")).status == 404


# -- for programs -----------------------------------------------------------------------------------------------------


async def test_programs_anywhere_may_read_what_is_told_to_everybody(site):
    for path in ("privacy-promises.json", "privacy-promises.schema.json", "gpc.json"):
        answer = await site.get(f"/troth/.well-known/{path}")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-type"] in {"application/json", "application/schema+json"}
        assert json.loads(answer.text)


async def test_the_schema_that_is_served_is_the_published_one(site):
    assert (await site.get("/troth/.well-known/privacy-promises.schema.json")).text == json_document.schema_text()


async def test_global_privacy_control_is_said_to_be_abided_by_since_the_policy_in_force(site):
    answer = await site.get("/troth/.well-known/gpc.json")
    assert answer.json == {"gpc": True, "lastUpdate": "2026-11-25"}  # W3C GPC, section 4.1
    assert answer.headers["content-type"] == "application/json"


async def test_security_txt_is_plain_text(site):
    answer = await site.get("/troth/.well-known/security.txt")
    assert (answer.text, answer.headers["content-type"]) == (SECURITY, "text/plain; charset=utf-8")  # RFC 9116, 3


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in ALL if path not in {"/policy.css"} and "schema" not in path])
async def test_while_nothing_is_published_there_is_nothing(front, path):
    front.publish(privacy=None)
    assert (await Client(front).get(f"/troth{path}")).status == 404


@pytest.mark.parametrize("path", ALL)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_nothing_can_be_changed_from_outside(site, path, method):
    assert (await site.ask(method, f"/troth{path}")).status == 405
