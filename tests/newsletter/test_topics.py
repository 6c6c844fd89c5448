"""Topics: what may be made of them, who has which, and what counts only once it is confirmed."""

import uuid
from collections import Counter
from datetime import timedelta

import pytest

from tests.conftest import both
from tests.newsletter.test_services import (
    NOW,
    WORDING,
    confirm_link,
    confirmed,
    held,
    leave_link,
    sign_up,
    signup,
    use,
)
from troth.core import clock
from troth.core.intake_counts import Count
from troth.core.personal import EmailAddress
from troth.core.purpose import Reason
from troth.core.signed_links import MAX_TOPICS, Act
from troth.newsletter import consent_texts, erase, services, topics
from troth.newsletter.entry import EarlierSignup, Signup
from troth.newsletter.models import Request, Subscription, Topic, TopicSubscription
from troth.newsletter.topics import TopicRefused
from troth.vault.keeper import keeper
from troth.vault.models import Canary, Person
from troth.vault.records import CONSENT
from troth.worker.intake import Intake

__all__ = ["held"]


@pytest.fixture
def offered(held):
    """Three public topics, numbers 0 to 2, and a private one, number 3."""
    made = [topics.create(name, "", public=True) for name in ("Releases", "Security", "Events")]
    return [*made, topics.create("Partners", "", public=False)]


def chosen():
    """What the only subscriber has, as a bitmap."""
    place = Subscription.objects.get()
    return topics.of_subscriptions([place.id]).get(place.id, 0)


def consents():
    person = Person.objects.get().id
    opened = keeper().open_records(Reason.SHOW_CONSENT, actor=uuid.UUID(int=4), person_ids=[person], kind=CONSENT)
    return sorted(opened[person], key=lambda step: step.at_ms)


# -- the topics themselves --------------------------------------------------------------------------------------------


@both
def test_topics_are_made_changed_archived_and_restored(held):
    first = topics.create("  Releases\n", "New versions", public=True)
    second = topics.create("Partners", "", public=False)
    assert (first.name, first.number, second.number) == ("Releases", 0, 1)
    assert topics.public_topics() == [first]
    topics.change(second.id, "Friends", "For friends", public=True)
    topics.archive(first.id)
    assert [topic.name for topic in topics.public_topics()] == ["Friends"]
    assert [topic.name for topic in topics.all_topics()] == ["Releases", "Friends"]
    topics.restore(first.id)
    assert [topic.name for topic in topics.public_topics()] == ["Releases", "Friends"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "releases", "RELEASES "])
def test_a_name_that_is_none_or_taken_is_refused_with_what_to_do(offered, name):
    for refused in (
        lambda: topics.create(name, "", public=True),
        lambda: topics.change(offered[1].id, name, "", public=True),
    ):
        with pytest.raises(TopicRefused) as error:
            refused()
        assert error.value.mend
    assert len(topics.all_topics()) == 4


def test_a_topic_may_keep_its_name_and_one_that_is_not_there_is_refused(offered):
    topics.change(offered[0].id, "releases", "All of them", public=True)
    for act in (topics.archive, topics.restore):
        with pytest.raises(TopicRefused):
            act(uuid.uuid4())
    with pytest.raises(TopicRefused):
        topics.create("Long", "x" * 201, public=True)


def test_there_are_as_many_topics_as_a_link_has_room_for(held):
    Topic.objects.bulk_create(Topic(name=f"Topic {number}", number=number) for number in range(MAX_TOPICS))
    with pytest.raises(TopicRefused):
        topics.create("One more", "", public=True)
    confirmed()
    place = Subscription.objects.get().id
    every = (1 << MAX_TOPICS) - 1
    assert topics.choose(place, before=0, chosen=every, at=NOW) and chosen() == every
    Request.objects.update(topics=every)
    assert Request.objects.get().topics == every


# -- choosing ---------------------------------------------------------------------------------------------------------


@both
def test_topics_of_a_sign_up_count_once_it_is_confirmed(offered):
    sign_up(signup(topics=0b101, policy=3))
    assert not TopicSubscription.objects.exists()
    assert use(confirm_link()) == {"confirmed": 1}
    assert chosen() == 0b101
    asked, agreed = consents()
    assert (asked.step, asked.topics, asked.policy) == ("asked", 0b101, 3)
    assert (agreed.step, agreed.topics, agreed.policy) == ("confirmed", None, None)


def test_what_a_stranger_ticks_for_a_subscriber_changes_nothing_until_that_one_confirms(offered):
    sign_up(signup(topics=0b001))
    use(confirm_link())
    sign_up(signup(topics=0b110))
    assert chosen() == 0b001
    use(confirm_link())
    assert chosen() == 0b111  # added: the form does not know what they have


def test_private_archived_and_unknown_topics_are_not_to_be_had_by_a_sign_up(offered):
    topics.archive(offered[1].id)
    sign_up(signup(topics=1 << 62 | 0b1011))
    assert Request.objects.get().topics == 0b1011  # of a number that never was, nothing is kept
    use(confirm_link())
    assert chosen() == 0b001


