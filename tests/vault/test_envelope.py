"""What is sealed opens as what it was sealed as, with its own site's key of its epoch, and as nothing else."""

import uuid
from typing import ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.audience.counting.commit import Counted
from troth.core.entry import Entry, Kind
from troth.core.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.core.purpose import Purpose
from troth.newsletter.entry import ENTRIES, LinkUsed, Signup
from troth.vault import envelope as seal
from troth.vault.envelope import PRIVATE_SIZE, PUBLIC_SIZE, OpeningKey, SealingKey, Unopenable, read_head

SITE, EPOCH, RAW = uuid.UUID(int=9), 12, OpeningKey.generate()
OPENING = OpeningKey(SITE, EPOCH, RAW)
SEALING = SealingKey(SITE, EPOCH, OPENING.public)
text = st.text(st.characters(codec="utf-8"), max_size=300)


def maybe(kind):
    return st.none() | text.map(kind)


signups = st.builds(
    Signup,
    email=text.map(EmailAddress),
    wording=st.binary(min_size=32, max_size=32),
    name=maybe(PersonName),
    telephone=maybe(Telephone),
    postal_address=maybe(PostalAddress),
    company=maybe(Company),
)
links = st.builds(LinkUsed, act=st.integers(0, 255), link=text)


class Impostor(Entry, frozen=True):
    """The fields of a used link, under the same schema, for the other purpose."""

    schema: ClassVar[int] = LinkUsed.schema
    purpose: ClassVar[Purpose] = Purpose.IDENTIFICATION
    kind: ClassVar[Kind] = Kind.LINK

    act: int
    link: str


def refused(envelope, kind=Signup, key=OPENING):
    with pytest.raises(Unopenable) as error:
        key.open(envelope, kind)
    assert error.value.__cause__ is None
    return str(error.value)


SIGNUP = Signup(EmailAddress("anna@example.com"), PersonName("Anna"), wording=bytes(32))


@settings(max_examples=60)
@given(signups | links)
def test_what_was_sealed_opens_as_it_was(entry):
    envelope = SEALING.seal(entry)
    assert OPENING.open(envelope, type(entry)) == entry
    head = read_head(envelope)
    assert (head.purpose, head.epoch, head.schema, head.entry_id.version) == (entry.purpose, EPOCH, entry.schema, 7)


@settings(max_examples=60)
@given(signups)
def test_an_envelopes_size_tells_little(entry):
    assert (len(SEALING.seal(entry)) - 21 - 1120 - 16) % 256 == 0


def test_envelopes_of_different_small_entries_have_one_size():
    sizes = [len(SEALING.seal(Signup(EmailAddress("x" * length), wording=bytes(32)))) for length in range(1, 257)]
    assert len(set(sizes[:100])) == 1 and len(set(sizes)) <= 2, "256 lengths lie in two blocks of 256 bytes at most"


def test_nothing_typed_is_readable_and_two_envelopes_of_one_entry_differ():
    one, other = SEALING.seal(SIGNUP), SEALING.seal(SIGNUP)
    assert one[21:] != other[21:] and read_head(one).entry_id != read_head(other).entry_id
    assert b"anna" not in one.lower() and b"example" not in one.lower()


@given(st.data())
def test_any_altered_cut_or_longer_envelope_does_not_open(data):
    envelope = SEALING.seal(SIGNUP)
    place = data.draw(st.integers(0, len(envelope) - 1))
    flipped = bytearray(envelope)
    flipped[place] ^= data.draw(st.integers(1, 255))
    refused(bytes(flipped))
    refused(envelope[:place])
    refused(envelope + b"\0")


@given(st.binary(max_size=2000))
def test_other_bytes_are_no_envelope(data):
    refused(data)


def test_every_field_of_the_head_is_bound_although_it_is_not_encrypted():
    """Purpose, epoch, schema and id are part of the seal: altered to what is asked for, it still does not open."""
    envelope = SEALING.seal(LinkUsed(1, "x"))
    as_other_purpose = envelope[:1] + bytes([Purpose.IDENTIFICATION.code]) + envelope[2:]
    assert "altered" in refused(as_other_purpose, Impostor)
    as_other_schema = envelope[:4] + bytes([Signup.schema]) + envelope[5:]
    assert "altered" in refused(as_other_schema, Signup)
    as_other_epoch = envelope[:2] + (EPOCH + 1).to_bytes(2) + envelope[4:]
    assert "altered" in refused(as_other_epoch, LinkUsed, OpeningKey(SITE, EPOCH + 1, RAW))
    as_other_id = envelope[:5] + uuid.uuid4().bytes + envelope[21:]
    assert "altered" in refused(as_other_id, LinkUsed)


