"""Normal forms: those of Unicode, in time that grows with the text alone."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.text.normal_forms import normal

FORMS = ("NFC", "NFD", "NFKC", "NFKD")


@pytest.mark.parametrize("form", FORMS)
@given(st.text(max_size=60))
def test_a_text_of_any_language_comes_out_as_ever(form, text):
    assert normal(form, text) == unicodedata.normalize(form, text)


def test_after_thirty_marks_on_one_letter_the_next_are_parted():
    text = "e" + "\u0301\u0316" * 100
    assert normal("NFC", text).replace("\u034f", "").count("\u0316") == 100
    assert "\u034f" in normal("NFC", text)
    assert "\u034f" not in normal("NFC", "e" + "\u0301" * 30)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("marks", ["\u0301\u0316", "\u05b0\u05b1", "\u0f73", "\u0344\u0316"])
def test_the_work_grows_with_the_text_and_not_with_its_square(form, marks):
    def seconds(length):
        text, spent = marks * (length // len(marks)), []
        for _ in range(3):
            begun = time.process_time()
            normal(form, text)
            spent.append(time.process_time() - begun)
        return min(spent)

    assert seconds(16_000) < 24 * max(seconds(2_000), 1e-4)
