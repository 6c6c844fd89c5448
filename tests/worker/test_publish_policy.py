"""What the worker tells the front of the policy: as it stands now, and again when something changed."""

import re
from datetime import UTC, datetime

import msgspec
import pytest

from tests.conftest import both
from tests.proofs.runs import write_run
from troth.core import clock
from troth.core.config.sections import Config, ContactSection, SiteSection
from troth.front import published
from troth.operate.create_site import policy_text
from troth.policy import versions
from troth.policy.promises import PROMISES
from troth.worker import publish

NOON = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def held(site):
    with clock.hold(NOON) as held:
        yield held


@both
def test_a_new_site_publishes_its_policy_by_itself(site):
    assert publish.publish() == 1
    page = published.load(site.public).privacy
    assert "Not tested yet" in page.fresh and page.until_ms == 0 and len(page.versions) == 1


def test_what_a_run_found_is_told_at_the_next_look_and_nothing_is_told_twice(site):
    publish.publish()
    write_run()
    assert publish.publish() == 2
    assert publish.publish() is None
    page = published.load(site.public).privacy
    assert (
        f"All {sum(not promise.section for promise in PROMISES)} promises were tested" in page.fresh
        and "Not verified since" in page.stale
    )
    assert page.since_ms <= clock.timestamp_ms() < page.until_ms


def test_the_fronts_are_told_under_which_paths_the_site_was_found_earlier(site, settings):
    config = settings.TROTH_CONFIG
    for path in ("/troth", "/post", "/troth", ""):
        place = msgspec.structs.replace(config.site, url=f"https://www.example.com{path}")
        settings.TROTH_CONFIG = msgspec.structs.replace(config, site=place)
        publish.publish()
        assert publish.publish() is None
    told = published.load(site.public)
    assert (told.prefix, told.prefixes_before) == ("", ["/post", "/troth"])


def test_the_worker_tells_by_itself_when_what_was_kept_is_too_old(site, held):
    write_run()
    publish.publish()
    held.move(days=1, hours=2)
    publish.publish()
    assert "Not verified since" in published.load(site.public).privacy.fresh


def test_an_edit_on_the_disk_changes_nothing_until_it_is_published(site):
    publish.publish()
    site.policy.write_text(policy_text().replace("Open a promise", "Unfold a promise"))
    assert publish.publish() is None
    versions.publish(versions.draft().text, "A word.", "shell")
    assert publish.publish() == 2
    assert "Unfold a promise" in published.load(site.public).privacy.fresh


def test_where_there_is_no_policy_all_the_rest_is_published(site):
    site.policy.write_text("Nothing.")
    publish.publish()
    told = published.load(site.public)
    assert told.privacy is None and told.form.title


def test_links_to_the_policy_lead_to_our_own_where_the_vendor_names_none(site, settings):
    publish.publish()
    assert published.load(site.public).privacy_url == "http://127.0.0.1:18300/privacy"
    named = SiteSection(name="x", url="https://x.example", privacy_url="https://x.example/privacy.html")
    settings.TROTH_CONFIG = Config(site=named)
    publish.publish()
    assert published.load(site.public).privacy_url == "https://x.example/privacy.html"


# -- security.txt (RFC 9116) ------------------------------------------------------------------------------------------


def security(now=NOON, **site):
    section = SiteSection(**{"name": "x", "url": "https://www.example.com/troth", **site})
    return publish.security_txt(Config(site=section, contact=ContactSection(reply_to="desk@example.com")), now)


def field(text, name):
    return re.findall(rf"^{name}: (.*)$", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("given", "contact"),
    [
        ({}, "mailto:desk@example.com"),
        ({"contact": "privacy@example.com"}, "mailto:privacy@example.com"),
        ({"security_contact": "holes@example.com"}, "mailto:holes@example.com"),
        ({"security_contact": "https://www.example.com/holes"}, "https://www.example.com/holes"),
        ({"security_contact": "a?b@example.com"}, "mailto:a%3Fb@example.com"),
    ],
)
def test_it_says_whom_to_tell(given, contact):
    assert field(security(**given), "Contact") == [contact]


def test_it_expires_within_the_year_and_is_renewed_each_week(held):
    (first,) = field(security(), "Expires")
    at = datetime.fromisoformat(first)
    assert 150 < (at - NOON).days < 365  # section 2.5.5: less than a year
    (later,) = field(security(held.move(days=7)), "Expires")
    assert datetime.fromisoformat(later) > at


def test_it_names_where_it_lies_and_only_over_tls():
    assert field(security(), "Canonical") == [
        "https://www.example.com/.well-known/security.txt",
        "https://www.example.com/troth/.well-known/security.txt",
    ]
    assert field(security(url="http://127.0.0.1:8080"), "Canonical") == []


def test_every_line_is_a_field():
    assert all(re.fullmatch(r"[A-Z][A-Za-z-]+: \S.*", line) for line in security().splitlines())
