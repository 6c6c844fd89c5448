"""Feeds are read as they are written in the wild, and what they say becomes Markdown that shows it and does no more."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.core.errors import TrothError
from troth.newsletter.campaigns import feed_drafts, feeds, html_markdown, markdown
from troth.newsletter.campaigns.html_page import article
from troth.newsletter.campaigns.merge import Marks
from troth.newsletter.models import Campaign

SITE = "https://www.example.com"
RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/">
<channel><title>Notes</title><link>https://www.example.com/</link><language>de</language>
<item><title>Older</title><link>/notes/1</link><guid isPermaLink="false">1</guid>
<pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate><description>Short</description></item>
<item><title>&lt;b&gt;Newer&lt;/b&gt; &amp;amp; better</title><media:title>No</media:title><guid>https://www.example.com/notes/2</guid>
<pubDate>Tue, 03 Nov 2026 10:00:00 +0200</pubDate>
<content:encoded><![CDATA[<p>See <a href="more.html">more</a>.</p>]]></content:encoded></item></channel></rss>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://www.example.com/blog/" xml:lang="fr">
<title type="html">Les &lt;i&gt;notes&lt;/i&gt;</title><id>tag:example.com,2026:notes</id>
<entry><title>A &lt; B</title><id>tag:example.com,2026:1</id><link rel="enclosure" href="a.mp3"/><link href="one"/>
<updated>2026-11-03T10:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Hello <em>you</em></p></div></content></entry>
</feed>"""
JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "Notes",
        "home_page_url": "https://www.example.com/",
        "items": [{"id": 7, "url": "/x", "content_text": "One <b>\n\nTwo", "date_published": "2026-11-03T10:00:00Z"}],
    }
)


def shown(source: str) -> str:
    """A draft's text as HTML, with the fallbacks."""
    marks = Marks("Example")
    document = markdown.parse(source, marks, site_url=SITE)
    return marks.pattern(article(document.tokens), html=True).fallbacks()


def test_rss_is_read_newest_first_with_relative_links_and_titles_with_markup():
    feed = feeds.read(RSS.encode())
    assert [(item.title, item.link) for item in feed.items] == [
        ("Newer & better", f"{SITE}/notes/2"),
        ("Older", f"{SITE}/notes/1"),
    ]
    assert feed.language == "de" and feed.items[0].at.isoformat() == "2026-11-03T08:00:00+00:00"
    assert html_markdown.convert(feed.items[0].html, SITE) == f"See [more]({SITE}/notes/more.html)."


def test_atom_is_read_with_its_base_and_xhtml():
    feed = feeds.read(ATOM.encode())
    (item,) = feed.items
    assert (feed.title, item.title, item.link) == ("Les notes", "A < B", f"{SITE}/blog/one")
    assert html_markdown.convert(item.html, SITE) == "Hello *you*"


def test_json_feed_and_rss_1_are_read():
    (item,) = feeds.read(JSON).items
    assert (item.title, item.link) == ("One <b> Two", f"{SITE}/x")
    assert html_markdown.convert(item.html, SITE) == "One \\<b\\>\n\nTwo"
    rdf = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">'
        "<channel><title>N</title></channel><item><title>A Vec&lt;T&gt;</title></item></rdf:RDF>"
    )
    assert [item.title for item in feeds.read(rdf).items] == ["A Vec<T>"]


def test_pasted_text_is_read_whatever_encoding_its_file_had():
    latin = RSS.replace("utf-8", "iso-8859-1").replace("Older", "Größe")
    titles = [feeds.read(document).items[1].title for document in (latin, latin.encode("latin-1"))]
    assert titles == ["Größe", "Größe"]


