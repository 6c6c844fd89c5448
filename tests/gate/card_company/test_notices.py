"""A notice is believed if the card company signed it, now."""

import json

import pytest

from troth.demo.card_company.webhooks import signed
from troth.gate.card_company.errors import Refused
from troth.gate.card_company.notices import WINDOW_SECONDS, read_notice
from troth.gate.card_company.types import Event

NOW = 1_800_000_000
SECRET = "whsec_present"
BODY = json.dumps(
    {"id": "evt_1", "object": "event", "type": "charge.refunded", "created": NOW, "data": {"object": {"id": "ch_1"}}}
)


def read(body=BODY, signature=None, secrets=(SECRET,), at=NOW):
    return read_notice(body.encode(), signature or signed(body, SECRET, at), secrets, NOW)


def test_of_a_notice_four_fields_are_kept():
    assert read() == Event("evt_1", "charge.refunded", NOW, "ch_1")


def test_both_secrets_are_good_while_one_is_changed():
    assert read(secrets=("whsec_next", SECRET)).id == "evt_1"


@pytest.mark.parametrize("seconds", [-WINDOW_SECONDS, WINDOW_SECONDS])
def test_the_window_has_two_sides(seconds):
    assert read(at=NOW + seconds).id == "evt_1"
    further = seconds + (1 if seconds > 0 else -1)
    with pytest.raises(Refused) as caught:
        read(at=NOW + further)
    assert caught.value.code == "wrong_time"


@pytest.mark.parametrize(
    ("signature", "code"),
    [
        ("", "no_signature"),
        ("t=1", "no_signature"),
        ("v1=" + "0" * 64, "no_signature"),
        (f"t={NOW},v1=short", "no_signature"),
        (f"t={NOW},t={NOW},v1=" + "0" * 64, "no_signature"),
        (f"t={NOW},v1=" + "0" * 64, "wrong_signature"),
        (f"t={NOW},v0=" + "0" * 64, "no_signature"),
    ],
)
def test_what_is_not_signed_is_refused(signature, code):
    with pytest.raises(Refused) as caught:
        read_notice(BODY.encode(), signature, (SECRET,), NOW)
    assert caught.value.code == code


def test_a_changed_byte_or_another_secret_is_refused():
    good = signed(BODY, SECRET, NOW)
    for body, secrets in ((BODY + " ", (SECRET,)), (BODY, ("whsec_other",)), (BODY, ())):
        with pytest.raises(Refused) as caught:
            read(body, good, secrets)
        assert caught.value.code == "wrong_signature"


@pytest.mark.parametrize(
    "body",
    [
        "",
        pytest.param("[" * 200_000, id="deep"),
        "[]",
        "{}",
        "null",
        BODY[:-3],
        BODY.replace('"event"', '"v2"'),
        BODY.replace(str(NOW), '"x"'),
    ],
)
def test_what_is_signed_and_cannot_be_read_is_refused(body):
    with pytest.raises(Refused) as caught:
        read(body)
    assert caught.value.code == "unreadable"
