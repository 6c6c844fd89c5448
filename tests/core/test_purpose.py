"""The closed sets: two purposes, five details, and reasons that each serve one purpose (C1, C2)."""

import pytest

from troth.core.purpose import BASIC, Category, Purpose, Reason


def test_there_are_two_purposes_and_no_third_can_be_made():
    assert [purpose.value for purpose in Purpose] == ["administration", "identification"]
    with pytest.raises(ValueError, match="marketing"):
        Purpose("marketing")
    with pytest.raises(TypeError, match="cannot extend"):

        class More(Purpose):
            MARKETING = "marketing"


def test_a_purposes_code_leads_back_to_it_and_no_other_code_does():
    assert {purpose: purpose.code for purpose in Purpose} == {Purpose.ADMINISTRATION: 1, Purpose.IDENTIFICATION: 2}
    for code in range(256):
        if code in (1, 2):
            assert Purpose.of_code(code).code == code
        else:
            with pytest.raises(ValueError, match=str(code)):
                Purpose.of_code(code)


def test_a_form_can_ask_for_five_details_and_only_the_contact_form_has_a_message():
    assert [one.value for one in BASIC] == ["email", "name", "telephone", "postal_address", "company"]
    assert {*Category} - {*BASIC} == {Category.MESSAGE}


def test_only_looking_at_consent_serves_identification():
    serving = {reason for reason in Reason if reason.purpose is Purpose.IDENTIFICATION}
    assert serving == {Reason.SHOW_CONSENT, Reason.EXPORT_CONSENT}
    assert all(reason.purpose in Purpose for reason in Reason)
