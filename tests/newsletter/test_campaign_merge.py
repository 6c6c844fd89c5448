"""Merge fields: what is filled in is never read again, and a wrong field is an error before anything is sent."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.gate.message import one_line
from troth.newsletter.campaigns.merge import LINK_FIELDS, MOST_FIELDS, Field, Marks, MergeError, Pattern, first_name

VALUES = st.text() | st.sampled_from(
    [
        "{{ company | x }}",
        "{{ name",
        "}}",
        "<script>alert(1)</script>",
        "**bold** [a](javascript:x)",
        "\ue0000\ue001",
        "\ue002\ue003",
        "a\r\nBcc: b@example.com",
        "\u202egro.elpmaxe",
        "&amp;",
        "   ",
    ]
)
PARTS = st.lists(
    st.text(st.characters(exclude_characters="{}\\\ue000\ue001\ue002\ue003", exclude_categories=["Cc", "Cs"]))
    | st.sampled_from(["{{ name | there }}", "{{first_name|friend of ours}}", "{{ company | your company }}"]),
    max_size=12,
)
RECIPIENTS = st.dictionaries(st.sampled_from(["name", "first_name", "company"]), VALUES)
FALLBACKS = {"name": "there", "first_name": "friend of ours", "company": "your company"}


def flat(value: str) -> str:
    return one_line(value)


def reference(part: str, values: dict[str, str]) -> str:
    """The slow way: one part at a time."""
    if not part.startswith("{{"):
        return part
    name = part.strip("{}").partition("|")[0].strip()
    value = flat(values.get(name, ""))
    if name == "first_name" and not value:
        value = first_name(values.get("name", ""))
    return value or FALLBACKS[name]


@given(PARTS, RECIPIENTS)
def test_filling_is_the_same_as_replacing_each_field_by_itself(parts, values):
    marks = Marks("Example Software")
    pattern = marks.pattern(marks.mark("".join(parts)), html=False)
    assert pattern.fill(values) == "".join(reference(part, values) for part in parts)


@given(PARTS, RECIPIENTS)
def test_values_in_html_are_escaped_and_plain_ascii(parts, values):
    marks = Marks("Example Software")
    marked = marks.mark("".join(part if part.startswith("{{") else html.escape(part) for part in parts))
    filled = marks.pattern(marked, html=True).fill(values)
    assert filled.isascii()
    # What HTML has no reference for stays a replacement character, which is not ours to judge here.
    expected = "".join(reference(part, values) for part in parts)
    assert html.unescape(filled) == html.unescape(html.escape(expected).encode("ascii", "xmlcharrefreplace").decode())


@given(VALUES)
def test_no_value_is_parsed(value):
    marks = Marks("S")
    pattern = marks.pattern(marks.mark("a {{ name | there }} b {{ company | nobody }} c"), html=False)
    assert pattern.fill({"name": value, "company": "Co"}) == f"a {flat(value) or 'there'} b Co c"
    escaped = marks.pattern(marks.mark("<b>{{ name | there }}</b>"), html=True).fill({"name": value})
    inside = escaped.removeprefix("<b>").removesuffix("</b>")
    assert not set(inside) & set("<>\"'")


def test_what_a_recipient_did_not_give_gives_way_to_the_fallback():
    marks = Marks("S")
    pattern = marks.pattern(marks.mark("Hello {{ first_name | there }} of {{ company | your company }}"), html=False)
    assert pattern.fill({}) == pattern.fallbacks() == "Hello there of your company"
    assert pattern.fill({"name": " \t\u200b", "company": ""}) == "Hello there of your company"
    assert pattern.fill({"name": "Ada Lovelace"}) == "Hello Ada of your company"
    assert pattern.fields == {"first_name", "company"}


@pytest.mark.parametrize(
    ("name", "first"),
    [("Ada Lovelace", "Ada"), ("Ada", "Ada"), ("Dr. Ada", ""), ("A. Lovelace", ""), ("Lovelace, Ada", ""), ("", "")],
)
def test_titles_initials_and_surnames_are_no_first_names(name, first):
    assert first_name(name) == first


def test_the_sites_name_is_known_before_anybody_is():
    marks = Marks("Ex & Co\n{{ name | x }} \ue000")
    pattern = marks.pattern(marks.mark("by {{ site_name }}."), html=True)
    assert pattern.parts == ("by Ex &amp; Co {{ name | x }} &#65533;.",)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("{{ surname | x }}", "no merge field called “surname”"),
        ("{{ .Subscriber.FirstName }}", "no merge field called “.Subscriber.FirstName”"),
        ("{{ unsubscribe_url }}", "no merge field called “unsubscribe_url”"),
        ("{{ preferences_url | x }}", "no merge field called"),
        ("{{}}", "has no name"),
        ("{{ name }}", "name has no fallback"),
        ("{{ first_name | }}", "first_name has no fallback"),
        ("{{ company|  }}", "company has no fallback"),
        ("{{ name | default: 'x' }}", "more around it"),
        ('{{ name | "there" }}', "more around it"),
        ("{{ name | there", "does not end"),
        ("{{ name |\nthere }}", "does not end"),
        ("{{ name | " + "x" * 400 + " }}", "does not end"),
        ("{{{ name | x }}}", "no merge field called “{ name”"),
    ],
)
def test_a_wrong_field_is_an_error_with_its_line_and_the_fix(source, says):
    marks = Marks("S")
    marked = marks.mark(f"one\ntwo {source}")
    with pytest.raises(MergeError) as caught:
        marks.pattern(marked, html=False)
    assert says in str(caught.value)
    assert str(caught.value).startswith("Line 2: ")
    assert caught.value.line == 2
    assert caught.value.mend


def test_each_link_of_the_footer_is_beyond_a_drafts_reach():
    for name in LINK_FIELDS:
        marks = Marks("S")
        with pytest.raises(MergeError):
            marks.check(marks.mark(f"{{{{ {name} | x }}}}"))


def test_there_is_a_limit_to_fields():
    Marks("S").mark("{{ name | x }}" * MOST_FIELDS)
    with pytest.raises(MergeError, match="more than"):
        Marks("S").mark("{{ name | x }}" * (MOST_FIELDS + 1))


def test_braces_that_are_escaped_are_no_field():
    marks = Marks("S")
    assert marks.mark(r"\{{ name }}") == r"\{{ name }}"
    assert marks.mark(r"\\{{ name | x }}") != r"\\{{ name | x }}"
    assert marks.line(r"\{{ name }} of {{ name | x }}", "subject").startswith("{{ name }} of ")


def test_marks_that_a_draft_brings_along_stand_for_nothing():
    marks = Marks("S")
    marked = marks.mark("\ue0000\ue001 {{ name | x }} \ue002\ue003")
    assert marks.pattern(marked, html=False).fill({"name": "Ada"}) == "\ufffd0\ufffd Ada \ufffd\ufffd"


def test_a_link_is_needed_unless_it_is_optional():
    marks = Marks("S")
    begin, url, end = marks.optional("view_url")
    marked = f'<a href="{marks.link("unsubscribe_url")}">x</a>{begin} · <a href="{url}">é</a>{end}.'
    pattern = marks.pattern(marked, html=True)
    assert pattern.fill({"unsubscribe_url": "https://a/?b&c"}) == '<a href="https://a/?b&amp;c">x</a>.'
    both = pattern.fill({"unsubscribe_url": "https://a", "view_url": 'https://b/"'})
    assert both == '<a href="https://a">x</a> &#183; <a href="https://b/&quot;">&#233;</a>.'
    with pytest.raises(MergeError, match="unsubscribe_url"):
        pattern.fill({"view_url": "https://b"})


def test_a_pattern_does_not_change():
    pattern = Pattern(("a", Field("name", "x")))
    assert pattern.fill({"name": "1"}) == "a1"
    assert pattern.fill({"name": "2"}) == "a2"
    with pytest.raises(AttributeError):
        pattern.html = True  # type: ignore[misc]
