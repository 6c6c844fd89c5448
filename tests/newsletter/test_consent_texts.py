"""What people agreed to can be read after the operator has changed it."""

import hashlib
import json

import msgspec
from django.conf import settings as site_settings

from tests.conftest import both
from tests.people.files import taken_in, written
from tests.people.people import ADDRESS, signed_up
from troth.core.personal import EmailAddress
from troth.front import published
from troth.front.forms import newsletter
from troth.newsletter import consent_texts
from troth.newsletter.entry import Signup, wording_digest
from troth.newsletter.models import Sentence
from troth.people import queries
from troth.rights import services
from troth.worker import publish

FIRST, THEN = "Send me the letters.", "Send me the letters, and now and then a parcel."


def set_to(settings, consent):
    config = site_settings.TROTH_CONFIG
    newsletter_ = msgspec.structs.replace(config.newsletter, consent=consent)
    settings.TROTH_CONFIG = msgspec.structs.replace(config, newsletter=newsletter_)
    publish.publish()


@both
def test_each_sentence_that_a_form_ever_showed_is_kept_once(site, settings):
    before = Sentence.objects.count()
    for consent in (FIRST, FIRST, THEN, FIRST):
        set_to(settings, consent)
        form = newsletter.form(published.load(site.public))
        assert consent_texts.of(bytes.fromhex(form.wording)) == consent
    assert Sentence.objects.count() == before + 2
    assert wording_digest(THEN) in published.load(site.public).form.consents_before


@both
def test_who_agreed_before_it_was_changed_is_shown_what_they_agreed_to(site, settings):
    set_to(settings, FIRST)
    person = signed_up(site, Signup(EmailAddress("anna@example.com"), wording=wording_digest(FIRST)))
    set_to(settings, THEN)
    assert dict(queries.consent("operator", person.id).facts)["Consent text"] == f"“{FIRST}”"
    told = json.loads(services.export(person.id, "test").data.reveal())
    (steps,) = (part["items"] for part in told["parts"] if part["name"] == "consent")
    assert [step["sentence"] for step in steps] == [FIRST, None]
    assert steps[0]["sha256_of_the_sentence"] == hashlib.sha256(FIRST.encode()).hexdigest()


def test_a_hash_of_something_else_is_no_sentence(site, tmp_path):
    taken_in(written(tmp_path / "people.csv", "email", ADDRESS))
    (person,) = queries.find("test", ADDRESS)
    told = json.loads(services.export(person, "test").data.reveal())
    (steps,) = (part["items"] for part in told["parts"] if part["name"] == "consent")
    assert steps[0]["sentence"] is None and steps[0]["sha256_of_the_sentence"]
