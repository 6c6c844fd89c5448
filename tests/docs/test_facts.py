"""What backups still hold of an erased person, and what a link did: every place says the same, from one source."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.template.loader import render_to_string

import troth
from troth import peoplecli, scaffold
from troth.front import words
from troth.front.render import render
from troth.gate.mailtypes import ConfirmationMail
from troth.ground import facts
from troth.ground.config import Config, SiteSection
from troth.ground.personal import EmailAddress
from troth.promises import erasing, policypage
from troth.promises.models import PolicyVersion
from troth.promises.policypage import View

SOURCE, ROOT = Path(troth.__file__).parent, Path(__file__).parents[2]
DAY = "2026-12-14"
TOLD = {
    "erased_at": "2026-11-30T03:04:05+00:00", "asked_at": "", "asked_by": "the person", "erasure": "an-id", "went": {},
    "kept_by_law": [], "remains": [], "key_backups_forget_by": DAY, "site": {"name": "", "url": ""},
}  # fmt: skip


class At:
    """As much of a snapshot as a page needs."""

    class published:
        site_name, privacy_url = "Example", ""

    style = icon = rights_script = type("Asset", (), {"name": "x"})

    @staticmethod
    def path(rest):
        return f"/{rest}"


def front(name, **values):
    return render(name, site=At.published, at=At, here="/here", **values)


def office(name, **values):
    return render_to_string(f"promises/{name}", values)


def policy():
    config = Config(site=SiteSection(name="Example", url="https://www.example.com"))
    version = PolicyVersion(number=1, text=scaffold.policy_text(), digest="", published_at=datetime.now(UTC))
    return policypage.page(version, [], config, View(datetime.now(UTC)))


def plain(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).replace("&#x27;", "'").split())


def test_before_an_erasure_all_say_the_same_of_backups(settings):
    said = facts.after_erasure(14)
    assert "up to 14 days" in said and "Until the last backup of the keys is gone" in said
    places = {
        "the visitor's page": front("erase.html", backups=said),
        "the operator's page": office("erase.html", backups=said, kept=[], person_id=uuid.UUID(int=0)),
        "the policy": policy(),
    }
    assert [place for place, page in places.items() if said not in plain(page)] == []
    assert "up to a day" in facts.after_erasure(1)


def test_after_an_erasure_all_say_the_same_day_and_what_holds_until_then():
    said = facts.gone_from_backups(DAY)
    assert DAY in said and "Until then" in said
    erasure = {"id": uuid.UUID(int=0), "done_at": datetime.now(UTC), "asked_at": datetime.now(UTC)}
    places = {
        "the visitor's page": front("erased.html", told=TOLD, gone=said),
        "the operator's page": office("erasure.html", told=TOLD, gone=said, erasure=erasure, fault=""),
        "the command": "\n".join(peoplecli._lines(TOLD)),
    }
    assert [place for place, page in places.items() if said not in plain(page)] == []


_OWN = {
    "promises/templates/promises/kept.html": "the list of backups",
    "promises/templates/promises/erasure.html": "compare with a backup of before",
    "office/templates/office/ledger_verified.html": "rows of the access log that a restore lost",
}
"""Templates that speak of backups in words of their own, and what those are about."""


_ABOUT = re.compile(r"eras|forg|key|gone|read|restor|record", re.IGNORECASE)


def test_no_template_says_for_itself_what_backups_hold():
    found = {}
    for path in SOURCE.rglob("*.html"):
        name = str(path.relative_to(SOURCE))
        own = re.sub(r"\{[{%].*?[%}]\}", "", path.read_text())
        sentences = [one for one in re.split(r"(?<=[.!?])\s|<[^>]*>", own) if "backup" in one.lower()]
        about = [one for one in sentences if len(one.split()) > 3 and _ABOUT.search(one)]
        if about and name not in _OWN:
            found[name] = about
    assert found == {}


_AT_ONCE = re.compile(r"at once|immediately|nobody can|no longer (?:be )?read|not be read|every|any|no ", re.IGNORECASE)


@pytest.mark.parametrize("page", [*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md"], ids=lambda one: one.name)
def test_where_a_page_says_that_backups_forget_it_says_when(page):
    """Whatever is said of all backups of an erased person is said together with how long those of the keys live."""
    for paragraph in re.split(r"\n\s*\n|\n(?=[|#-])", page.read_text()):
        told = " ".join(paragraph.split())
        if re.search(r"backups?\b", told) and re.search(r"\b(erase[sd]?|erasing|forgot|forget)", told):
            for sentence in re.split(r"(?<=[.;])\s", told):
                about = re.search(r"backup", sentence) and re.search(r"\b(erase[sd]?|erasing|forg[eo]t\w*)", sentence)
                if about and _AT_ONCE.search(sentence):
                    assert "keys_days" in told or "backup of the keys" in told, sentence


def test_a_receipt_says_nothing_else_of_backups():
    source = (SOURCE / "promises" / "erasing.py").read_text()
    assert "at once" not in source
    assert "a restored backup forgets them again" in " ".join(erasing._REMAINS)


# -- links ------------------------------------------------------------------------------------------------------------


def test_what_a_link_did_is_said_in_words_that_are_true_if_it_did_nothing():
    """The front cannot know whether the link had been used before, or its holder had left or was erased."""
    confirmed, left = " ".join(words.THANKS["confirmed"]), " ".join(words.THANKS["left"])
    assert facts.CONFIRMED in confirmed and "unless you have unsubscribed" in confirmed
    assert not re.search(r"\b(is|was|are) confirmed", confirmed)
    assert facts.UNSUBSCRIBED in left and "to your address" not in left


def test_before_it_is_confirmed_all_say_that_it_counts_only_then():
    mail = ConfirmationMail(
        to=EmailAddress("ada@example.org"), site_name="Example", message_id="<x@example.com>", maybe_twice=False,
        confirm_url="https://www.example.com/confirm/x", unsubscribe_url="https://www.example.com/unsubscribe/x",
        form_title="Newsletter", privacy_url="",
    )  # fmt: skip
    places = [front("confirm.html"), mail.text(), mail.page(), " ".join(words.THANKS["signup"])]
    assert all(facts.ONLY_CONFIRMED in plain(one) for one in places)
