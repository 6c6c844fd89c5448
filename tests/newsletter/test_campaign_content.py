"""A draft becomes HTML and plain text, or an error that names the line. Nothing in it runs, loads or leads astray."""

import dataclasses
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.core.colours import contrast
from troth.newsletter.campaigns import html_page
from troth.newsletter.campaigns.content import Content, Draft, Look, article, render
from troth.newsletter.campaigns.draft_error import DraftError
from troth.newsletter.campaigns.html_page import TEMPLATES
from troth.newsletter.campaigns.merge import MergeError

SITE = "https://www.example.com/troth"
LOOK = Look("Example & Co", "#8a3b12", SITE, "1 Example Row\n12345 Exampleton")
RECIPIENT = {
    "name": "Ada Lovelace",
    "unsubscribe_url": "https://www.example.com/troth/unsubscribe/abc",
    "preferences_url": "https://www.example.com/troth/preferences/abc",
}


def made(markdown="Text.", look=LOOK, **changes) -> Content:
    draft = {"subject": "News", "preheader": "What is new", "template": "newsletter", **changes}
    return render(Draft(markdown=markdown, **draft), look)


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the text outside of its head."""

    def __init__(self, page):
        super().__init__()
        self.elements = []
        self.words = ""
        self._within = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in {"meta", "br", "img", "hr", "input"}:
            self._within.append(tag)

    def handle_endtag(self, tag):
        while self._within and self._within.pop() != tag:
            pass

    def handle_data(self, data):
        if not {"style", "title"} & set(self._within):
            self.words += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


def elements(content: Content, **values) -> Elements:
    return Elements(content.html.fill({**RECIPIENT, **values}))


def body(content: Content) -> str:
    """The plain text, without its footer."""
    return content.text.fill(RECIPIENT).partition("\n-- \n")[0].rstrip("\n")


class TestPage:
    @pytest.mark.parametrize("template", TEMPLATES)
    def test_it_is_whole_and_loads_nothing(self, template):
        content = made(
            f"# Hi {{{{ name | there }}}}\n\n![A chart]({SITE}/images/a.png)\n\n[More](https://www.example.com/)",
            template=template,
        )
        page = elements(content)
        tags = {tag for tag, _ in page.elements}
        assert not tags & {"script", "link", "iframe", "object", "form", "base", "svg"}
        assert [image["src"] for image in page.all("img")] == [f"{SITE}/images/a.png"]
        filled = content.html.fill(RECIPIENT)
        assert filled.startswith("<!DOCTYPE html>")
        assert filled.isascii()
        assert "url(" not in filled and "@import" not in filled and "\ue000" not in filled
        assert page.all("html")[0]["lang"] == "en"
        assert all(attrs.get("role") == "presentation" for attrs in page.all("table"))
        assert {attrs.get("name") for attrs in page.all("meta")} >= {"viewport", "color-scheme"}
        assert "prefers-color-scheme: dark" in filled
        assert "Hi Ada Lovelace" in page.words

    @pytest.mark.parametrize("template", TEMPLATES)
    def test_the_footer_has_the_links_by_which_one_leaves(self, template):
        page = elements(made(template=template))
        links = [attrs["href"] for attrs in page.all("a")]
        assert links == [RECIPIENT["unsubscribe_url"], RECIPIENT["preferences_url"]]
        assert "Unsubscribe" in page.words and "1 Example Row" in page.words and "Example & Co" in page.words
        assert "View in browser" not in page.words
        seen = elements(made(template=template), view_url="https://www.example.com/archive/1")
        assert "View in browser" in seen.words and seen.all("a")[-1]["href"].endswith("/archive/1")

    def test_the_plain_text_has_them_too(self):
        text = made().text.fill({**RECIPIENT, "view_url": "https://www.example.com/archive/1"})
        assert text.endswith(
            "Unsubscribe: https://www.example.com/troth/unsubscribe/abc\n"
            "Preferences: https://www.example.com/troth/preferences/abc\n"
            "View in browser: https://www.example.com/archive/1\n"
            "1 Example Row\n12345 Exampleton\n"
        )
        assert "View in browser" not in made().text.fill(RECIPIENT)

    @pytest.mark.parametrize("template", TEMPLATES)
    def test_a_campaign_about_a_topic_has_a_link_to_the_page_that_stops_it(self, template):
        about = made(template=template, topic=5, language="de")
        links = [attrs["href"] for attrs in elements(about).all("a")]
        stop = RECIPIENT["preferences_url"] + "/topic/5"
        assert links == [RECIPIENT["unsubscribe_url"], stop, RECIPIENT["preferences_url"]]
        assert "Nur dieses Thema abbestellen" in elements(about).words
        assert f"\nNur dieses Thema abbestellen: {stop}\n" in about.text.fill(RECIPIENT)
        assert "/topic/0" in made(topic=0).text.fill(RECIPIENT)  # the first topic there is

    def test_a_recipient_without_a_link_to_leave_gets_nothing(self):
        with pytest.raises(MergeError):
            made().html.fill({"name": "Ada"})

    def test_the_preheader_is_hidden_and_first(self):
        page = elements(made(preheader="Just for {{ company | you }}"), company="<i>Ex</i>")
        hidden = next(attrs for tag, attrs in page.elements if attrs.get("class") == "preheader")
        assert "display: none" in hidden["style"]
        assert page.words.strip().startswith("Just for <i>Ex</i>")
        assert not [attrs for tag, attrs in elements(made(preheader="")).elements if attrs.get("class") == "preheader"]

    def test_languages(self):
        german = elements(made(language="de-AT"))
        assert german.all("html")[0]["lang"] == "de-AT" and "Abmelden" in german.words
        hebrew = elements(made(language="he"))
        assert hebrew.all("html")[0]["dir"] == "rtl"
        assert ("td", "en", "ltr") in [(tag, attrs.get("lang"), attrs.get("dir")) for tag, attrs in hebrew.elements]

    def test_a_link_alone_in_bold_is_a_button(self):
        page = elements(made("**[Go](https://www.example.com/)**\n\nor **[go](https://www.example.com/)** on"))
        assert [attrs.get("class") for attrs in page.all("table")].count("button") == 1
        first, second = page.all("a")[:2]
        assert "padding: 14px 28px" in first["style"] and "padding" not in second["style"]

    def test_images_have_a_width_for_outlook_where_it_is_known(self):
        text = f"![a]({SITE}/images/a.png) ![b]({SITE}/images/b.png) ![c]({SITE}/images/c.png)"
        look = Look("S", "#123456", SITE, image_widths={"a.png": 1200, "b.png": 40})
        widths = [attrs.get("width") for attrs in elements(made(text, look)).all("img")]
        assert widths == [str(html_page.WIDEST_IMAGE), "40", None]

    def test_text_that_looks_like_html_is_text(self):
        page = elements(made("`<b>` \\<b> &lt;script&gt; Vec<String> a < b {{ name | <i>you</i> }}"), name="")
        assert "<b> <b> <script> Vec<String> a < b <i>you</i>" in page.words

    @given(st.integers(0, 0xFFFFFF))
    def test_any_accent_is_readable(self, number):
        for theme in html_page.themes(f"#{number:06x}"):
            pairs = [(theme.accent, theme.ground), (theme.accent, theme.card), (theme.on_accent, theme.accent)]
            pairs += [(theme.text, each) for each in (theme.ground, theme.card, theme.code)]
            pairs += [(theme.quiet, each) for each in (theme.ground, theme.card)]
            assert min(contrast(*pair) for pair in pairs) >= 4.5


class TestSheets:
    """What css-inline leaves out or orders otherwise is not used; tests/browser measures that nothing is lost."""

    def sheet(self):
        path = Path(html_page.__file__).parents[1] / "emails" / "campaign.css"
        return re.sub(r"\{#.*?#\}", "", path.read_text("utf-8"), flags=re.DOTALL)

    def test_no_rule_is_of_a_kind_that_is_dropped(self):
        selectors = re.findall(r"^([^{\n]+) \{ (?!%)", self.sheet(), re.MULTILINE)
        assert len(selectors) > 30
        assert all(re.fullmatch(r"(\.?[a-z0-9]+)( \.?[a-z0-9]+)*", selector) for selector in selectors)
        assert "@" not in self.sheet() and "!important" not in self.sheet()

    def test_a_property_is_set_by_its_shorthand_or_by_its_parts_never_by_both(self):
        names = set(re.findall(r"[{;] ([a-z-]+):", self.sheet()))
        for shorthand in ("margin", "padding", "font", "background", "border-radius"):
            longhands = {name for name in names if name.startswith(f"{shorthand}-")}
            assert shorthand not in names or not longhands

    def test_each_rule_reaches_its_elements(self):
        content = made(
            f"# a\n\n## b\n\n### c\n\n#### d\n\n##### e\n\n###### f\n\n- x\n  - y\n\n1. z\n   1. w\n\n> q\n\n"
            "---\n\n`c`\n\n    code\n\n"
            f"| h |\n|-|\n| d |\n\n![i]({SITE}/images/a.png) [l](https://www.example.com/)\n\n**[b](https://www.example.com/)**"
        )
        bare = {"head", "meta", "title", "style", "html", "tbody", "thead", "tr", "strong", "em", "br", "div"}
        unstyled = [tag for tag, attrs in elements(content).elements if tag not in bare and not attrs.get("style")]
        assert unstyled == []

    def test_inlining_fetches_nothing(self):
        page = '<html><head><link rel="stylesheet" href="http://127.0.0.1:9/x.css"></head><body><p>x</p></body></html>'
        assert "color: red" in html_page.inline(page, "p { color: red; }")


class TestText:
    def test_what_markdown_has(self):
        text = body(
            made(
                "# Title\n\nHello {{ first_name | there }},\n"
                "next **line** with [a link](https://www.example.com/a_(b)).\n\n"
                "- one\n- two\n  1. deep\n\n> said\n>\n> more\n\n```\n{{ code }}\n```\n\n"
                "| a | b |\n|---|---|\n| 1 | 22 |\n\n"
                "~~old~~\\\nnew <https://www.example.com/>\n\n***\n\nwrite to [us](mailto:us@example.com)"
            )
        )
        assert text == (
            "Title\n=====\n\nHello Ada, next line with a link (https://www.example.com/a_%28b%29).\n\n"
            "- one\n- two\n  1. deep\n\n> said\n>\n> more\n\n    {{ code }}\n\na   b\n-   --\n1   22\n\n"
            "~~old~~\nnew https://www.example.com/\n\n------------------------\n\nwrite to us (us@example.com)"
        )

    def test_a_wide_table_becomes_a_list(self):
        text = body(made(f"| Name | Note |\n|--|--|\n| A | {'long ' * 20} |\n| B | |"))
        assert text == f"Name: A\nNote: {('long ' * 20).strip()}\n\nName: B"

    def test_lines_are_not_wrapped_and_links_stay_whole(self):
        url = "https://www.example.com/" + "-".join(["long"] * 60)
        assert body(made(f"{'word ' * 100}[x]({url})")).endswith(f" x ({url})")
        assert "\n" not in body(made(f"{'word ' * 100}[x]({url})"))

    def test_a_bare_address_is_a_link_without_the_sentences_punctuation(self):
        content = made(
            "See https://www.example.com/a_b_(c)?d=1, (https://www.example.com/e). `https://www.example.com/f`"
        )
        assert [link.url for link in content.links] == [
            "https://www.example.com/a_b_(c)?d=1",
            "https://www.example.com/e",
        ]
        assert body(content).startswith("See https://www.example.com/a_b_(c)?d=1, (https://www.example.com/e).")

    def test_images_are_their_description(self):
        assert (
            body(made(f"![A {{{{ company | firm }}}}]({SITE}/images/a.png)\n\n![]({SITE}/images/b.png)")) == "[A firm]"
        )


class TestMergeFields:
    def test_they_stand_in_cells_headings_links_and_descriptions(self):
        content = made(
            "# {{ name | you }}\n\n"
            "| {{ name | you }} | b |\n|---|---|\n| {{ company | x }} | **{{ name | you }}** |\n\n"
            f"[{{{{ name | you }}}}](https://www.example.com/)\n\n![{{{{ name | you }}}}]({SITE}/images/a.png)"
        )
        page = elements(content, name='A | "B" <i>')
        assert page.words.count('A | "B" <i>') == 4
        assert page.all("img")[0]["alt"] == 'A | "B" <i>'
        assert content.links[0].text == "you"
        assert content.fields == {"name", "company", "unsubscribe_url", "preferences_url", "view_url", "twice"}

    def test_code_shows_what_was_typed(self):
        text = body(made("`{{ foo }}` and\n\n    {{ name }}\n\n```{{ x }}\n{{ unclosed\n```"))
        assert text == "{{ foo }} and\n\n    {{ name }}\n\n    {{ unclosed"

    def test_a_value_is_not_markdown(self):
        content = made("{{ name | you }}")
        value = "**x** [a](javascript:b) {{ company | z }} <script>"
        assert value in elements(content, name=value).words
        assert elements(content, name=value).all("a") == elements(content).all("a")
        assert value in content.text.fill({**RECIPIENT, "name": value})

    def test_a_subject_stays_one_line(self):
        subject = made(subject="Hello {{ name | you }}!\n").subject
        assert subject.fill({"name": "A\r\nBcc: x@example.com"}) == "Hello A Bcc: x@example.com!"

    def test_none_in_an_address(self):
        for text in ("[x](https://www.example.com/?n={{name|x}})", "<https://www.example.com/{{name|x}}>"):
            with pytest.raises(MergeError, match="address of a link"):
                made(text)


class TestLinks:
    @pytest.mark.parametrize(
        "url",
        [
            "javascript:alert(1)",
            "JAVASCRIPT:alert(1)",
            "data:text/html,x",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://www.example.com/",
            "//www.example.com/",
            "/path",
            "#place",
            "https:",
            "https:///x",
            "https://[::",
            "https://user:word@www.example.com/",
            "https://www.example.com@example.org/",
            "https://www.example.com:99999/",
            "https://" + "a" * 3000,
            "mailto:nobody",
            "tel:help",
            "java&#115;cript:alert(1)",
            "&#x1;javascript:alert(1)",
        ],
    )
    def test_what_leads_astray_is_refused_with_its_line(self, url):
        for text in (f"fine\n\n[x]({url})", f"fine\n\n[x][y]\n\n[y]: {url}"):
            with pytest.raises(DraftError) as caught:
                made(text)
            assert caught.value.line == 3 and caught.value.part == "text" and caught.value.mend

    @pytest.mark.parametrize(
        ("url", "sent"),
        [
            ("https://www.example.com/ä b", "https://www.example.com/%C3%A4%20b"),
            ("https://bücher.example/", "https://xn--bcher-kva.example/"),
            ("http://www.example.com/?a=1&amp;b=2", "http://www.example.com/?a=1&b=2"),
            ("mailto:us@example.com?subject=Hi%20you", "mailto:us@example.com?subject=Hi%20you"),
            ("tel:+15550100", "tel:+15550100"),
        ],
    )
    def test_the_rest_is_sent_as_browsers_write_it(self, url, sent):
        content = made(f"[x](<{url}>)")
        assert content.links[0].url == sent
        assert elements(content).all("a")[0]["href"] == sent

    @pytest.mark.parametrize(
        ("url", "sent"),
        [
            ("https://www.example.com/", "https://www.example.com/?utm_campaign=black%20%26%20white"),
            ("https://example.com/a?b=1#c", "https://example.com/a?b=1&utm_campaign=black%20%26%20white#c"),
            ("https://www.example.com/?utm_campaign=mine", "https://www.example.com/?utm_campaign=mine"),
            ("https://www.example.org/", "https://www.example.org/"),
            ("https://example.com.example.org/", "https://example.com.example.org/"),
            ("mailto:us@example.com", "mailto:us@example.com"),
        ],
    )
    def test_a_declared_name_goes_to_the_sites_own_pages_alone(self, url, sent):
        content = made(f"[x]({url})", Look("S", "#123456", SITE, campaign_name="black & white"))
        assert content.links[0].url == elements(content).all("a")[0]["href"] == sent
        assert made(f"[x]({url})").links[0].url == url

    def test_lines_are_counted_as_the_editor_counts_them(self):
        content = made(
            "[a](https://www.example.com/1)\n\n- x\n  [b](https://www.example.com/2)\n\n"
            "| c |\n|-|\n| [d](https://www.example.com/3) |"
        )
        assert [link.line for link in content.links] == [1, 4, 8]

    @pytest.mark.parametrize(
        "url",
        [
            "https://www.example.org/images/a.png",
            f"{SITE}/images/../a.png",
            f"{SITE}/images/a/b.png",
            f"{SITE}/images/a.png?x",
            f"{SITE}/images/",
            f"{SITE}/a.png",
            "data:image/png;base64,AAAA",
            "a.png",
            f"{SITE}/images/{{{{name|x}}}}.png",
        ],
    )
    def test_images_of_other_places_are_refused(self, url):
        with pytest.raises(DraftError) as caught:
            made(f"x\n\n![a]({url})")
        assert caught.value.line == 3

    @pytest.mark.parametrize(
        "folder", ["https://earlier.example.org/images", "http://earlier.example.org/a/images", "/images"]
    )
    def test_this_sites_own_images_come_from_its_address_of_today(self, folder):
        look = dataclasses.replace(LOOK, image_widths={"a.png": 10})
        content = made(f"![a]({folder}/a.png)", look)
        assert [image["src"] for image in elements(content).all("img")] == [f"{SITE}/images/a.png"]
        assert folder + "/a.png" not in content.text.fallbacks().replace(SITE, "")
        for url in (f"{folder}/b.png", f"{folder}/a.png?x", f"{folder}s/a.png", f"{folder}/a/a.png"):
            with pytest.raises(DraftError):
                made(f"![a]({url})", look)


def test_an_archive_shows_fallbacks_and_no_link_of_anybody():
    text = f"# Hi {{{{ name | all }}}}\n\n|a|b|\n|-|-:|\n|c|é|\n\n![x]({SITE}/images/a.png)\n\n**[Go](https://www.example.com/)**"
    shown = article(Draft("For {{ name | all }}", "p", text, "plain"), LOOK)
    assert shown.title == "For all"
    assert shown.html.startswith("<h2>Hi all</h2>\n<table>") and '<td class="right">&#233;</td>' in shown.html
    assert "style=" not in shown.html and "unsubscribe" not in shown.html
    assert '<p><strong><a href="https://www.example.com/">Go</a></strong></p>' in shown.html


def test_which_images_it_has():
    text = f"![x]({SITE}/images/b.png) ![y]({SITE}/images/a.png) ![z]({SITE}/images/b.png)"
    assert made(text).images == ("b.png", "a.png")


def test_heavy_libraries_are_loaded_when_something_is_rendered_and_not_before():
    code = (
        "import sys; from troth.newsletter.campaigns import content, images, link_check, plain_text; "
        "print(sorted({'PIL', 'css_inline', 'markdown_it', 'django'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


class TestRefused:
    @pytest.mark.parametrize(
        "text",
        [
            "<b>x</b>",
            "x <BR/> y",
            "<!-- note -->",
            "<script>alert(1)</script>",
            '<img src="x">',
            "</div>",
            "<a\thref=x>",
        ],
    )
    def test_html_is_refused_with_its_line(self, text):
        with pytest.raises(DraftError, match=r"^Line 3: this is HTML: <") as caught:
            made(f"fine\n\n{text}")
        assert "Markdown" in caught.value.mend

    @pytest.mark.parametrize(
        ("changes", "part"),
        [
            ({"subject": "x" * 251}, "subject"),
            ({"preheader": "x" * 251}, "preheader"),
            ({"subject": "{{ who }}"}, "subject"),
            ({"template": "../base"}, "template"),
            ({"language": "de'"}, "language"),
        ],
    )
    def test_each_part_is_named(self, changes, part):
        with pytest.raises(DraftError) as caught:
            made(**changes)
        assert caught.value.part == part and str(caught.value).startswith(part.capitalize())

    def test_an_empty_draft_can_be_previewed(self):
        content = made("", subject="", preheader="")
        assert [hint.text for hint in content.hints if hint.level == "error"] == [
            "There is no subject.",
            "There is no text.",
        ]

    @pytest.mark.parametrize(
        "text",
        [
            "<p>x</p>" * 650_000,
            "a\n" * 100_000,
            ">" * 199_000,
            "- " * 60 + "x",
            "[" * 199_000,
            ("![" * 200 + "\n\n") * 490,
            "|a" * 20_000 + "\n" + "|-" * 20_000 + "\n" + "|a" * 20_000,
            "**a** " * 33_000,
            "https://a.example/ " * 10_000,
            "*a **b " * 10_000 + "** c*" * 100,
            "https://a.example/" + ")" * 199_000,
            "{" * 199_000,
        ],
    )
    def test_too_much_is_refused_soon(self, text):
        begun = time.process_time()
        with pytest.raises(DraftError) as caught:
            made(text)
        assert caught.value.mend
        assert time.process_time() - begun < 10

    def test_pasted_html_is_named_as_such(self):
        with pytest.raises(DraftError) as caught:
            made("<!doctype html><html><body>" + "x" * 5_000_000)
        assert "Paste the text alone" in caught.value.mend

    def test_a_large_email_has_a_hint(self):
        hints = made("paragraph of words\n\n" * 2000).hints
        assert any("Gmail clips" in hint.text for hint in hints)

    @settings(max_examples=150, deadline=None)
    @given(
        st.text(st.sampled_from("ab<>[]()!{}|*_`#-~>&\\:/\n\t 1.\"'\ue000\ue001\0é") | st.characters(), max_size=120)
    )
    def test_any_text_is_rendered_or_refused_with_a_reason(self, text):
        try:
            content = made(text)
        except DraftError as error:
            assert error.mend
            return
        page = elements(content)
        assert not {tag for tag, _ in page.elements} & {"script", "iframe", "object", "link", "base", "form"}
        assert all(not name.startswith("on") for _, attrs in page.elements for name in attrs)
        assert all(re.match(r"https?:|mailto:|tel:", attrs["href"]) for attrs in page.all("a"))
        assert not re.search("[\ue000-\ue003]", content.html.fill(RECIPIENT) + content.text.fill(RECIPIENT))