def test_an_envelope_does_not_open_for_another_purpose_schema_or_epoch():
    envelope = SEALING.seal(LinkUsed(1, "x"))
    for kind, key in ((Impostor, OPENING), (Signup, OPENING), (LinkUsed, OpeningKey(SITE, EPOCH + 1, RAW))):
        assert "something else" in refused(envelope, kind, key)


def test_an_envelope_of_another_site_or_key_does_not_open():
    envelope = SEALING.seal(SIGNUP)
    refused(envelope, key=OpeningKey(uuid.uuid4(), EPOCH, RAW))
    refused(envelope, key=OpeningKey(SITE, EPOCH, OpeningKey.generate()))


def test_a_purpose_that_does_not_exist_is_refused():
    for code in (3, 255):
        assert "does not exist" in refused(b"\x01" + bytes([code]) + bytes(19))


def test_what_is_about_nobody_is_sealed_for_no_purpose_and_opens_as_nothing_else():
    envelope = SEALING.seal(Counted(packed=b"sums"))
    assert read_head(envelope).purpose is None
    assert OPENING.open(envelope, Counted).packed == b"sums"
    assert "something else" in refused(envelope, Signup)
    as_for_nobody = bytearray(SEALING.seal(SIGNUP))
    as_for_nobody[1] = 0
    assert "something else" in refused(bytes(as_for_nobody))


ANNA = b"anna@example.com"
HOSTILE = {
    "an address that is a number": b"\x82\xa7wording\xc4\x01x\xa5email\x05",
    "an address that is a list": b"\x82\xa7wording\xc4\x01x\xa5email\x91\xb0" + ANNA,
    "lists in lists": b"\x82\xa7wording\xc4\x01x\xa5email" + b"\x91" * 50_000 + b"\x01",
    "a size that cannot be": b"\x82\xa7wording\xc4\x01x\xa5email\xdd\xff\xff\xff\xff",
    "a field more": b"\x83\xa7wording\xc4\x01x\xa5email\xb0" + ANNA + b"\xa4size\xa242",
    "a field less": b"\x81\xa5email\xb0" + ANNA,
    "text that is not UTF-8": b"\x82\xa7wording\xc4\x01x\xa5email\xa2\xff\xfe",
    "nothing": b"",
    "no padding": None,
}


@pytest.mark.parametrize("plain", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_a_captured_front_may_seal_is_refused_without_being_quoted(plain):
    """Whoever has the public key can seal anything. It must be set aside, never stop intake or stand in a message."""
    padded = bytes(256) if plain is None else plain + b"\x80" + bytes(-(len(plain) + 1) % 256)
    head = seal._head(Signup.purpose, EPOCH, Signup.schema, uuid.uuid4())
    envelope = head + seal._SUITE.encrypt(padded, SEALING._key, info=seal._info(SITE, head))
    told = refused(envelope)
    assert "does not fit its schema" in told and "anna" not in told


def test_keys_have_their_sizes_and_show_nothing():
    assert len(RAW) == PRIVATE_SIZE and len(OPENING.public) == PUBLIC_SIZE
    for size in (0, PRIVATE_SIZE - 1, PRIVATE_SIZE + 1):
        with pytest.raises(ValueError, match=f"{PRIVATE_SIZE} bytes"):
            OpeningKey(SITE, EPOCH, bytes(size))
        with pytest.raises(ValueError, match=f"{PUBLIC_SIZE} bytes"):
            SealingKey(SITE, EPOCH, bytes(size))
    assert repr(OPENING) == f"<OpeningKey epoch={EPOCH}>"


def test_every_entry_has_a_wire_number_of_its_own():
    numbers = [entry.schema for entry in ENTRIES]
    assert len(set(numbers)) == len(numbers) and all(0 < number < 256 for number in numbers)
