"""What the preference centre sent: verified again, applied to one subscription, and to nothing else of the person."""

import uuid
from collections import Counter
from datetime import UTC, datetime

import pytest

from tests.conftest import both
from tests.newsletter.test_services import NOW, confirm_link, confirmed, held, leave_link, sign_up, signup, use
from tests.newsletter.test_topics import chosen, consents, offered
from troth.core import ids
from troth.core.entry import Came, EntryRefused, came
from troth.core.intake_counts import Count
from troth.core.signed_links import Act, LinkSigner
from troth.newsletter import preferences, topics
from troth.newsletter.campaigns.mails import still_wanted
from troth.newsletter.entry import PAUSE_ENDS, LinkUsed, PreferencesSet
from troth.newsletter.models import Subscription, Topic, TopicSubscription
from troth.vault import signing_keys
from troth.vault.models import Person, Record
from troth.worker.intake import Intake

__all__ = ["held", "offered"]


def link(bitmap=0, subject=None):
    return signing_keys.signer().sign_topics(subject or Subscription.objects.get().id, bitmap)


def press(text=None, *, seen=0, chosen=0, at=None, **more):
    submission = came(ids.new_id(), PreferencesSet(text or link(), seen, chosen, **more))
    return preferences.apply([Came(submission.entry_id, submission.entry, at or submission.at)])


@both
def test_topics_are_chosen_and_dropped_and_the_consent_says_when(offered):
    confirmed()
    assert press(seen=0, chosen=0b011) == {Count.PREFERENCES: 1}
    assert chosen() == 0b011
    assert press(seen=0b011, chosen=0b010) == {Count.PREFERENCES: 1}
    assert press(seen=0b011, chosen=0b010) == {Count.LINKS_WITHOUT_EFFECT: 1}
    assert chosen() == 0b010
    steps = [step for step in consents() if step.step == "topics"]
    assert [step.topics for step in steps] == [0b011, 0b010]
    assert all(step.wording is None and step.at_ms == int(NOW.timestamp() * 1000) for step in steps)


@pytest.mark.parametrize(
    ("months", "until"),
    [(1, NOW.replace(month=4)), (3, NOW.replace(month=6)), (6, NOW.replace(month=9)), (PAUSE_ENDS, None)],
)
def test_a_pause_begins_and_ends(offered, months, until):
    confirmed()
    Subscription.objects.update(paused_until=NOW)
    assert press(pause=months) == {Count.PREFERENCES: 1}
    assert Subscription.objects.get().paused_until == until
    assert Subscription.objects.get().state == "confirmed"
    assert press(pause=months) == {Count.LINKS_WITHOUT_EFFECT: 1}
    assert press(seen=0, chosen=1) == {Count.PREFERENCES: 1}  # as it is
    assert Subscription.objects.get().paused_until == until


def test_a_month_later_is_the_last_day_of_a_shorter_one():
    late = datetime(2026, 8, 31, 23, 59, tzinfo=UTC)
    assert preferences.months_after(late, 1) == datetime(2026, 9, 30, 23, 59, tzinfo=UTC)
    assert preferences.months_after(late, 6) == datetime(2027, 2, 28, 23, 59, tzinfo=UTC)
    assert preferences.months_after(datetime(2026, 12, 31, tzinfo=UTC), 1) == datetime(2027, 1, 31, tzinfo=UTC)


@both
def test_the_button_to_leave_leaves_the_whole_list(offered):
    confirmed()
    press(seen=0, chosen=0b111)
    assert press(leave=True) == {Count.LEFT: 1}
    assert Subscription.objects.get().state == "left" and chosen() == 0
    assert press(leave=True) == {Count.LINKS_WITHOUT_EFFECT: 1}


def test_who_left_or_never_confirmed_chooses_nothing(offered):
    sign_up()
    assert press(seen=0, chosen=0b1, pause=1) == {Count.LINKS_WITHOUT_EFFECT: 1}
    use(confirm_link())
    use(leave_link(), Act.UNSUBSCRIBE)
    assert press(seen=0, chosen=0b1, pause=1) == {Count.LINKS_WITHOUT_EFFECT: 1}
    assert Subscription.objects.get().paused_until is None and chosen() == 0
    assert press(link(subject=uuid.uuid4()), chosen=1) == {Count.LINKS_WITHOUT_EFFECT: 1}


