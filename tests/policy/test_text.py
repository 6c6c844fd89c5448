"""The policy's text: what is read as a promise, what is refused, and that a hostile file is inert."""

import contextlib
import os
import re
import time
from html import escape, unescape
from html.parser import HTMLParser

import pytest

from troth.policy import text as policy
from troth.policy.text import Dress, PolicyError

FILL = {"vendor": "<b>Vendor</b>", "how_long": "<table><tr><td>9 days</td></tr></table>"}


def dress(lower=0):
    return Dress(lambda one: f"promise {one}", lambda all_: f"<i>{escape(','.join(all_))}</i>", FILL, lower)


def shown(text, lower=0):
    return policy.html(policy.parse(text), dress(lower))


def written(tmp_path, data):
    path = tmp_path / "policy.md"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


# -- promises ---------------------------------------------------------------------------------------------------------


def test_a_sentence_carries_a_promise_and_knows_its_line():
    text = (
        "# Title\n\nFirst. [We never\nshare *them*.]{promise=contact.not-shared} Last.\n\n- [In a list]{promise=a.b}\n"
    )
    spans = policy.parse(text).spans
    assert [(one.promise, one.text, one.line) for one in spans] == [
        ("contact.not-shared", "We never share them.", 3),
        ("a.b", "In a list", 6),
    ]


def test_the_sentence_is_marked_and_what_goes_below_it_follows_its_paragraph():
    page = shown("Before [it]{promise=a.b}, [and]{promise=c.d} after.\n\nNext.")
    assert page.startswith('<p>Before <span class="promise a.b">it</span>, <span class="promise c.d">and</span> after.')
    assert re.search(r"</p>\s*<i>a\.b,c\.d</i>\s*<p>Next", page)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("- [one]{promise=a.b}\n- two", r"<li><span[^>]*>one</span>\s*<i>a\.b</i></li>"),
        ("| x |\n|---|\n| [one]{promise=a.b} |", r"<td><span[^>]*>one</span><i>a\.b</i></td>"),
        ("## [one]{promise=a.b}", r"</h2>\s*<i>a\.b</i>"),
        ("> [one]{promise=a.b}", r"</p>\s*<i>a\.b</i>\s*</blockquote>"),
    ],
)
def test_a_promise_may_stand_wherever_words_stand(text, place):
    assert re.search(place, shown(text)), shown(text)


def test_two_promises_side_by_side_stay_two_and_one_inside_another_is_no_promise():
    assert [one.text for one in policy.parse("[a]{promise=x.y}[b]{promise=x.y}").spans] == ["a", "b"]
    (outer,) = policy.parse("[o [i]{promise=i.i} o]{promise=o.o}").spans
    assert outer.promise == "o.o"


def test_a_link_within_a_promise_stays_a_link():
    page = shown("[see [there](https://example.com/x)]{promise=a.b}")
    assert '<a href="https://example.com/x">there</a></span>' in page


# -- places -----------------------------------------------------------------------------------------------------------


def test_places_are_filled_in_with_tables_alone_and_words_within():
    page = shown("Hello {{ vendor }}, {{vendor}}.\n\n{{ how_long }}\n\n{{ unknown }}")
    assert page.count("<b>Vendor</b>") == 2
    assert "<p><table" not in page and "<td>9 days</td>" in page
    assert "{{ unknown }}" in page


def test_a_place_in_code_or_in_an_attribute_is_left_alone():
    page = shown('`{{ vendor }}` and [x](https://example.com "{{ how_long }}")')
    assert "<b>" not in page and "<table" not in page


def test_headings_are_lowered_for_a_page_that_has_its_own():
    assert shown("# A\n\n###### B", lower=1) == "<h2>A</h2>\n<h6>B</h6>\n"