def test_a_sign_up_that_was_sealed_before_there_were_topics_is_filed_as_it_was(site, held):
    """A spool may hold it when the new version starts."""
    consent_texts.keep("yes")
    assert (EarlierSignup.schema, Signup.schema) == (1, 6)
    site.submit(EarlierSignup(email=EmailAddress("anna@example.com"), wording=WORDING), signup("ben@example.com"))
    intake, counts = Intake(), Counter()
    while (turn := intake.turn()).moved:
        counts += turn.counts
    assert (counts[Count.SIGNUPS], counts[Count.ASIDE], counts[Count.JUNK]) == (2, 0, 0)
    for request in Request.objects.all():
        assert use(confirm_link(request)) == {"confirmed": 1}
    assert set(Request.objects.values_list("topics", flat=True)) == {0}


@both
def test_only_what_the_visitor_changed_is_applied(offered):
    confirmed()
    place = Subscription.objects.get().id
    assert topics.choose(place, before=0, chosen=0b011, at=NOW)
    # A page behind an old link shows nothing ticked; what was chosen since stays.
    assert topics.choose(place, before=0, chosen=0b100, at=NOW) and chosen() == 0b111
    assert topics.choose(place, before=0b001, chosen=0, at=NOW) and chosen() == 0b110
    assert not topics.choose(place, before=0b001, chosen=0, at=NOW)
    assert not topics.choose(place, before=0b110, chosen=0b110, at=NOW)
    assert not topics.choose(place, before=0, chosen=0b1000, at=NOW)  # private
    TopicSubscription.objects.create(subscription_id=place, topic=offered[3])
    assert chosen() == 0b1110
    assert topics.choose(place, before=0b1000, chosen=0, at=NOW) and chosen() == 0b110  # whoever has it may drop it


def test_leaving_drops_the_topics_and_coming_back_does_not_bring_them(offered):
    sign_up(signup(topics=0b111))
    use(confirm_link())
    Subscription.objects.update(paused_until=NOW + timedelta(days=30))
    assert use(leave_link(), Act.UNSUBSCRIBE) == {"left": 1}
    assert not TopicSubscription.objects.exists()
    assert Subscription.objects.get().paused_until is None
    sign_up(signup(topics=0b010))
    use(confirm_link())
    assert chosen() == 0b010


def test_who_left_has_no_topics_in_a_restored_copy(offered):
    sign_up(signup(topics=0b111))
    use(confirm_link())
    place = Subscription.objects.get().id
    assert services.leave_again({place: services.ms_of(clock.now() + timedelta(hours=1))}) == 1
    assert not TopicSubscription.objects.exists()
    assert services.leave_again({place: services.ms_of(clock.now() + timedelta(hours=1))}) == 0


def test_confirming_again_ends_a_pause(offered):
    confirmed()
    Subscription.objects.update(paused_until=NOW + timedelta(days=30))
    sign_up()
    use(confirm_link())
    assert Subscription.objects.get().paused_until is None


# -- counts, history, export ------------------------------------------------------------------------------------------


@both
def test_counts_and_bitmaps_are_of_confirmed_people_and_no_canary_is_counted(offered):
    for number, bits in enumerate((0b001, 0b011, 0b111, 0)):
        sign_up(signup(f"p{number}@example.com", topics=bits))
        use(confirm_link())
    people = list(Person.objects.order_by("created_at", "id"))
    places = {row.person_id: row.id for row in Subscription.objects.all()}
    got = topics.of_subscriptions(places.values())
    assert [got.get(places[person.id], 0) for person in people] == [0b001, 0b011, 0b111, 0]
    assert topics.counts() == {topic.id: count for topic, count in zip(offered, (3, 2, 1, 0), strict=True)}
    Canary.objects.create(person=people[2])
    assert list(topics.counts().values()) == [2, 1, 0, 0]


def test_history_and_export_name_the_topics_the_pause_and_the_policy(offered):
    sign_up(signup(topics=0b101, policy=2))
    use(confirm_link())
    until = NOW + timedelta(days=30)
    Subscription.objects.update(paused_until=until)
    person = Person.objects.get().id
    steps = [step.what for step in erase.history(person)]
    assert "Chose the topic: Releases" in steps and "Chose the topic: Events" in steps
    state, consent = erase.export(person, "worker")
    assert state.items[0]["topics"] == "Releases, Events" and state.items[0]["paused_until"] == until
    asked = next(item for item in consent.items if item["step"] == "asked")
    assert (asked["topics"], asked["policy_version"]) == ("Releases, Events", 2)
    assert "policy_version" not in next(item for item in consent.items if item["step"] == "confirmed")


def test_an_erased_person_has_no_topics(offered):
    sign_up(signup(topics=0b111))
    use(confirm_link())
    keeper().erase([Person.objects.get().id])
    assert not TopicSubscription.objects.exists()