def test_no_other_link_and_no_altered_one_sets_anything(offered):
    confirmed()
    sign_up(signup("ben@example.com"))
    place = Subscription.objects.get(state="confirmed").id
    key = next(iter(signing_keys._link_keys(signing_keys.settings.TROTH_SITE.root).values()))
    good = link(subject=place)
    wrong = [
        signing_keys.signer().sign(Act.UNSUBSCRIBE, place),
        confirm_link(),
        LinkSigner(uuid.uuid4(), 1, key).sign_topics(place, 0),
        good[:-8] + "AAAAAAAA",
        good[:40] + ("A" if good[40] != "A" else "B") + good[41:],
        "",
    ]
    records = Record.objects.count()
    for text in wrong:
        for more in ({"chosen": 7}, {"pause": 1}, {"leave": True}):
            submission = came(ids.new_id(), PreferencesSet(text, 0, **({"chosen": 0} | more)))
            assert preferences.apply([submission]) == {Count.LINKS_REFUSED: 1}
    assert Record.objects.count() == records
    assert list(Subscription.objects.filter(id=place).values_list("state", "paused_until")) == [("confirmed", None)]


def test_a_link_to_preferences_neither_confirms_nor_unsubscribes(offered):
    confirmed()
    for act in (Act.CONFIRM, Act.UNSUBSCRIBE, Act.PREFERENCES, Act.RIGHTS):
        assert use(link(), act) in ({"links_refused": 1}, {"links_without_effect": 1})
    assert Subscription.objects.get().state == "confirmed"


def test_what_no_page_of_ours_says_is_refused():
    for entry in (
        PreferencesSet("x", -1, 0),
        PreferencesSet("x", 0, 1 << 64),
        PreferencesSet("x", 0, 0, pause=2),
        PreferencesSet("x", 0, 0, pause=1200),
        PreferencesSet("x" * 500, 0, 0),
    ):
        with pytest.raises(EntryRefused):
            entry.check()
    PreferencesSet("x", (1 << 64) - 1, 0, pause=6).check()


def test_it_comes_by_the_spool_in_its_order_with_the_rest(site, offered):
    sign_up()
    place = Subscription.objects.get().id
    site.submit(
        LinkUsed(int(Act.CONFIRM), confirm_link()),
        PreferencesSet(link(subject=place), 0, 1),
        PreferencesSet(link(subject=place), 1, 1, pause=3),
    )
    intake, counts = Intake(), Counter()
    while (turn := intake.turn()).moved:
        counts += turn.counts
    assert (counts[Count.CONFIRMED], counts[Count.PREFERENCES]) == (1, 2)
    assert chosen() == 1 and Subscription.objects.get().paused_until is not None


@both
def test_one_topic_is_stopped_also_a_private_or_archived_one_and_the_rest_stays(offered):
    confirmed()
    press(seen=0, chosen=0b011)
    subscription = Subscription.objects.get()
    hidden = topics.create("Testers", "", public=False)
    TopicSubscription.objects.create(topic=hidden, subscription=subscription)
    every = chosen()
    assert press(link(every), seen=1 << hidden.number, chosen=0) == {Count.PREFERENCES: 1}
    assert chosen() == 0b011
    assert press(link(every), seen=0, chosen=1 << hidden.number) == {Count.LINKS_WITHOUT_EFFECT: 1}
    topics.archive(Topic.objects.get(number=0).id)
    assert press(link(every), seen=0b001, chosen=0) == {Count.PREFERENCES: 1}
    assert chosen() == 0b010 and Subscription.objects.get().state == "confirmed"


@both
def test_who_stopped_a_topic_gets_its_campaign_no_more_and_others_still(offered, written):
    confirmed()
    press(seen=0, chosen=0b001)
    person = Person.objects.get().id
    about, everybody = written(topic=Topic.objects.get(number=0)), written()
    assert [set(still_wanted(campaign, [person])) for campaign in (about, everybody)] == [{person}, {person}]
    press(link(0b001), seen=0b001, chosen=0)
    assert [set(still_wanted(campaign, [person])) for campaign in (about, everybody)] == [set(), {person}]
