"""What backups still hold of an erased person, what a link did, what the choice not to be counted does: every place
says the same, from one source."""

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.template.loader import render_to_string

import troth
from troth.cli import people
from troth.core import facts, receipts
from troth.core.config.sections import AudienceSection, Config, ContactSection, SiteSection
from troth.core.personal import EmailAddress
from troth.front.forms import labels
from troth.front.forms.contact import form as contact_form
from troth.front.http.render import render
from troth.front.published import ContactForm
from troth.front.views.choices import Choices
from troth.newsletter.mails import ConfirmationMail
from troth.operate import create_site
from troth.policy import data_map, html, retention, status
from troth.policy.html import PolicyView
from troth.policy.models import PolicyVersion
from troth.policy.promises import PROMISES
from troth.rights import erasure as erasing
from troth.vault.models import Erasure

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

    style = policy_style = icon = rights_script = type("Asset", (), {"name": "x"})

    @staticmethod
    def path(rest):
        return f"/{rest}"


def front(name, **values):
    return render(name, site=At.published, at=At, here="/here", **values)


def office(name, **values):
    return render_to_string(f"rights/{name}", values)


def policy(**audience):
    site = SiteSection(name="Example", url="https://www.example.com")
    config = Config(site=site, audience=AudienceSection(**audience))
    now = datetime.now(UTC)
    version = PolicyVersion(number=1, text=create_site.policy_text(), digest="", published_at=now)
    return html.page(version, status.standings({}, now), config, PolicyView(now))


def plain(page):
    return " ".join(re.sub(r"<[^>]*>", " ", page).replace("&#x27;", "'").split())


def test_before_an_erasure_all_say_the_same_of_backups(settings):
    said = facts.after_erasure(14)
    assert "up to 14 days" in said and "Until the last backup of the keys is gone" in said
    places = {
        "the visitor's page": front("erase.html", backups=said, choice=""),
        "the operator's page": office("erase.html", backups=said, kept=[], person_id=uuid.UUID(int=0)),
        "the policy": policy(),
    }
    assert [place for place, page in places.items() if said not in plain(page)] == []
    assert "up to 1 day" in facts.after_erasure(1)


@pytest.mark.parametrize(("days", "words"), [(1, "1 day"), (30, "30 days"), (365, "1 year"), (730, "2 years")])
def test_a_conversation_is_kept_as_long_on_the_form_as_in_the_policy_and_on_the_operators_page(settings, days, words):
    contact = ContactSection(keep_days=days)
    config = settings.TROTH_CONFIG = Config(
        site=SiteSection(name="Example", url="https://example.com"), contact=contact
    )
    (kind,) = (kind for kind in retention.kinds() if kind.name == "conversations")
    places = {
        "the form": contact_form(SimpleNamespace(contact=ContactForm.of(contact))).note,
        "the policy, of what is collected": data_map.collected_table(config)
        + " ".join(row.until for row in data_map.kept(config)),
        "the policy, of how long": data_map.lifetimes_table(config),
        "the operator's page": retention.RetentionStatus(kind, kind.period(config), None).line(),
    }
    assert [place for place, said in places.items() if not re.search(rf"\b{words}\b", said)] == []


def test_after_an_erasure_all_say_the_same_day_and_what_holds_until_then():
    said = facts.gone_from_backups(DAY)
    assert DAY in said and "Until then" in said
    erasure = {"id": uuid.UUID(int=0), "done_at": datetime.now(UTC), "asked_at": datetime.now(UTC)}
    places = {
        "the visitor's page": front("erased.html", receipt=TOLD, gone=said),
        "the operator's page": office("erasure.html", receipt=TOLD, gone=said, erasure=erasure, fault=""),
        "the command": "\n".join(people._lines(TOLD)),
    }
    assert [place for place, page in places.items() if said not in plain(page)] == []


