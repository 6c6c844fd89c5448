"""Hints about a draft: each says one thing, at its line, and a good draft has none."""

import pytest

from troth.newsletter.campaigns.content import Draft, Look, render
from troth.newsletter.campaigns.link_check import MOST_HINTS, Hint, Level

SITE = "https://www.vendor.example/troth"
LOOK = Look("Example Software", "#8a3b12", SITE, "1 Example Row, 12345 Exampleton")
TEXT = "Hello {{ first_name | there }}, version 4.2 is out, and [the manual](https://www.vendor.example/manual) is new."
IMAGE = f"{SITE}/images/a.png"


def hints(markdown=TEXT, look=LOOK, subject="Version 4.2 starts twice as fast", preheader="And it shares folders"):
    return render(Draft(subject, preheader, markdown, "newsletter"), look).hints


def test_a_good_draft_has_none():
    assert hints() == ()
    assert hints(f"{TEXT}\n\n![A chart of starts per second]({IMAGE})") == ()


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("", "There is no subject."),
        ("x" * 71, "The subject has 71 characters."),
        ("LAST CHANCE TO BUY", "all in capitals"),
        ("Buy now!!", "exclamation marks"),
        ("Win $$ now", "dollar signs"),
        ("Re: your order", "looks like a reply"),
        ("TODO subject", "placeholder"),
    ],
)
def test_subjects(subject, says):
    assert [hint for hint in hints(subject=subject) if says in hint.text]


@pytest.mark.parametrize("subject", ["新版本发布", "API 5", "NEWS", "Now with 50 % more!", "Receipts are here"])
def test_subjects_that_are_fine(subject):
    assert hints(subject=subject) == ()


def test_preheaders():
    assert hints(preheader="") == (
        Hint(Level.NOTE, "There is no preheader: inboxes show the first words of the text instead."),
    )
    assert "repeats" in hints(preheader="version 4.2 STARTS twice as fast")[0].text
    assert "long" in hints(preheader="x" * 151)[0].text


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[](https://www.vendor.example/)", "has no text"),
        ("[click here](https://www.vendor.example/)", "does not say where it leads"),
        ("[x](http://www.vendor.example/)", "is not encrypted"),
        (
            "[https://www.vendor.example](https://www.other.example/)",
            "shows www.vendor.example and leads to www.other.example",
        ),
        ("[vendor.example/login](https://other.example/)", "as in phishing"),
        ("[x](https://www.example.org/)", "looks like a placeholder"),
        ("[x](https://localhost/)", "looks like a placeholder"),
        ("[x](https://bit.ly/abc)", "shortens links"),
        ("TODO write this", "“TODO” looks like a placeholder"),
        ("Lorem ipsum dolor", "looks like a placeholder"),
        ("Hello *|FNAME|*", "is no merge field here"),
        ("Hello {first_name},", "is no merge field here"),
        ("Buy now!!!", "exclamation marks in a row"),
        (f"![]({IMAGE})", "has no description"),
        ("[a](https://www.vendor.example/1) [a](https://www.vendor.example/2)", "lead to different pages"),
    ],
)
def test_texts(line, says):
    (hint,) = [hint for hint in hints(f"{TEXT}\n\n{line}") if says in hint.text][:1]
    assert hint.line in {3, 0}
    assert "exclamation" in says or hint.line == 3


@pytest.mark.parametrize(
    "line",
    [
        "[www.vendor.example](https://vendor.example/x)",
        "[vendor.example](https://www.vendor.example/)",
        "[bücher.vendor.example](https://xn--bcher-kva.vendor.example/)",
        "[README.md](https://code.vendor.example/readme)",
        "[version 4.2](https://www.vendor.example/)",
        "[us@vendor.example](mailto:us@vendor.example)",
        "[x](https://www.vendor.example/same) [x](https://www.vendor.example/same)",
    ],
)
def test_texts_that_are_fine(line):
    assert [hint.text for hint in hints(f"{TEXT}\n\n{line}") if "placeholder" not in hint.text] == []


def test_the_sites_own_host_is_no_placeholder():
    look = Look("S", "#8a3b12", "https://www.example.com", "1 Example Row")
    assert hints("Hello there, this is the text: [manual](https://example.com/manual) and so on.", look) == ()


def test_wholes():
    assert hints(f"![A chart]({IMAGE})")[0].text.startswith("There is little but an image")
    assert [hint.level for hint in hints("")] == [Level.ERROR]
    assert "Most of the text is in capitals" in hints(f"{'BUY NOW ' * 60}")[0].text
    assert "postal address" in hints(look=Look("S", "#8a3b12", SITE))[0].text
    many = hints("\n\n".join(f"[page {n}](https://www.vendor.example/{n})" for n in range(51)))
    assert [hint.text for hint in many] == ["There are 51 links. Readers and spam filters prefer fewer."]


def test_grave_ones_come_first_and_there_is_an_end():
    several = hints("\n\n".join(f"[click here](http://www.vendor.example/{n})" for n in range(60)), subject="")
    levels = [hint.level for hint in several]
    assert levels[0] == Level.ERROR and levels == sorted(levels, key=list(Level).index)
    assert len(several) == MOST_HINTS
