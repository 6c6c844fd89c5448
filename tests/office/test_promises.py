"""The promises in the console: how each stands, trying them, runs, and publishing the policy. No person is opened."""

import re
import uuid
from datetime import timedelta

import msgspec
import pytest

from tests.conftest import both
from tests.office.test_people import Tags
from tests.office.test_roles import sign_in
from tests.proofs.runs import write_run
from troth.core import clock
from troth.core.config.sections import ContactSection
from troth.kit.roles import DESK, Role
from troth.operate.create_site import policy_text
from troth.policy import proof_progress, versions
from troth.policy.models import PolicyVersion, ProofRun
from troth.policy.promises import PROMISES
from troth.supervisor import status_file
from troth.vault.models import LedgerRow

MADE = [promise for promise in PROMISES if not promise.section]
"""By a site without a shop."""
ALL = len(MADE)
OTHER = policy_text().replace("Open a promise", "Unfold a promise")


@pytest.fixture
def owner(site):
    versions.in_force()
    return sign_in(Role.OWNER)


def read(client, path="/promises/"):
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def plain(page):
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


# -- how each stands --------------------------------------------------------------------------------------------------


@both
def test_each_promise_stands_with_its_state_time_and_what_was_found(owner):
    write_run(contact_forms="broken", cards_masked="unproven")
    page = read(owner)
    for promise in MADE:
        assert promise.means in page
        for proof in promise.proofs:
            assert f"Found by {proof.id}." in page
    assert page.count("<details open>") == 1, "what is broken is unfolded"
    told = plain(page)
    assert f"{ALL - 2} of {ALL} kept" in told and "C1, B2" in told


def test_before_the_first_run_it_says_so(owner):
    told = plain(read(owner))
    assert "Not tested yet." in told and "No run has finished yet." in told


def test_what_is_old_is_not_shown_as_kept(owner):
    write_run(ago=timedelta(days=2))
    page = read(owner)
    assert page.count(">Not verified<") >= ALL
    assert ">Kept<" not in page


@pytest.mark.parametrize("role", list(Role))
def test_everybody_may_look_and_nobodys_details_are_opened(site, role):
    versions.in_force()
    run = write_run()
    client = sign_in(role)
    rows = LedgerRow.objects.count()
    for path in ("/promises/", f"/promises/runs/{run.id}/", "/promises/policy/", "/promises/policy/1/"):
        read(client, path)
    assert LedgerRow.objects.count() == rows


# -- trying now -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["light", "full"])
def test_a_button_asks_for_a_run_and_the_page_says_that_it_was_asked(site, owner, how):
    assert owner.post("/promises/run/", {"how": how}).headers["location"] == "/promises/"
    assert (site.data / status_file.PROVE_ASKED).read_text() == how
    page = read(owner)
    assert "Started. Results appear here in a few seconds." in page and "data-going-on" in page


def test_between_being_sent_out_and_beginning_it_is_still_waited_for(site, owner):
    owner.post("/promises/run/", {"how": "full"})
    (site.data / status_file.PROVE_ASKED).unlink()  # as the supervisor does
    part = owner.get("/promises/progress/")
    assert "Started." in part.content.decode() and "HX-Refresh" not in part.headers
    write_run(ended=False)
    assert "Running" in owner.get("/promises/progress/").content.decode()


@pytest.mark.parametrize("how", ["", "deep", "light\n"])
def test_other_words_ask_for_nothing(site, owner, how):
    assert owner.post("/promises/run/", {"how": how}).status_code == 404
    assert not proof_progress.asked()


def test_a_disk_that_refuses_is_said(owner, monkeypatch):
    def refuse(word):
        raise OSError(28, "full")

    monkeypatch.setattr(proof_progress, "ask", refuse)
    owner.post("/promises/run/", {"how": "full"})
    assert "the disk cannot be written" in read(owner)


@pytest.mark.parametrize("role", list(Role))
def test_who_may_try(site, role):
    client = sign_in(role)
    assert (client.post("/promises/run/", {"how": "light"}).status_code == 302) == (role in DESK)
    assert ("Run all checks" in read(client)) == (role in DESK)


