"""Columns are known by their names, or as the operator says; details in the first line are never shown."""

import pytest

from troth.promises.csvfile import FileRefused
from troth.promises.importmap import find_mapping, masked, read_headers


def columns(*headers, **said):
    return find_mapping(headers, said).columns


def test_headers_of_the_usual_programs_are_known():
    assert columns("Email Address", "First Name", "Last Name", "OPTIN_TIME", "MEMBER_RATING", "LEID") == {
        "email": (0,),
        "name": (1, 2),
        "consent_date": (3,),
        "state": (4,),
    }
    assert columns("E-Mail-Adresse", "Vorname", "Nachname", "Straße", "PLZ", "Ort", "Einwilligung") == {
        "email": (0,),
        "name": (1, 2),
        "postal_address": (3, 4, 5),
        "consent": (6,),
    }


def test_what_our_own_export_writes_is_known():
    from troth.vault.listfile import HEADERS

    assert set(columns(*HEADERS)) == {
        "email",
        "name",
        "telephone",
        "postal_address",
        "company",
        "state",
        "consent_date",
    }


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
