"""A licence key survives what email does to it, and nothing else passes; the keys that sign it can be changed."""

import json
import os
import random
import tempfile
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.shop import licence_vectors as vectors
from troth.core.site import Site
from troth.core.text import card_numbers
from troth.shop.licences import revocation_file, signing
from troth.shop.licences.revocation_path import path
from troth.shop.licences.verifier import LicenceRefused, Revocations, Verifier

VECTORS = json.loads(vectors.PATH.read_text("utf-8"))
TERMS, KEY = vectors.TERMS, vectors.NEW
CHECKER = Verifier([KEY.text], product="editor")
TODAY = date(2026, 11, 30)
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def outcome(call):
    try:
        return call()
    except LicenceRefused as refused:
        return {"reason": refused.reason}


def test_the_vectors_are_those_that_the_code_makes():
    assert vectors.PATH.read_text("utf-8") == vectors.made()


@pytest.mark.parametrize("vector", VECTORS["licences"], ids=lambda vector: vector["name"])
def test_licences_of_the_vectors(vector):
    verifier = Verifier(VECTORS["keys"], product=vector["product"])
    revoked = Revocations(1, TODAY, frozenset(vector["revoked"]))
    today = date.fromisoformat(vector["today"])
    result = outcome(lambda: asdict(verifier.verify(vector["text"], today=today, revocations=revoked)))
    assert json.loads(json.dumps(result, default=str)) == vector["result"]


@pytest.mark.parametrize("vector", VECTORS["revocations"], ids=lambda vector: vector["name"])
def test_revocation_lists_of_the_vectors(vector):
    verifier = Verifier(VECTORS["keys"], product=None)

    def read():
        revocations = verifier.revocations(vector["text"], at_least=vector["at_least"])
        licences = sorted(revocations.licences)
        return {"number": revocations.number, "issued": str(revocations.issued), "licences": licences}

    assert outcome(read) == vector["result"]


def test_every_letter_counts():
    lines = signing.sign(signing.new_id(), TERMS, KEY).splitlines()
    inside = "\n".join(lines[1:-1])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    for place, sign in enumerate(inside):
        if sign in alphabet:
            other = alphabet[(alphabet.index(sign) + 1 + place % 31) % 32]
            changed = inside[:place] + other + inside[place + 1 :]
            with pytest.raises(LicenceRefused):
                CHECKER.verify(changed, today=TODAY)
    assert CHECKER.verify(inside, today=TODAY).seats == 5


CODES = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9 ._/+-]{0,38}[A-Za-z0-9.+])?", fullmatch=True)
DAYS = st.dates(date(1970, 1, 2), date(2149, 6, 6))


@given(
    st.binary(min_size=8, max_size=8).filter(any),
    st.builds(
        signing.LicenceTerms,
        product=CODES,
        order=CODES,
        edition=st.just("") | CODES,
        issued=DAYS,
        seats=st.integers(0, signing.MOST_SEATS),
        valid_until=st.none() | DAYS,
        updates_until=st.none() | DAYS,
        upgrade_of=st.just("") | st.binary(min_size=8, max_size=8).filter(any).map(bytes.hex),
    ),
)
def test_what_is_signed_is_what_is_read(ident, terms):
    text = signing.sign(ident.hex(), terms, KEY)
    licence = Verifier([KEY.text], product=terms.product).verify(text, today=date(1970, 1, 1))
    assert asdict(licence) == {"id": ident.hex(), "key": KEY.id, **asdict(terms)}
    assert max(map(len, text.splitlines())) <= 60
    assert text.isascii()