@both
def test_a_run_is_shown_as_it_goes_on(owner):
    run = write_run(ended=False)
    first = next(iter(PROMISES))
    told = _told(first.proofs[0].id, "kept", "It holds.")
    proof_progress.note(first, told)
    part = owner.get("/promises/progress/")
    page = part.content.decode()
    total = sum(len(promise.proofs) for promise in MADE)
    assert f"Running all checks: 1 of {total}" in plain(page)
    assert "It holds." in page and f'max="{total}" value="1"' in page and "data-going-on" in page
    assert "HX-Refresh" not in part.headers and "<html" not in page
    assert read(owner).count('http-equiv="refresh"') == 1, "without a script the page looks again by itself"
    run.ended_at = clock.now()
    run.save()
    ended = owner.get("/promises/progress/")
    assert ended.headers["HX-Refresh"] == "true" and "data-going-on" not in ended.content.decode()


def _told(ident, state, detail):
    from troth.proofs.run import ProofResult

    return ProofResult(ident, state, detail, 5)


def test_what_is_written_on_the_way_is_no_result_yet(owner):
    write_run(ended=False)
    promise = next(iter(PROMISES))
    proof_progress.note(promise, _told(promise.proofs[0].id, "kept", "x"))
    assert ">Kept<" not in read(owner)


def test_nobody_notes_anything_where_no_run_is_under_way(site):
    promise = next(iter(PROMISES))
    proof_progress.note(promise, _told(promise.proofs[0].id, "kept", "x"))
    assert ProofRun.objects.count() == 0


# -- runs -------------------------------------------------------------------------------------------------------------


@both
def test_runs_are_listed_newest_first_and_each_says_what_was_found(owner):
    older = write_run(ago=timedelta(hours=2), contact_forms="broken")
    newer = write_run(light=True)
    page = read(owner)
    assert page.index(str(newer.id)) < page.index(str(older.id))
    one = plain(read(owner, f"/promises/runs/{older.id}/"))
    assert "Full run" in one and f"{ALL - 1} of {ALL} kept" in one and "Found by contact.forms." in one
    assert "Quick run" in plain(read(owner, f"/promises/runs/{newer.id}/"))


def test_a_run_of_proofs_that_are_no_more_is_still_shown(owner):
    run = write_run()
    run.results = {"old.one": {"old.proof": {"id": "old.proof", "state": "kept", "detail": "Long ago.", "ms": 1}}}
    run.save()
    told = plain(read(owner, f"/promises/runs/{run.id}/"))
    assert "A promise that no longer exists" in told and "Long ago." in told


def test_a_run_that_is_not_there_or_has_not_ended_is_404(owner):
    assert owner.get(f"/promises/runs/{uuid.uuid4()}/").status_code == 404
    assert owner.get(f"/promises/runs/{write_run(ended=False).id}/").status_code == 404


# -- the policy -------------------------------------------------------------------------------------------------------


def test_an_edit_on_the_disk_is_said_on_every_page_that_it_concerns(site, owner):
    assert "matches policy.md" in plain(read(owner))
    site.policy.write_text(OTHER)
    assert "has unpublished changes; visitors still see version 1" in plain(read(owner))
    assert "policy.md has unpublished changes." in plain(read(owner, "/"))
    page = read(owner, "/promises/policy/")
    assert "<del>" in page and "<ins>" in page and "Publish version 2" in page


def publish(client, site, said="One word changed.", digest=None):
    digest = digest if digest is not None else versions.draft().text.digest
    return client.post("/promises/policy/publish/", {"said": said, "digest": digest})


@both
def test_an_owner_publishes_it_with_a_word(site, owner):
    site.policy.write_text(OTHER)
    answer = publish(owner, site)
    assert (answer.status_code, answer.headers["location"]) == (302, "/promises/policy/")
    made = PolicyVersion.objects.order_by("number").last()
    assert (made.number, made.said, made.text) == (2, "One word changed.", OTHER)
    assert uuid.UUID(made.by)
    page = read(owner, "/promises/policy/")
    assert "Version 2 is published." in page and "One word changed." in page and "Publish version" not in page


def test_without_a_word_nothing_is_published_and_what_to_do_is_said(site, owner):
    site.policy.write_text(OTHER)
    answer = publish(owner, site, said="  ")
    assert answer.status_code == 422 and "Say what changed." in answer.content.decode()
    assert PolicyVersion.objects.count() == 1


