"""A link is good for what it was made for, on its own site, until its time; any other is refused."""

import base64
import string
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.core import clock
from troth.core.signed_links import (
    LENGTH,
    LENGTH_WITH_TOPICS,
    Act,
    Link,
    LinkExpired,
    LinkRefused,
    LinkSigner,
    LinkVerifier,
)

SITE, KEY = uuid.UUID(int=7), Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALPHABET_IN_ORDER = string.ascii_uppercase + string.ascii_lowercase + string.digits + "-_"
ALPHABET = string.ascii_letters + string.digits + "-_"
SIGNER = LinkSigner(SITE, 3, KEY)
VERIFIER = LinkVerifier(SITE, {3: KEY.public_key().public_bytes_raw()})
acts = st.sampled_from([act for act in Act if act is not Act.PREFERENCES])
bitmaps = st.integers(0, 2**64 - 1)
moments = st.timedeltas(timedelta(seconds=1), timedelta(days=20_000)).map(lambda later: NOW + later)


@pytest.fixture(autouse=True, scope="module")
def _held():
    with clock.hold(NOW):
        yield


def refused(text, act=Act.CONFIRM, verifier=VERIFIER):
    with pytest.raises(LinkRefused) as error:
        verifier.verify(text, act)
    assert type(error.value) is LinkRefused
    assert error.value.mend
    assert len(text) < 40 or text not in f"{error.value} {error.value.mend}"


@given(acts, st.uuids(), st.none() | moments)
def test_a_link_comes_back_as_it_was_made(act, subject, expires):
    text = SIGNER.sign(act, subject, expires)
    assert len(text) == LENGTH and set(text) <= set(ALPHABET)
    assert VERIFIER.verify(text, act) == Link(act, subject, expires.replace(microsecond=0) if expires else None)


@settings(max_examples=300)
@given(acts, st.uuids(), st.integers(0, LENGTH - 1), st.characters(max_codepoint=0x2FF))
def test_any_altered_character_is_refused(act, subject, place, character):
    text = SIGNER.sign(act, subject)
    altered = text[:place] + character + text[place + 1 :]
    if altered != text:
        refused(altered, act)


def test_a_link_has_exactly_one_spelling():
    """`+` and `/` are the same six bits as `-` and `_` in another alphabet, which is not ours."""
    tried = 0
    for number in range(50):
        text = SIGNER.sign(Act.CONFIRM, uuid.UUID(int=number))
        for ours, foreign in (("-", "+"), ("_", "/")):
            if ours in text:
                refused(text.replace(ours, foreign, 1))
                tried += 1
    assert tried


@given(st.text(max_size=200))
def test_no_other_text_is_a_link(text):
    refused(text)


@pytest.mark.parametrize("change", [lambda t: t[:-1], lambda t: t + "A", lambda t: t + "=", lambda t: t + "\n"])
def test_a_link_that_is_not_whole_is_refused(change):
    refused(change(SIGNER.sign(Act.CONFIRM, SITE)))


def test_a_link_for_one_act_does_not_serve_for_another():
    refused(SIGNER.sign(Act.CONFIRM, SITE), Act.UNSUBSCRIBE)
    refused(SIGNER.sign(Act.UNSUBSCRIBE, SITE), Act.CONFIRM)


def test_a_link_of_another_site_is_refused_although_the_key_is_the_same():
    refused(LinkSigner(uuid.UUID(int=8), 3, KEY).sign(Act.CONFIRM, SITE))


def test_a_link_signed_with_another_key_or_an_unknown_number_is_refused():
    refused(LinkSigner(SITE, 3, Ed25519PrivateKey.generate()).sign(Act.CONFIRM, SITE))
    refused(LinkSigner(SITE, 4, KEY).sign(Act.CONFIRM, SITE))


def test_a_link_of_another_version_is_refused_although_it_is_signed():
    payload = bytes([2, 3, Act.CONFIRM]) + bytes(20)
    signature = KEY.sign(b"troth link v1\0" + SITE.bytes + payload)
    refused(base64.urlsafe_b64encode(payload + signature).decode())