# -- hostile ----------------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](//evil.example/)",
    "[x](/\\evil.example/)",
    "[x](JaVaScRiPt:alert(1))",
    "![x](https://evil.example/pixel.png)",
    '[x]{promise="><script>alert(1)</script>}',
    '[x]{promise="onmouseover=alert(1)}',
    "<a href='javascript:alert(1)'>x</a>",
    '[x](https://example.com" onclick="alert(1))',
    "```html\n<script>alert(1)</script>\n```",
    "<!-- comment --><style>*{display:none}</style>",
    "[ref]\n\n[ref]: javascript:alert(1)",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<https://evil.example/?q=<script>>",
    '[x](https://example.com "<script>alert(1)</script>")',
    "{{ vendor }}<svg/onload=alert(1)>",
]


class Tags(HTMLParser):
    def __init__(self, page):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_does_nothing(text):
    page = Tags(shown(text))
    assert page.tags <= {"p", "a", "span", "code", "pre", "b", "i", "em", "blockquote"}
    assert {name for name, _ in page.attributes} <= {"href", "title", "class"}
    for name, value in page.attributes:
        if name == "href":
            # An address of the operator's own choice, which nobody follows who does not press it; or this site's.
            assert re.match(r"https://|/%5C", value), value
        if name == "class":
            assert value.startswith("promise") or value == "language-html"


@pytest.mark.parametrize(
    "part", ["[", "[x](", "[a]{promise=b} ", "*a ", "`a``", ">", "- ", "|a", "_", "[a][b] ", "<a "]
)
def test_no_text_of_the_greatest_length_takes_long(tmp_path, part):
    path = written(tmp_path, (part * policy.LONGEST)[: policy.LONGEST])
    begun = time.process_time()
    with contextlib.suppress(PolicyError):  # nested too deeply
        policy.read(path)
    assert time.process_time() - begun < 10  # measured: 1 s for the worst, on a busy machine


# -- files ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"one\ntwo \xff\xfe\n", "policy.md:2 is not UTF-8"),
        ("x" * (policy.LONGEST + 1), f"longer than {policy.LONGEST:,} bytes"),
        ("€".encode("utf-16"), "not UTF-8"),
        ("one\n\n" + "> " * 30 + "two", "policy.md:3 is nested too deeply"),
        ("".join("  " * depth + "- one\n" for depth in range(30)), "is nested too deeply"),
    ],
)
def test_a_file_that_is_no_policy_is_refused_in_words(tmp_path, data, words):
    with pytest.raises(PolicyError, match=re.escape(words)) as refused:
        policy.read(written(tmp_path, data))
    assert refused.value.mend


def test_a_policy_that_is_missing_a_folder_or_a_pipe_is_refused_at_once(tmp_path):
    with pytest.raises(PolicyError, match=r"There is no policy\.md") as refused:
        policy.read(tmp_path / "policy.md")
    assert "troth policy new" in refused.value.mend
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.md")
    for name in ("folder.md", "pipe.md"):
        with pytest.raises(PolicyError):
            policy.read(tmp_path / name)


def test_an_editors_habits_do_not_make_another_version(tmp_path):
    plain = policy.read(written(tmp_path, "a\nb\n")).digest
    assert policy.read(written(tmp_path, "\ufeffa\r\nb\r\n")).digest == plain
    assert policy.read(written(tmp_path, "a\nB\n")).digest != plain


def test_an_empty_policy_and_odd_signs_are_read(tmp_path):
    assert policy.read(written(tmp_path, "")).spans == ()
    assert "\0" not in policy.read(written(tmp_path, b"a\0b \xe2\x80\xae c")).text


def test_its_own_words_stand_in_its_page_in_order():
    text = "# A & B\n\nSee *this*, {{ vendor }} and [we\nnever `do`]{promise=a.b}.\n\n{{ how_long }}\n\n"
    text += "```\ncode <b>\n```\n"
    pieces = policy.own_words(text)
    assert pieces == ["A & B", "See", "this", ",", "and", "we", "never", "do", ".", "code <b>"]
    page = " ".join(unescape(re.sub(r"<[^>]*>", " ", shown(text))).split())
    at = 0
    for piece in pieces:
        assert piece in page[at:]
        at = page.index(piece, at) + len(piece)