def test_a_text_that_changed_while_it_was_read_is_shown_anew_and_the_word_is_kept(site, owner):
    site.policy.write_text(OTHER)
    digest = versions.draft().text.digest
    site.policy.write_text(OTHER + "\nAnd more.\n")
    answer = publish(owner, site, said="My words.", digest=digest)
    page = answer.content.decode()
    assert answer.status_code == 409 and "has changed since you opened this page" in page
    assert "My words.</textarea>" in page and "And more." in page
    assert PolicyVersion.objects.count() == 1


@pytest.mark.parametrize("role", [Role.CLERK, Role.ANALYST])
def test_nobody_but_an_owner_publishes(site, role):
    versions.in_force()
    site.policy.write_text(OTHER)
    client = sign_in(role)
    assert "Only an owner can publish it." in read(client, "/promises/policy/")
    assert publish(client, site).status_code == 403
    assert PolicyVersion.objects.count() == 1


def test_what_is_wrong_with_it_is_shown_with_its_line_and_cannot_be_published(site, owner):
    line = policy_text().count("\n") + 2
    site.policy.write_text(f"{policy_text()}\nWe share your address with our partners.\n")
    page = read(owner, "/promises/policy/")
    assert f"policy.md:{line}" in page and "contradicts contact.not-shared" in page
    assert "Publish version" not in page
    assert publish(owner, site).status_code == 422
    assert PolicyVersion.objects.count() == 1


def test_what_only_needs_a_look_can_be_published(site, owner):
    site.policy.write_text(f"{policy_text()}\nWe will never sell your address.\n")
    page = read(owner, "/promises/policy/")
    assert "Check these points before you publish" in page and "Publish version 2" in page
    assert publish(owner, site).status_code == 302


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 50_000])
def test_a_file_that_cannot_be_read_is_said(site, owner, data):
    site.policy.write_bytes(data)
    for path in ("/promises/", "/promises/policy/", "/"):
        assert "policy.md" in plain(read(owner, path))
    assert publish(owner, site, digest="x").status_code == 409


def test_other_tables_ask_for_a_new_version(site, settings, owner):
    other = ContactSection(keep_days=77)
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, contact=other)
    assert "tables have changed since version 1 was published" in plain(read(owner))
    page = plain(read(owner, "/promises/policy/"))
    assert "Changes in the tables" in page and "77 days" in page and "Publish version 2" in page
    assert "tables have changed" in plain(read(owner, "/"))


def test_a_version_says_whether_it_is_what_it_was(site, owner):
    assert "unchanged" in read(owner, "/promises/policy/1/")
    PolicyVersion.objects.update(said="Something else.")
    assert "altered" in read(owner, "/promises/policy/1/")
    assert owner.get("/promises/policy/2/").status_code == 404


HOSTILE = "<img src=x onerror=1 hx-get=/x>"


def test_a_hostile_text_is_shown_as_it_is(site, owner):
    site.policy.write_text(f"{policy_text()}\n{HOSTILE}\n")
    publish(owner, site, said=HOSTILE)
    site.policy.write_text(f"{policy_text()}\n{HOSTILE} more [x]{{promise={HOSTILE.split()[0]}}}\n")
    for path in ("/promises/", "/promises/policy/", "/promises/policy/2/"):
        tags = Tags(read(owner, path)).found
        assert not [tag for tag, _ in tags if tag == "img"]
        named = {name for _, attributes in tags for name in attributes if name.startswith(("hx-", "on"))}
        assert named <= {"hx-ignore", "hx-boost"}


# -- what needs a hand ------------------------------------------------------------------------------------------------


def test_a_broken_promise_is_on_the_first_page(owner):
    write_run(contact_forms="broken")
    told = plain(read(owner, "/"))
    assert f"Broken promise: {PROMISES['contact.basic'].means}" in told


def test_promises_that_nobody_looked_at_for_a_day_are_on_the_first_page(owner):
    write_run(ago=timedelta(days=2))
    assert f"{ALL} promises are no longer verified." in plain(read(owner, "/"))
    write_run()
    assert "no longer verified" not in plain(read(owner, "/"))


@pytest.mark.parametrize("path", ["/promises/run/", "/promises/policy/publish/"])
def test_nothing_is_done_by_looking(owner, path):
    assert owner.get(path).status_code == 405
