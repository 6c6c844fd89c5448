"""VAT numbers are checked by form and check digit; what is wrong is said, the number never."""

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.text import card_numbers
from troth.shop.receipts.vat_numbers import VatNumberRefused, checked

# From the tax offices' own pages and python-stdnum's documentation: of no buyer of anybody's here.
GOOD = {
    "ATU13585627": "AT",
    "BE0403019261": "BE",
    "BG175074752": "BG",
    "CY10259033P": "CY",
    "CZ25123891": "CZ",
    "DE136695976": "DE",
    "DK13585628": "DK",
    "EE100931558": "EE",
    "EL023456780": "GR",
    "ESB58378431": "ES",
    "FI20774740": "FI",
    "FR83404833048": "FR",
    "HR33392005961": "HR",
    "HU12892312": "HU",
    "IE6433435F": "IE",
    "IT00743110157": "IT",
    "LT119511515": "LT",
    "LU15027442": "LU",
    "LV40003521600": "LV",
    "MT11679112": "MT",
    "NL004495445B01": "NL",
    "PL8567346215": "PL",
    "PT501964843": "PT",
    "RO18547290": "RO",
    "SE556188840401": "SE",
    "SI50223054": "SI",
    "SK2022749619": "SK",
    "XI980780684": "GB",
}


@pytest.mark.parametrize("number", GOOD)
def test_each_country_has_one(number):
    assert checked(number).text == number
    assert checked(number).country == GOOD[number]
    spelled = f" {number[:2].lower()} {number[2:5]}.{number[5:8]}-{number[8:]} "
    assert checked(spelled).text == number


@pytest.mark.parametrize("number", [number for number in GOOD if number[:2] not in ("CY", "CZ", "ES", "XI")])
def test_one_digit_more_or_less_is_seen(number):
    seen = 0
    for place in range(4, len(number)):
        if number[place].isdigit():
            wrong = number[:place] + str((int(number[place]) + 1) % 10) + number[place + 1 :]
            try:
                checked(wrong)
            except VatNumberRefused as refused:
                seen += 1
                assert refused.wrong in ("check digit", "form")
    assert seen >= (len(number) - 4) // 2


def test_a_greek_number_is_stored_with_el_however_it_is_typed():
    assert checked("GR 023456780") == checked("EL 023456780")
    assert checked("GR023456780").text == "EL023456780"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("", "country"),
        ("136695976", "country"),
        ("US123456789", "country"),
        ("GB980780684", "country"),
        ("CHE107787577", "country"),
        ("EU372022452", "country"),
        ("IM3720000224", "country"),
        ("DE１３６６９５９７６", "country"),
        ("DE136695978", "check digit"),
        ("DE13669597", "form"),
        ("DE1366959760", "form"),
        ("DE", "form"),
        ("FR" + "0" * 5000, "form"),
    ],
    ids=lambda text: text[:12],
)
def test_what_is_no_buyers_number_is_refused(text, wrong):
    with pytest.raises(VatNumberRefused) as refused:
        checked(text)
    assert refused.value.wrong == wrong
    assert not text or text[2:] not in str(refused.value) + refused.value.mend or len(text) < 4


@given(st.text(max_size=60) | st.from_regex(r"(AT|BE|DE|ES|FR|IE|IT|NL|PL|XI)[0-9A-Z]{5,14}", fullmatch=True))
def test_any_text_is_survived(text):
    try:
        number = checked(text)
    except VatNumberRefused:
        return
    assert checked(number.text) == number


def test_the_library_is_loaded_by_the_first_check_alone():
    code = "import sys, troth.shop.receipts.vat_numbers; print('stdnum' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "False\n"


def test_none_is_taken_for_a_card_number():
    assert [number for number in GOOD if card_numbers.find(number)] == []
