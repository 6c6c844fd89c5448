"""Columns are known by their names, or as the operator says; details in the first line are never shown."""

import pytest

from troth.people.csv_sources import FileRefused
from troth.people.import_columns import DETAIL_FIELDS, find_mapping, masked, read_headers
from troth.people.unsubscribed_columns import Meaning


def columns(*headers, **said):
    return find_mapping(headers, said).columns


def standing(*headers, **said):
    return find_mapping(headers, said).standing


def test_headers_of_the_usual_programs_are_known():
    assert columns("Email Address", "First Name", "Last Name", "OPTIN_TIME", "CONFIRM_TIME", "MEMBER_RATING") == {
        "email": (0,),
        "name": (1, 2),
        "consent_date": (4, 3),
    }
    assert columns("E-Mail-Adresse", "Vorname", "Nachname", "Straße", "PLZ", "Ort", "Einwilligung") == {
        "email": (0,),
        "name": (1, 2),
        "postal_address": (3, 4, 5),
        "consent": (6,),
    }


def test_what_our_own_export_writes_is_known():
    from troth.people.list_formats import OWN_HEADERS as HEADERS

    assert set(columns(*HEADERS)) == {*DETAIL_FIELDS, "consent_date", "topics", "paused_until", "language"}
    assert {
        HEADERS[place]: meaning for place, meaning in standing(*HEADERS).items() if meaning is not Meaning.STRAY
    } == {
        "state": Meaning.STATE,
        "confirmed": Meaning.CONFIRMED,
        "left": Meaning.LEFT,
    }


def test_a_state_beside_city_and_zip_is_part_of_the_address():
    headers = ("Email", "Address", "City", "State", "Zip", "Status")
    assert columns(*headers)["postal_address"] == (1, 2, 3, 4)
    assert standing(*headers) == {3: Meaning.HINT, 5: Meaning.STATE}
    assert standing("Email", "Address", "State") == {2: Meaning.STATE}


def test_what_the_operator_says_of_a_column_goes_before_its_name_here_too():
    assert standing("email", "unsubscribed", "Kind", unsubscribed="-", Kind="left") == {2: Meaning.LEFT}
    assert standing("email", "unsubscribed", unsubscribed="company") == {}
    assert standing("email", "a", "b", a="state", b="opted_in") == {1: Meaning.STATE, 2: Meaning.OPTED_IN}


def test_what_is_not_read_is_known():
    assert find_mapping(("email", "MEMBER_RATING", "UNSUB_TIME", ""), {}).unread == ["MEMBER_RATING", "column 4"]


def test_what_the_operator_says_goes_before_what_the_headers_tell():
    assert columns("a", "email", "name", a="email", name="-") == {"email": (0,)}
    assert columns("a", "b", **{"2": "email"}) == {"email": (1,)}


@pytest.mark.parametrize(
    ("headers", "said"),
    [
        (("a", "b"), {}),
        (("email",), {"nosuch": "name"}),
        (("email",), {"email": "shoe size"}),
        (("email", "mail"), {"email": "email", "mail": "email"}),
    ],
)
def test_a_mapping_that_cannot_be_is_refused(headers, said):
    with pytest.raises(FileRefused):
        find_mapping(headers, said)


@pytest.mark.parametrize("first", [("wilma@example.com", "Wilma"), ("Wilma", "+49 30 901820"), ("a\x00b",)])
def test_details_in_the_first_line_are_refused_and_not_repeated(first):
    with pytest.raises(FileRefused) as refused:
        read_headers(first)
    assert "ilma" not in f"{refused.value} {refused.value.mend}"


def test_a_preview_shows_the_shape_and_nothing_else():
    assert masked("Wilma.O@example.com") == "Xxxxx.X@xxxxxxx.xxx"
    assert masked("+49 30 901820") == "+99 99 999999"
    assert masked("ж" * 99) == "x" * 28 + "…"
    assert masked("\x1b[31m") == " [99x"
