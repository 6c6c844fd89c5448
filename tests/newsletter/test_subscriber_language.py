"""A subscriber's language: that of the sentence beside their form, and what campaigns do with it."""

import json
from datetime import UTC, datetime

import msgspec
import pytest
from django.conf import settings as site_settings

from tests.conftest import both
from tests.newsletter import subscribers as people
from tests.newsletter.subscribers import leave, subscribe
from troth.core import clock
from troth.core.config.sections import TranslationSection
from troth.newsletter import services
from troth.newsletter.campaigns import audience, drafts, sending
from troth.newsletter.entry import wording_digest
from troth.newsletter.models import Campaign, Sentence, Subscription
from troth.rights import services as rights
from troth.worker import publish

ENGLISH, GERMAN = "Send me the newsletter.", "Ich möchte den Newsletter erhalten."


@pytest.fixture
def two_languages(site, settings):
    """A site whose form has an English sentence and a German one."""
    config = site_settings.TROTH_CONFIG
    newsletter = msgspec.structs.replace(config.newsletter, consent=ENGLISH, language="EN")
    translations = (TranslationSection(language="de-at", consent=GERMAN),)
    settings.TROTH_CONFIG = msgspec.structs.replace(config, newsletter=newsletter, translation=translations)
    publish.publish()


def signs_up(address, sentence, monkeypatch, *, confirm=True):
    monkeypatch.setattr(people, "WORDING", wording_digest(sentence))
    return subscribe(address, confirm=confirm)


def language_of(person):
    return Subscription.objects.get(person=person).language


@both
def test_it_is_that_of_the_sentence_they_agreed_to_once_they_confirm(two_languages, monkeypatch):
    ada = signs_up("ada@example.com", GERMAN, monkeypatch)
    bob = signs_up("bob@example.com", ENGLISH, monkeypatch)
    assert [language_of(person) for person in (ada, bob)] == ["de-AT", "en"]
    # Anybody may type anybody's address: until the link is used, nothing changes.
    signs_up("ada@example.com", ENGLISH, monkeypatch, confirm=False)
    assert language_of(ada) == "de-AT"
    signs_up("ada@example.com", ENGLISH, monkeypatch)
    assert language_of(ada) == "en"


@both
def test_a_sentence_without_a_language_changes_none_and_sets_none(two_languages, monkeypatch):
    Sentence.objects.create(digest=wording_digest("Yes."), text="Yes.")
    ada, bob = signs_up("ada@example.com", GERMAN, monkeypatch), signs_up("bob@example.com", "Yes.", monkeypatch)
    signs_up("ada@example.com", "Yes.", monkeypatch)
    assert [language_of(person) for person in (ada, bob)] == ["de-AT", ""]


@both
def test_it_goes_when_they_leave_and_a_restore_does_not_bring_it_back(two_languages, monkeypatch):
    ada, bob = signs_up("ada@example.com", GERMAN, monkeypatch), signs_up("bob@example.com", GERMAN, monkeypatch)
    leave(ada)
    later = int(clock.now().timestamp() * 1000) + 60_000
    services.leave_again({Subscription.objects.get(person=bob).id: later})
    assert [language_of(person) for person in (ada, bob)] == ["", ""]


def test_it_is_in_the_export_of_their_data(two_languages, monkeypatch):
    person = signs_up("ada@example.com", GERMAN, monkeypatch)
    told = json.loads(rights.export(person, "test").data.reveal())
    (newsletter,) = (part["items"] for part in told["parts"] if part["name"] == "newsletter")
    assert newsletter[0]["language"] == "de-AT"


@both
def test_a_campaign_for_one_language_goes_to_its_subscribers_only(two_languages, monkeypatch, written):
    for address, sentence in (("ada@example.com", GERMAN), ("bob@example.com", ENGLISH)):
        signs_up(address, sentence, monkeypatch)
    unknown, other = subscribe_unknown("cy@example.com"), subscribe_unknown("di@example.com")
    Subscription.objects.filter(person=other).update(language="den")  # another language that begins alike
    assert audience.languages() == ["de-AT", "den", "en"]
    counts = {tag: audience.estimate(written(to_language=tag)) for tag in ("", "de", "de-AT", "de-CH", "en")}
    assert counts == {"": 4, "de": 1, "de-AT": 1, "de-CH": 0, "en": 1}
    german = written(to_language="de")
    assert audience.of_unknown_language(german) == 1 and audience.of_unknown_language(written()) == 0
    leave(unknown)
    assert audience.of_unknown_language(german) == 0
    sending.send(german.id)
    while Campaign.objects.get(id=german.id).state == "preparing":
        sending.advance()
    assert sending.progress(german.id).audience == 1
    assert drafts.duplicate(german.id).to_language == "de"


def subscribe_unknown(address):
    person = subscribe(address)
    Subscription.objects.filter(person=person).update(language="", confirmed_at=datetime(2026, 1, 1, tzinfo=UTC))
    return person


def test_the_editor_offers_the_languages_that_there_are_and_the_review_says_who_is_left_out(
    two_languages, monkeypatch, written, desk
):
    signs_up("ada@example.com", GERMAN, monkeypatch)
    subscribe_unknown("cy@example.com")
    draft = written()
    page = desk.get(f"/newsletter/{draft.id}/").content.decode()
    assert (
        '<option value="de-AT">German (de-AT)</option>' in page and '<option value="en">English (en)</option>' in page
    )
    typed = {"subject": "Hallo", "markdown": "Text", "template": "plain", "language": "de", "revision": draft.revision}
    save, review = f"/newsletter/{draft.id}/save/", f"/newsletter/{draft.id}/review/"
    assert desk.post(save, typed | {"to_language": "xx"}).status_code == 422
    desk.post(save, typed | {"to_language": "de-AT"})
    assert Campaign.objects.get().to_language == "de-AT"
    page = desk.get(review).content.decode()
    assert "language <span" in page and "1 more subscriber would match, but their language is not known" in page
    Campaign.objects.update(to_language="")
    assert "language is not known" not in desk.get(review).content.decode()


def test_a_language_that_nobody_has_any_more_stays_chosen_in_a_draft(two_languages, written, desk):
    page = desk.get(f"/newsletter/{written(to_language='fr').id}/").content.decode()
    assert '<option value="fr" selected>French (fr)</option>' in page


def test_the_sentences_language_follows_the_settings(two_languages, settings):
    config = site_settings.TROTH_CONFIG
    assert Sentence.objects.get(digest=wording_digest(ENGLISH)).language == "en"
    for language, stored in (
        ("en-GB", "en-GB"),
        ("", "en-GB"),
    ):  # a sentence keeps the language that it was said to have
        newsletter = msgspec.structs.replace(config.newsletter, language=language)
        settings.TROTH_CONFIG = msgspec.structs.replace(config, newsletter=newsletter)
        publish.publish()
        assert Sentence.objects.get(digest=wording_digest(ENGLISH)).language == stored
