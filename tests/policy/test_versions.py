"""Versions: what is in force is what was published, with a word of what changed; nothing on the disk changes it."""

from datetime import UTC, datetime

import msgspec
import pytest

from tests.conftest import both
from troth.core.config.sections import ContactSection
from troth.operate.create_site import policy_text
from troth.policy import text as policy
from troth.policy import versions
from troth.policy.models import PolicyVersion
from troth.policy.versions import NotPublished

SAMPLE = policy_text()
OTHER = SAMPLE.replace("Open a promise", "Unfold a promise")


def text(words=SAMPLE):
    return policy.parse(words)


@both
def test_the_first_version_publishes_itself_where_nothing_is_wrong_with_it(site):
    found = versions.in_force()
    assert (found.number, found.text, found.said, found.by) == (1, SAMPLE, "The first version.", "worker")
    assert found.digest == text().digest and found.is_whole()
    assert set(found.tables) == {"what_is_collected", "what_is_counted", "who_receives_it", "how_long", "how_long_else"}
    assert versions.in_force() == found, "once"


def test_one_that_contradicts_itself_does_not(site):
    site.policy.write_text(f"{SAMPLE}\nWe share your address with our partners.\n")
    assert versions.in_force() is None
    site.policy.unlink()
    assert versions.in_force() is None


@both
def test_editing_the_file_changes_nothing_for_visitors_until_it_is_published(site):
    versions.in_force()
    site.policy.write_text(OTHER)
    assert versions.in_force().text == SAMPLE
    draft = versions.draft()
    assert draft.edited and draft.waits and not draft.bad
    made = versions.publish(draft.text, "Said better.", "shell")
    assert (made.number, versions.in_force().text) == (2, OTHER)
    assert not versions.draft().waits


@both
def test_every_version_is_kept_and_none_is_written_over(site):
    for number, words in enumerate((SAMPLE, OTHER, SAMPLE), 1):
        assert versions.publish(text(words), f"Change {number}.", "shell").number == number
    kept = list(PolicyVersion.objects.order_by("number").values_list("number", "text", "said"))
    assert kept == [(1, SAMPLE, "Change 1."), (2, OTHER, "Change 2."), (3, SAMPLE, "Change 3.")]


def test_the_same_text_with_the_same_tables_is_no_new_version(site):
    assert versions.publish(text(), "One.", "shell").number == 1
    assert versions.publish(text(), "Two.", "shell").number == 1
    assert PolicyVersion.objects.get().said == "One."


def test_other_tables_are_something_to_publish(site, settings):
    versions.in_force()
    other = ContactSection(keep_days=77)
    settings.TROTH_CONFIG = msgspec.structs.replace(settings.TROTH_CONFIG, contact=other)
    draft = versions.draft()
    assert (draft.edited, draft.other_tables, draft.waits) == (False, True, True)
    made = versions.publish(draft.text, "Conversations go after 77 days.", "shell")
    assert made.number == 2 and "77 days" in str(made.tables)
    assert "77 days" not in str(PolicyVersion.objects.get(number=1).tables)


@pytest.mark.parametrize("said", ["", "   ", "\n\t", "\u200b", "\x00\x1b"])
def test_nothing_is_published_without_a_word(site, said):
    with pytest.raises(NotPublished, match="Say what changed"):
        versions.publish(text(), said, "shell")
    assert PolicyVersion.objects.count() == 0


def test_what_was_said_is_one_line_without_control_signs_and_not_too_long(site):
    assert versions.publish(text(), " One\n\x1b[31mtwo\u202e ", "shell").said == "One [31mtwo"
    with pytest.raises(NotPublished, match="has 501 characters"):
        versions.publish(text(OTHER), "x" * 501, "shell")


def test_a_text_with_something_bad_in_it_is_refused_with_all_that_is_bad(site):
    with pytest.raises(NotPublished, match=r"policy\.md:\d+") as refused:
        versions.publish(text(f"{SAMPLE}\n[x]{{promise=a.b}} [y]{{promise=c.d}}\n"), "Try.", "shell")
    assert len(refused.value.problems) == 2
    assert PolicyVersion.objects.count() == 0


@both
@pytest.mark.parametrize(
    "change",
    [
        {"text": OTHER},
        {"text": OTHER, "digest": policy.parse(OTHER).digest},
        {"said": "Nothing much."},
        {"tables": {}},
        {"published_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_a_version_that_was_altered_in_the_database_is_not_whole(site, change):
    versions.publish(text(), "One.", "shell")
    versions.publish(text(OTHER), "Two.", "shell")
    assert all(one.is_whole() for one in PolicyVersion.objects.all())
    PolicyVersion.objects.filter(number=1).update(**change)
    assert not PolicyVersion.objects.get(number=1).is_whole()


def test_a_version_that_was_taken_away_is_missed_by_the_next(site):
    versions.publish(text(), "One.", "shell")
    versions.publish(text(OTHER), "Two.", "shell")
    PolicyVersion.objects.filter(number=1).delete()
    assert not PolicyVersion.objects.get().is_whole()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"x" * 50_000, None])
def test_a_file_that_cannot_be_read_leaves_the_policy_as_it_is_and_says_why(site, data):
    versions.in_force()
    site.policy.unlink() if data is None else site.policy.write_bytes(data)
    draft = versions.draft()
    assert draft.text is None and draft.bad and "policy.md" in draft.trouble
    assert versions.in_force().text == SAMPLE


def test_a_fenced_process_reads_what_the_supervisor_brought(site):
    versions.in_force()
    site.policy_copy.write_text(OTHER)
    assert versions.draft().text.text == OTHER
    assert versions.draft(site.policy).text.text == SAMPLE
    site.policy_copy.write_bytes(b"\xff")
    assert "policy.md:1 is not UTF-8" in versions.draft().trouble