_OWN = {
    "policy/templates/policy/retention.html": "the list of backups",
    "rights/templates/rights/erasure.html": "compare with a backup of before",
    "office/templates/office/access_log_verified.html": "rows of the access log that a restore lost",
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
    source = (SOURCE / "rights" / "erasure.py").read_text()
    assert "at once" not in source
    assert "a restored backup deletes the record again" in " ".join(erasing._REMAINS)


# -- links ------------------------------------------------------------------------------------------------------------


def test_what_a_link_did_is_said_in_words_that_are_true_if_it_did_nothing():
    """The front cannot know whether the link had been used before, or its holder had left or was erased."""
    confirmed, left = " ".join(labels.THANKS["confirmed"]), " ".join(labels.THANKS["left"])
    assert facts.CONFIRMED in confirmed and "unless you have unsubscribed" in confirmed
    assert not re.search(r"\b(is|was|are) confirmed", confirmed)
    assert facts.UNSUBSCRIBED in left and "to your address" not in left


def test_before_it_is_confirmed_all_say_that_it_counts_only_then():
    mail = ConfirmationMail(
        to=EmailAddress("ada@example.org"), site_name="Example", message_id="<x@example.com>", maybe_twice=False,
        confirm_url="https://www.example.com/confirm/x", unsubscribe_url="https://www.example.com/unsubscribe/x",
        form_title="Newsletter", privacy_url="",
    )  # fmt: skip
    places = [front("confirm.html"), mail.text(), mail.page(), " ".join(labels.THANKS["signup"])]
    assert all(facts.ONLY_CONFIRMED in plain(one) for one in places)


# -- the choice not to be counted -------------------------------------------------------------------------------------

WHOLE = (facts.NOT_COUNTED, facts.CHOICE_KEPT, facts.CHOICE_UNDONE)
STATES = [(False, False), (True, False), (False, True), (True, True)]


def choices(*, own=False, signal=False, apart=()):
    elsewhere = facts.not_everywhere(apart)
    chosen = Choices(signal=signal, own=own)
    return front(
        "choices.html", facts=facts, chosen=chosen, counts=True, ticket="", elsewhere=elsewhere, host="", hosts=""
    )


def doc(name):
    return re.sub(r"\s*\n\s*", " ", (ROOT / "docs" / name).read_text())


@pytest.mark.parametrize("fact", WHOLE)
def test_where_the_choice_is_told_whole_all_say_the_same(fact):
    places = {
        **{f"the page where it is made, {one}": plain(choices(own=one[0], signal=one[1])) for one in STATES},
        "the policy, with what its promise unfolds": plain(policy()),
        "the page on promises": doc("promises.md"),
        "the page for auditors": doc("statistics-privacy.md"),
    }
    assert [place for place, page in places.items() if fact not in page] == []


def test_what_programs_and_proofs_read_of_the_choice_is_that():
    told = PROMISES["visitors.aggregate"]
    assert facts.CHOICE_KEPT in told.yourself and facts.CHOICE_UNDONE in told.yourself


def test_before_and_after_an_erasure_all_say_where_the_choice_is_and_stays(site):
    who, fact = uuid.UUID(int=0), facts.CHOICE_KEPT
    erasure = Erasure.objects.create(person=who, asked_by="person")
    told = receipts.read(erasing._finish(erasure).encode()).told
    erasure = {"id": who, "done_at": datetime.now(UTC), "asked_at": datetime.now(UTC)}
    places = {
        "before, the visitor's page": front("erase.html", choice=fact, backups=""),
        "before, the operator's page": office("erase.html", choice=fact, kept=[], person_id=who),
        "the receipt": " ".join(told["remains"]),
        "after, the visitor's page": front("erased.html", receipt=told, gone=""),
        "after, the operator's page": office("erasure.html", receipt=told, erasure=erasure, fault=""),
        "the command": "\n".join(people._lines(told)),
        "the page on rights": doc("rights.md"),
    }
    assert [place for place, page in places.items() if fact not in plain(page)] == []


@pytest.mark.parametrize("own", [True, False])
def test_where_the_choice_may_not_reach_both_pages_say_so(own):
    apart = facts.not_everywhere(["shop.example.org"])
    assert "shop.example.org" in apart and facts.not_everywhere([]) == ""
    assert apart in plain(choices(own=own, apart=["shop.example.org"]))
    assert apart in plain(policy(hosts=["www.example.com", "shop.example.org"]))
    assert "which is another site" not in plain(policy(hosts=["www.example.com"]))


def test_where_nothing_is_counted_both_pages_say_so_and_nothing_of_a_choice():
    empty = front("choices.html", facts=facts, counts=False)
    for page in (plain(empty), plain(policy(enabled=False))):
        assert facts.NO_CHOICE in page and facts.NOT_COUNTED not in page


def test_the_button_that_undoes_it_is_called_so():
    for own, signal in STATES:
        buttons = re.findall(r"<button[^>]*>([^<]*)</button>", choices(own=own, signal=signal))
        assert (facts.COUNT_AGAIN in buttons) == own, buttons


_OWN_OF_THE_CHOICE = {
    "src/troth/demo/website/privacy.html": "the vendor's own page",
    "docs/statistics.md": "on which site it has to be",
    "docs/promises.md": "that it is the only one",
}
"""What speaks of the cookie in words of its own, and what it says of it."""


def test_no_page_says_for_itself_what_the_choice_is():
    found = {}
    for path in (*SOURCE.rglob("*.html"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"):
        text = re.sub(r"\{[{%].*?[%}]\}|<[^>]*>", " ", path.read_text(), flags=re.DOTALL)
        said = re.sub("|".join(map(re.escape, WHOLE)), "", re.sub(r"\s+", " ", text))
        own = [one for one in re.split(r"(?<=[.!?])\s", said) if "cookie" in one and re.search(r"cho(ice|se|ose)", one)]
        if own:
            found[str(path.relative_to(ROOT))] = own
    assert found.keys() == _OWN_OF_THE_CHOICE.keys(), found