@pytest.mark.parametrize(
    ("document", "why"),
    [
        (b"", "empty"),
        (b"not a feed", "no well-formed XML"),
        (b"<html><body>Hi</body></html>", "a web page"),
        (b"<rss><channel></channel></rss>", "no items"),
        (b"<opml/>", "neither RSS nor Atom"),
        (b'<!DOCTYPE rss [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><rss>&b;</rss>', "entities"),
        (b'<!DOCTYPE rss [<!ENTITY a SYSTEM "file:///etc/passwd">]><rss>&a;</rss>', "entities"),
        (b"<rss>" + b"<a>" * 200, "nested too deeply"),
        (b'{"version": "1"}', "no JSON Feed"),
        (b"[" * 100_000, "no well-formed XML"),
        (b'{"a":' * 100_000, "no JSON Feed"),
        (b'<?xml version="1.0" encoding="shift_jis"?><rss/>', "encoding"),
        (b" " * (feeds.LARGEST + 1), "larger than 5 MB"),
    ],
)
def test_what_is_no_feed_is_refused_with_the_reason(document, why):
    with pytest.raises(TrothError, match=why) as refused:
        feeds.read(document)
    assert refused.value.mend


def test_the_html_of_a_post_becomes_markdown():
    html = """<h1>T</h1><p>A <strong>bold:</strong> <b><a href="/x">link</a></b> <code>a`b</code></p>
    <ul><li>one<li>two<ol><li>in</ol></ul><blockquote><p>q</p></blockquote><pre>x\n  {{ y</pre><script>bad()</script>
    <table><tr><td>a<td>b</tr></table><img src="t.gif"><img src="https://example.net/p.png" alt="A plot">"""
    assert html_markdown.convert(f'<base href="{SITE}">{html}', SITE) == (
        f"### T\n\nA **bold**: [link]({SITE}/x) ``a`b``\n\n- one\n\n- two\n\n  1. in\n\n> q\n\n"
        "```\nx\n  {{ y\n```\n\na · b\n\n[A plot](https://example.net/p.png)"
    )


@pytest.mark.parametrize(
    "text",
    ["# no heading", "1. no list", "- no", "{{ name }}", "<img src=x>", "a | b", "***", "&lt;", "[x](y)", "---"],
)
def test_text_that_looks_like_markdown_html_or_a_merge_field_is_shown_as_it_is(text):
    html = shown(html_markdown.paragraph(text))
    assert html_markdown.plain(html) == text and "<img" not in html and "<a" not in html.replace("<article", "")


@pytest.mark.parametrize("link", ["javascript:alert(1)", "http://a@b/", "data:text/html,x", "//", "http://[", "x:y"])
def test_a_link_that_a_draft_may_not_have_leaves_its_words(link):
    assert html_markdown.convert(f'<p><a href="{link}">words</a></p>', SITE) == "words"


_PIECES = st.sampled_from(
    "<p> </p> <b> </b> <em> </em> <a\xa0href='https://example.com/a_(b)'> </a> <code> </code> <pre> </pre> <li> <ul> "
    "<ol> </ol> <blockquote> <br> <hr> <h1> <td> <!-- --> &lt;b&gt; {{ }} \\ ` ~~ * _ # 1. | [ ]( ) http://a@b "
    "https://example.com/ <script> <svg> </svg> \ue000 x &#0; <del>".replace(" ", "\n")
    .replace("\xa0", " ")
    .split("\n")
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=25))
def test_whatever_a_post_holds_becomes_a_text_that_a_draft_takes(pieces):
    source = html_markdown.convert("".join(pieces), SITE)
    assert "<script" not in shown(source)


@pytest.mark.parametrize("unended", ["<a ", "<!-- x", "<!x", "<?x"])
def test_a_tag_that_does_not_end_leaves_what_precedes_it(unended):
    assert html_markdown.convert(f"<p>first</p>{unended}", SITE).startswith("first")


