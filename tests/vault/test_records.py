"""A box opens for its purpose, as its person's, in its place, and nowhere else (C2)."""

import os
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Purpose
from troth.vault import records
from troth.vault.errors import RecordDamaged
from troth.vault.records import ANSWER, CONSENT, DETAILS, KINDS, MAIL_DATA, MESSAGE, PENDING, Boxer, Consent, Details

SITE, KEY, WHO, PLACE = uuid.UUID(int=1), bytes(range(32)), uuid.UUID(int=2), uuid.UUID(int=3)
BOXER, ADMINISTRATION, IDENTIFICATION = Boxer(SITE), Purpose.ADMINISTRATION, Purpose.IDENTIFICATION
ANNA = Details(EmailAddress("anna@example.com"), PersonName("Anna"))
text = st.text(st.characters(codec="utf-8"), max_size=80)


def refused(box, *, boxer=BOXER, key=KEY, purpose=ADMINISTRATION, who=WHO, kind=DETAILS, place=PLACE):
    with pytest.raises(RecordDamaged) as error:
        boxer.open(key, purpose, who, kind, place, box)
    assert error.value.__cause__ is None and "anna" not in str(error.value)


@given(text, *[st.none() | text] * 4)
def test_details_come_back_as_they_were_filed(email, name, telephone, address, company):
    kinds = (PersonName, Telephone, PostalAddress, Company)
    others = [
        kind(value) if value is not None else None
        for kind, value in zip(kinds, (name, telephone, address, company), strict=True)
    ]
    content = Details(EmailAddress(email), *others)
    assert (
        BOXER.open(KEY, ADMINISTRATION, WHO, DETAILS, PLACE, BOXER.close(KEY, WHO, DETAILS, PLACE, content)) == content
    )


@given(st.uuids(), st.integers(0, 2**50), st.none() | st.uuids(), st.none() | st.binary(max_size=32))
def test_consent_comes_back_for_identification_only(entry, at, request_, wording):
    content = Consent("asked", entry, at, request_, wording)
    box = BOXER.close(KEY, WHO, CONSENT, PLACE, content)
    assert BOXER.open(KEY, IDENTIFICATION, WHO, CONSENT, PLACE, box) == content
    refused(box, kind=CONSENT, purpose=ADMINISTRATION)


def test_a_box_of_another_purpose_person_place_kind_site_or_key_does_not_open():
    box = BOXER.close(KEY, WHO, DETAILS, PLACE, ANNA)
    assert BOXER.open(KEY, ADMINISTRATION, WHO, DETAILS, PLACE, box) == ANNA
    refused(box, purpose=IDENTIFICATION)
    refused(box, who=uuid.UUID(int=4))
    refused(box, place=uuid.UUID(int=4))
    refused(box, kind=PENDING)
    refused(box, kind="unheard of")
    refused(box, boxer=Boxer(uuid.UUID(int=4)))
    refused(box, key=os.urandom(32))


@given(st.data())
def test_any_altered_or_cut_box_does_not_open(data):
    box = BOXER.close(KEY, WHO, DETAILS, PLACE, ANNA)
    place = data.draw(st.integers(0, len(box) - 1))
    flipped = bytearray(box)
    flipped[place] ^= data.draw(st.integers(1, 255))
    refused(bytes(flipped))
    refused(box[:place])
    refused(box + b"\0")


def test_a_kind_holds_what_it_is_for():
    with pytest.raises(TypeError, match="holds Consent"):
        BOXER.close(KEY, WHO, CONSENT, PLACE, ANNA)
    assert {kind: purpose for kind, (_, purpose) in KINDS.items()} == {
        DETAILS: ADMINISTRATION,
        PENDING: ADMINISTRATION,
        CONSENT: IDENTIFICATION,
        MESSAGE: ADMINISTRATION,
        MAIL_DATA: ADMINISTRATION,
        ANSWER: ADMINISTRATION,
    }


def test_the_same_details_make_another_box_each_time_and_show_nothing():
    one, other = (BOXER.close(KEY, WHO, DETAILS, PLACE, ANNA) for _ in range(2))
    assert one != other and one[1:13] != other[1:13]
    assert b"anna" not in one.lower()
    assert "anna" not in repr(ANNA).lower()


@pytest.mark.parametrize("plain", [b"\x81\xa5email\x05", b"\x81\xa5email\x91\xa4anna", b"\x80", b""])
def test_content_that_does_not_fit_its_kind_is_damage(plain):
    about = BOXER._about(ADMINISTRATION, WHO, DETAILS, PLACE)
    refused(b"\x01" + bytes(12) + records._cipher(KEY, ADMINISTRATION).encrypt(bytes(12), plain, about))
