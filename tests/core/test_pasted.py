"""What a paste brings along is taken off a detail; what is a letter's business stays."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.core.contact_details import check, tidy
from troth.core.purpose import Category
from troth.core.text.pasted import clean

UNSEEN = [
    "\u00a0",
    "\u200b",
    "\u200e",
    "\u200f",
    "\u202a",
    "\u202c",
    "\u2060",
    "\u2068",
    "\u2069",
    "\ufeff",
    "\u00ad",
    "\u061c",
    "\U000e0020",
]


def kept(category, typed):
    return check(category, tidy(typed, category))


@pytest.mark.parametrize("mark", [*UNSEEN, "\u202d", "\u202e", "\u200c", "\u200d", "\u3000", "\r\n", "\t"])
@pytest.mark.parametrize(
    ("category", "value"),
    [
        (Category.EMAIL, "ada@example.com"),
        (Category.NAME, "Ada Example"),
        (Category.NAME, "אבי דוגמה"),
        (Category.COMPANY, "Example & Co."),
        (Category.TELEPHONE, "+49 30 901820"),
        (Category.POSTAL_ADDRESS, "1 Lane\nTown"),
    ],
)
def test_what_nobody_sees_at_an_edge_goes(category, value, mark):
    assert kept(category, f"{mark}{value}{mark}") == value


@pytest.mark.parametrize("mark", UNSEEN[1:])
def test_what_nobody_sees_inside_goes_too(mark):
    assert kept(Category.EMAIL, f"ada@exa{mark}mple.com") == "ada@example.com"
    assert kept(Category.NAME, f"Ad{mark}a") == "Ada"
    assert kept(Category.TELEPHONE, f"+49{mark} 30 901820") == "+49 30 901820"


@pytest.mark.parametrize(
    "name", ["می\u200cخواهم", "क\u094d\u200dष", "👨\u200d👩\u200d👧 Family", "O’Brien", "佐々木\u3000太郎"]
)
def test_letters_keep_what_joins_or_parts_them(name):
    assert kept(Category.NAME, name) == name


def test_what_turns_a_text_around_inside_is_refused_as_before():
    with pytest.raises(ValueError, match="invisible"):
        kept(Category.NAME, "Ada\u202eadA")


@pytest.mark.parametrize(
    "typed",
    [
        "Ada Example <ada@example.com>", '"Example, Ada" <ada@example.com>;', "<ada@example.com>", "ada@example.com.",
        "ada@example.com;", "ada@example.com,", "mailto:ada@example.com", "MAILTO: ada@example.com?subject=Hello",
        "Ada <mailto:ada@example.com>", "'ada@example.com'", "“ada@example.com”", "(ada@example.com)",
        "ada@example.com (Ada)", "Ada <ada@example.com> (work)", "ada@example.com [work]", "E-Mail: ada@example.com",
        "smtp:ada@example.com", "<<ada@example.com>>", "`ada@example.com`", "ada\ufe0f@example.com",
        "ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ", "ada@exa\u200cmple.com", " , ada@example.com ; ",
    ],
)  # fmt: skip
def test_an_address_is_taken_out_of_what_stands_around_it(typed):
    assert kept(Category.EMAIL, typed) == "ada@example.com"


@pytest.mark.parametrize("typed", ["'=a@example.com", "c'@example.com", "%d@example.org", "a.b+c@example.com"])
def test_an_unusual_address_stays_as_it_is(typed):
    assert kept(Category.EMAIL, typed) == typed


def test_two_addresses_are_refused_in_words_that_say_so():
    with pytest.raises(ValueError, match="one email address only"):
        kept(Category.EMAIL, "jo@example.com, jo2@example.com")


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("tel:+4930901820", "+4930901820"),
        ("tel:+49-30-901820;ext=12", "+49-30-901820 ext. 12"),
        ("p:+46700005566", "+46700005566"),
        ("Mobile: 030 901820", "030 901820"),
        ("Tel.: 030 901820", "030 901820"),
        ("Mob 030 901820", "030 901820"),
        ("☎ 030 901820", "030 901820"),
        ("'+49 30 901820", "+49 30 901820"),
        ("\u202d+1\u00a0555\u00a00100\u202c", "+1 555 0100"),
        ("+49\u201130\u2011901820", "+49-30-901820"),
        ("(030) 90 18 20 – 12", "(030) 90 18 20 - 12"),
        ("٠٣٠ ٩٠١٨٢٠", "030 901820"),
        ("۰۳۰ ۹۰۱۸۲۰", "030 901820"),
        ("०३० ९०१८२०", "030 901820"),
        ("＋４９３０９０１８２０", "+4930901820"),
        ("+1 (555) 010-0199 ext. 12", "+1 (555) 010-0199 ext. 12"),
        ("+1 555 010 0199 x12", "+1 555 010 0199 x12"),
        ("030 901820 Durchwahl 12", "030 901820 Durchwahl 12"),
        ("+49 30 901820.", "+49 30 901820"),
    ],
)
def test_a_telephone_number_is_read_as_people_write_it(typed, wanted):
    assert kept(Category.TELEPHONE, typed) == wanted


@pytest.mark.parametrize("typed", ["call me", "ask for ext. 12", "12", "+49 30 901820, +49 30 901821", "ext. 12"])
def test_what_is_no_telephone_number_is_still_refused(typed):
    with pytest.raises(ValueError, match="phone number"):
        kept(Category.TELEPHONE, typed)


@given(st.text(st.sampled_from("a@b.<>\"'();,: \u200c\u200d\u200f\u202e\u0301\u1161é٣–p+0mailto\n\r\t•"), max_size=30))
@example("'\u200d'")
def test_cleaning_twice_changes_nothing(text):
    for category in Category:
        once = clean(text, category)
        assert clean(once, category) == once