@pytest.mark.parametrize("piece", ["<b>", "<ul><li>", "&", "<a href='https://example.com/'>x", "[", "`"])
@pytest.mark.parametrize("end", ["", ">"])
def test_a_large_post_of_one_piece_is_converted_and_what_precedes_it_is_kept(piece, end):
    source = html_markdown.convert("<p>first</p>" + piece * (feeds.LONGEST // len(piece)) + end, SITE)
    assert source.startswith("first")


def test_a_draft_has_the_chosen_posts_and_the_next_one_knows_what_is_new(site):
    feed = feeds.read(RSS)
    offered = feed_drafts.offer(feed)
    assert not offered.drafted_before and offered.suggested() == {feed.items[0].key}
    draft = feed_drafts.draft(feed, offered.suggested())
    assert (draft.subject, draft.language, draft.state) == ("Newer & better", "de", "draft")
    assert draft.markdown == f"## [Newer \\& better]({SITE}/notes/2)\n\nSee [more]({SITE}/notes/more.html)."
    assert feed_drafts.offer(feed).suggested() == frozenset()
    newer = RSS.replace("<item>", "<item><title>Third</title><guid>3</guid></item><item>", 1)
    offered = feed_drafts.offer(feeds.read(newer))
    assert [item.title for item in offered.feed.items if item.key in offered.suggested()] == ["Third"]


def test_summaries_are_the_beginning_alone(site):
    feed = feeds.read(RSS.replace("Short", "word " * 200))
    text = feed_drafts.draft(feed, [feed.items[1].key], summaries=True).markdown
    assert text.startswith(f"## [Older]({SITE}/notes/1)\n\nword word") and text.endswith("…") and len(text) < 500


def test_what_is_between_the_two_pages_is_bounded_and_checked():
    feed = feeds.read(RSS)
    text, count = feeds.packed(feed)
    assert (feeds.unpacked(text), count) == (feed, 2)
    for broken in ("", "x", text[:-8], text[8:]):
        with pytest.raises(TrothError, match="did not arrive whole"):
            feeds.unpacked(broken)


def bring(desk, **typed):
    return desk.post("/newsletter/feed/", typed)


def test_a_campaign_is_drafted_in_the_console(desk):
    assert "Draft from a feed" in desk.get("/newsletter/").content.decode()
    assert "Troth does not fetch it" in desk.get("/newsletter/feed/").content.decode()
    page = bring(desk, pasted=RSS).content.decode()
    assert page.index("Newer &amp; better") < page.index("Older") and page.count(" checked") == 2
    feed = feeds.read(RSS)
    packed, _ = feeds.packed(feed)
    answer = desk.post("/newsletter/feed/items/", {"feed": packed, "item": [item.key for item in feed.items]})
    draft = Campaign.objects.get()
    assert answer.headers["Location"] == f"/newsletter/{draft.id}/" and draft.markdown.count("## ") == 2
    page = bring(desk, pasted=RSS.replace("<item>", "<item><title>3</title></item><item>", 1)).content.decode()
    assert page.count("tag good") == 1


def test_a_mistake_is_told_and_what_was_pasted_stays(desk):
    for typed, why in (({}, "Choose a file"), ({"pasted": "<rss>mine"}, "no well-formed XML")):
        answer = bring(desk, **typed)
        page = answer.content.decode()
        assert (
            answer.status_code == 422
            and why in page
            and typed.get("pasted", "").replace("<", "&lt;").replace(">", "&gt;") in page
        )
    assert desk.post("/newsletter/feed/items/", {"feed": "x"}).status_code == 422
    packed, _ = feeds.packed(feeds.read(RSS))
    answer = desk.post("/newsletter/feed/items/", {"feed": packed})
    assert answer.status_code == 422 and "No item is chosen" in answer.content.decode()
    assert not Campaign.objects.exists()


def test_an_analyst_drafts_nothing_and_support_may(analyst, support):
    for path in ("/newsletter/feed/", "/newsletter/feed/items/"):
        assert analyst.post(path, {"pasted": RSS}).status_code == 403
    assert analyst.get("/newsletter/feed/").status_code == 403
    assert support.get("/newsletter/feed/").status_code == 200
    assert support.get("/newsletter/feed/items/").status_code == 405