@given(st.text(max_size=300) | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567-\n", min_size=150, max_size=400))
def test_any_other_text_is_refused(text):
    with pytest.raises(LicenceRefused):
        CHECKER.verify(text)
    with pytest.raises(LicenceRefused):
        CHECKER.revocations(text)


@pytest.mark.parametrize(
    "wrong",
    [
        {"product": ""},
        {"product": "ed\nitor"},
        {"product": "Größe"},
        {"product": "p" * 41},
        {"order": ""},
        {"edition": " pro"},
        {"seats": -1},
        {"seats": 2**32},
        {"issued": date(1970, 1, 1)},
        {"valid_until": date(2150, 1, 1)},
        {"upgrade_of": "00"},
        {"upgrade_of": "0" * 16},
        {"upgrade_of": "zz" * 8},
    ],
    ids=str,
)
def test_what_no_licence_can_say_is_not_signed(wrong):
    with pytest.raises(signing.LicenceKeyError):
        signing.sign("11" * 8, signing.LicenceTerms(**{**asdict(TERMS), **wrong}), KEY)


def test_updates_are_covered_until_their_last_day():
    licence = CHECKER.verify(signing.sign(signing.new_id(), TERMS, KEY), today=TODAY)
    assert licence.updates_cover(date(2027, 5, 31))
    assert not licence.updates_cover(date(2027, 6, 1))


def test_no_licence_looks_like_a_card_number():
    chance = random.Random(17)
    for number in range(300):
        order = "".join(chance.choices("0123456789", k=10))
        text = signing.sign(chance.randbytes(8).hex(), signing.LicenceTerms(f"p{number}", order, TODAY), KEY)
        assert card_numbers.find(text) == []


# -- the site's keys --------------------------------------------------------------------------------------------------


@pytest.fixture
def place(tmp_path):
    site = Site(tmp_path)
    for folder in (site.sign_keys, site.public):
        folder.mkdir(parents=True)
    return site


def test_keys_follow_one_another_and_earlier_licences_stay_good(place):
    assert signing.load(place) == []
    with pytest.raises(signing.LicenceKeyError, match="no key to sign"):
        signing.current([])
    first = signing.make(place)
    assert (first.number, first.in_use) == (1, True)
    old = signing.sign("11" * 8, TERMS, signing.current(signing.load(place)))
    second = signing.make(place)
    assert (second.number, second.in_use) == (2, False)
    assert signing.current(signing.load(place)).number == 1, "not used before programs know it"
    with pytest.raises(signing.LicenceKeyError, match="not in use yet"):
        signing.make(place)
    signing.use(place)
    with pytest.raises(signing.LicenceKeyError, match="no key that waits"):
        signing.use(place)
    keys = signing.load(place)
    assert signing.current(keys).id == second.id != first.id
    new = signing.sign("22" * 8, TERMS, signing.current(keys))
    both = Verifier([key.text for key in keys], product="editor")
    assert [both.verify(text, today=TODAY).key for text in (old, new)] == [first.id, second.id]
    with pytest.raises(LicenceRefused, match="does not know"):
        Verifier([first.text], product="editor").verify(new)


def test_a_key_in_use_stays_so_though_a_backup_brings_it_back_as_the_next(place):
    signing.make(place)
    second = signing.make(place)
    former = (place.licence_keys / "2.next").read_bytes()
    signing.use(place)
    (place.licence_keys / "2.next").write_bytes(former)
    keys = signing.load(place)
    assert [(key.number, key.in_use) for key in keys] == [(1, True), (2, True)]
    assert signing.current(keys).id == second.id
    third = signing.make(place)
    assert (third.number, third.in_use) == (3, False)


def test_keys_are_their_owners_alone(place):
    signing.make(place)
    assert place.licence_keys.stat().st_mode & 0o777 == 0o700
    assert [(entry.name, entry.stat().st_mode & 0o777) for entry in place.licence_keys.iterdir()] == [("1.key", 0o600)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes keys for somebody else")
def test_root_makes_them_for_the_user_who_signs():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # pytest's own is closed to other users
        site = Site(Path(folder))
        site.sign_keys.mkdir(parents=True)
        os.chown(site.sign_keys, 65534, 65534)
        site.root.chmod(0o711)
        site.keys.chmod(0o711)
        signing.make(site)
        assert {entry.stat().st_uid for entry in (site.licence_keys, *site.licence_keys.iterdir())} == {65534}


def test_a_damaged_key_is_named(place):
    signing.make(place)
    (place.licence_keys / "1.key").write_bytes(b"short")
    with pytest.raises(signing.LicenceKeyError, match=r"1\.key"):
        signing.load(place)


# -- the published list -----------------------------------------------------------------------------------------------


def test_the_list_is_published_where_something_changed(place):
    keys = [signing.make(place)]
    assert revocation_file.read(place.public, keys) is None
    first = revocation_file.update(place.public, [], keys, NOW)
    assert first == int(NOW.timestamp())
    assert revocation_file.update(place.public, [], keys, NOW + timedelta(days=6)) is None
    second = revocation_file.update(place.public, ["11" * 8], keys, NOW)
    assert second == first + 1, "at the same second, and higher all the same"
    assert revocation_file.read(place.public, keys) == Revocations(second, TODAY, frozenset({"11" * 8}))
    assert revocation_file.update(place.public, ["11" * 8], keys, NOW + timedelta(days=7)) > second


def test_the_number_rises_though_the_file_was_lost_and_the_clock_went_back(place):
    keys = [signing.make(place)]
    first = revocation_file.update(place.public, ["11" * 8], keys, NOW)
    assert revocation_file.update(place.public, [], keys, NOW - timedelta(days=300)) == first + 1
    path(place.public).unlink()
    assert revocation_file.update(place.public, [], keys, NOW + timedelta(seconds=2)) > first + 1


def test_a_new_key_signs_the_list_too_and_either_key_reads_it(place):
    first = signing.make(place)
    revocation_file.update(place.public, ["11" * 8], [first], NOW)
    keys = [first, signing.make(place)]
    assert revocation_file.update(place.public, ["11" * 8], keys, NOW)
    for key in keys:
        assert revocation_file.read(place.public, [key]).licences == {"11" * 8}


def test_a_list_of_somebody_elses_is_replaced(place):
    keys = [signing.make(place)]
    path(place.public).parent.mkdir()
    path(place.public).write_text(signing.sign_revocations(9, TODAY, [], [vectors.STRANGER]))
    assert revocation_file.read(place.public, keys) is None
    assert revocation_file.update(place.public, [], keys, NOW)
    assert revocation_file.read(place.public, keys) is not None


def test_everybody_may_read_the_file(place):
    revocation_file.update(place.public, [], [signing.make(place)], NOW)
    assert path(place.public).stat().st_mode & 0o777 == 0o644
    assert path(place.public).parent.stat().st_mode & 0o777 == 0o755
    assert [entry.name for entry in path(place.public).parent.iterdir()] == ["revoked.json"]