def test_links_of_an_older_key_still_work():
    new = Ed25519PrivateKey.generate()
    both = {3: KEY.public_key().public_bytes_raw(), 4: new.public_key().public_bytes_raw()}
    verifier = LinkVerifier(SITE, both)
    for signer in (SIGNER, LinkSigner(SITE, 4, new)):
        assert verifier.verify(signer.sign(Act.CONFIRM, SITE), Act.CONFIRM).subject == SITE


def test_an_expired_link_says_so_and_a_forged_expired_one_does_not():
    text = SIGNER.sign(Act.CONFIRM, SITE, NOW + timedelta(hours=1))
    with clock.hold(NOW) as held:
        held.move(minutes=59)
        assert VERIFIER.verify(text, Act.CONFIRM)
        held.move(minutes=2)
        with pytest.raises(LinkExpired) as error:
            VERIFIER.verify(text, Act.CONFIRM)
        assert text not in str(error.value) and error.value.mend
        refused(text[:-1] + ("A" if text[-1] != "A" else "B"))


def test_a_clock_that_jumps_back_makes_no_link_last_longer_than_its_signature_says():
    text = SIGNER.sign(Act.CONFIRM, SITE, NOW + timedelta(hours=1))
    with clock.hold(NOW) as held:
        held.move(days=-400)
        assert VERIFIER.verify(text, Act.CONFIRM).expires == NOW + timedelta(hours=1)
        held.move(days=400, hours=2)
        with pytest.raises(LinkExpired):
            VERIFIER.verify(text, Act.CONFIRM)


def test_verifying_twice_gives_the_same_for_replay_is_the_workers_to_judge():
    text = SIGNER.sign(Act.UNSUBSCRIBE, SITE)
    assert VERIFIER.verify(text, Act.UNSUBSCRIBE) == VERIFIER.verify(text, Act.UNSUBSCRIBE)


@given(st.uuids(), bitmaps)
def test_a_link_to_preferences_carries_the_topics_that_were_chosen_when_it_was_made(subject, topics):
    text = SIGNER.sign_topics(subject, topics)
    assert len(text) == LENGTH_WITH_TOPICS and set(text) <= set(ALPHABET)
    assert VERIFIER.verify(text, Act.PREFERENCES) == Link(Act.PREFERENCES, subject, None, topics)


@settings(max_examples=300)
@given(st.uuids(), bitmaps, st.integers(0, LENGTH_WITH_TOPICS - 1), st.characters(max_codepoint=0x2FF))
def test_any_altered_character_of_a_link_to_preferences_is_refused(subject, topics, place, character):
    text = SIGNER.sign_topics(subject, topics)
    altered = text[:place] + character + text[place + 1 :]
    if altered != text:
        refused(altered, Act.PREFERENCES)


def test_a_link_to_preferences_serves_for_nothing_else_and_no_other_for_preferences():
    for act in (Act.CONFIRM, Act.UNSUBSCRIBE, Act.RIGHTS):
        refused(SIGNER.sign_topics(SITE, 5), act)
        refused(SIGNER.sign(act, SITE), Act.PREFERENCES)
    for version, size in ((1, 20), (2, 20), (1, 28)):
        payload = bytes([version, 3, Act.PREFERENCES]) + bytes(size)
        signature = KEY.sign(b"troth link v1\0" + SITE.bytes + payload)
        refused(base64.urlsafe_b64encode(payload + signature).decode().rstrip("="), Act.PREFERENCES)
    with pytest.raises(ValueError, match="topics"):
        SIGNER.sign(Act.PREFERENCES, SITE)


def test_a_link_to_preferences_has_exactly_one_spelling():
    text = SIGNER.sign_topics(SITE, 5)
    refused(text + "=", Act.PREFERENCES)
    last = ALPHABET_IN_ORDER.index(text[-1])  # its lowest two bits are no part of the last byte
    for bits in range(1, 4):
        refused(text[:-1] + ALPHABET_IN_ORDER[last ^ bits], Act.PREFERENCES)
