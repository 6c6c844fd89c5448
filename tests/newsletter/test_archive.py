"""The archive: which campaigns everybody may read, that nobody's details and no link of one recipient are in it, and
that its feed is one."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from html.parser import HTMLParser
from xml.etree import ElementTree as xml

import msgspec
import pytest
from msgspec.structs import replace

from tests.conftest import both
from troth.core import clock
from troth.front import published
from troth.newsletter import archive
from troth.newsletter.campaigns import drafts, mails
from troth.newsletter.campaigns.sending import CampaignRefused
from troth.newsletter.models import Campaign, CampaignImage
from troth.newsletter.published import IMAGE_NAME, PAGE_NAME
from troth.worker import publish

NOON = datetime(2026, 11, 28, 12, tzinfo=UTC)
CONTENT = "{http://purl.org/rss/1.0/modules/content/}"
PICTURE = "0123456789abcdef.png"
TEXT = """# News

Hello {{ first_name | reader }} of {{ site_name }},

**bold**, [a page](https://www.example.com/a?b=1&c=2), `{{ name }}` and Ünïcode 🎈.

![A view]({URL}/images/0123456789abcdef.png)

| a | b |
|---|--:|
| 1 | 2 |
"""


@pytest.fixture(autouse=True)
def held(site):
    archive._rendered.clear()
    with clock.hold(NOON) as held:
        yield held


def sent(settings, subject="Hello {{ name | friend }}", markdown=TEXT, **more):
    fields = {"preheader": "What {{ first_name | you }} missed", "state": Campaign.State.SENT, "started_at": NOON}
    text = markdown.replace("{URL}", settings.TROTH_CONFIG.site.url)
    return Campaign.objects.create(subject=subject, markdown=text, **(fields | more))


def shown(site):
    """What the front would show: the archive, and each page's text."""
    publish.publish()
    given = published.load(site.public).archive
    return given, [(site.public / "archive" / campaign.page).read_text("utf-8") for campaign in given.campaigns]


class _Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value) for name, value in attrs]


@both
def test_a_sent_public_campaign_is_shown_with_its_fallbacks_and_without_a_recipients_links(site, settings):
    sent(settings)
    given, [text] = shown(site)
    [campaign] = given.campaigns
    assert (campaign.subject, campaign.summary) == ("Hello friend", "What you missed")
    assert campaign.slug.startswith("hello-friend-") and datetime.fromisoformat(campaign.at) == NOON
    assert PAGE_NAME.fullmatch(campaign.page) and PAGE_NAME.fullmatch(given.feed)
    assert f"Hello reader of {settings.TROTH_CONFIG.site.name}," in text
    assert "<h2>News</h2>" in text and "<h1" not in text  # the subject is the page's
    assert '<td class="right">2</td>' in text
    assert "{{ name }}" in text  # code shows what was typed
    assert "unsubscribe" not in text and "preferences" not in text and "style=" not in text
    assert f'src="{settings.TROTH_CONFIG.site.url}/images/{PICTURE}"' in text


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("# a\n## b\n# c", "232"),
        ("## a\n### b\n## c", "232"),
        ("### a", "2"),
        ("## a\n#### b\n###### c", "234"),
        ("a", ""),
    ],
)
def test_headings_follow_the_pages_own_without_a_gap(site, settings, text, levels):
    """WCAG's technique H42: an outline without levels left out."""
    sent(settings, markdown=text.replace("\n", "\n\n") + "\n\n`<h5>` stays")
    _, [html] = shown(site)
    assert "".join(tag[1] for tag in _Tags(html).tags if tag.startswith("h")) == levels
    assert "&lt;h5&gt;" in html


def test_no_other_campaign_is_shown(site, settings):
    for state in Campaign.State:
        sent(settings, subject=str(state), state=state, public=state != Campaign.State.SENT)
    sent(settings, started_at=None)
    given, texts = shown(site)
    assert not given.campaigns and not texts


def test_nothing_in_a_page_runs_or_loads_from_elsewhere(site, settings):
    hostile = (
        "```\n<script>alert(1)</script>\n```\n\n`<img src=x onerror=alert(1)>` and Vec<String>, 1 < 2 & 3 > 2\n\n"
        "[a link](https://example.org/?q=%22%3E%3Cscript%3E)\n"
    )
    sent(settings, subject='"><script>alert(1)</script>', markdown=hostile, preheader="")
    _, [text] = shown(site)
    tags = _Tags(text)
    assert set(tags.tags) <= {"p", "pre", "code", "a"}
    assert {(tag, name) for tag, name, _ in tags.attributes} == {("a", "href")}


def test_newest_first_and_no_more_than_the_newest(site, settings, monkeypatch):
    monkeypatch.setattr(archive, "MOST", 3)
    for number in range(5):
        sent(settings, subject=f"Issue {number}", started_at=NOON + timedelta(days=number))
    given, _ = shown(site)
    assert [campaign.subject for campaign in given.campaigns] == ["Issue 4", "Issue 3", "Issue 2"]


def test_issues_with_one_subject_have_addresses_of_their_own_that_stay(site, settings):
    for subject in ("News", "News", "Новости", "🎈", "x" * 200):
        sent(settings, subject=subject, markdown="Hi.")
    given, _ = shown(site)
    slugs = [campaign.slug for campaign in given.campaigns]
    assert len(set(slugs)) == 5 and all(slug.replace("-", "").isalnum() and len(slug) <= 80 for slug in slugs)
    archive._rendered.clear()
    assert [campaign.slug for campaign in archive.update().campaigns] == slugs


def test_it_is_published_once_and_again_when_it_changes(site, settings):
    assert publish.publish() == 1
    assert publish.publish() is None
    campaign = sent(settings)
    assert publish.publish() == 2
    assert publish.publish() is None
    Campaign.objects.filter(id=campaign.id).update(public=False)
    assert publish.publish() == 3
    assert not published.load(site.public).archive.campaigns


def test_a_page_is_rendered_once_and_again_where_its_file_is_gone(site, settings, monkeypatch):
    sent(settings)
    given, [text] = shown(site)
    monkeypatch.setattr(archive.content, "article", lambda *_: pytest.fail("rendered again"))
    assert archive.update() == given
    monkeypatch.undo()
    (site.public / "archive" / given.campaigns[0].page).unlink()
    assert archive.update() == given
    assert (site.public / "archive" / given.campaigns[0].page).read_text("utf-8") == text


def test_a_worker_that_starts_renders_nothing_that_is_published_already(site, settings, monkeypatch):
    for subject in ("First", "Second"):
        sent(settings, subject=subject, markdown=f"{subject}.")
    given, _ = shown(site)
    archive._rendered.clear()  # as a process that has just started
    right, rendered = archive.content.article, []
    monkeypatch.setattr(archive.content, "article", lambda *draft: rendered.append(draft[0].subject) or right(*draft))
    assert publish.publish() is None and not rendered
    sent(settings, subject="Third", started_at=NOON + timedelta(days=1), markdown="Third.")
    archive._rendered.clear()
    assert publish.publish() and rendered == ["Third"]
    assert published.load(site.public).archive.campaigns[1:] == given.campaigns


@pytest.mark.parametrize("changed", ["url", "name", "version"])
def test_every_page_is_rendered_again_where_what_it_depends_on_has_changed(site, settings, monkeypatch, changed):
    sent(settings, markdown="Hello {{ site_name }}")
    given, _ = shown(site)
    archive._rendered.clear()
    config = settings.TROTH_CONFIG
    if changed == "version":
        monkeypatch.setattr(archive, "version", lambda _: "1000")
    else:
        value = {"url": "https://www.example.net/new", "name": "Another name"}[changed]
        settings.TROTH_CONFIG = replace(config, site=replace(config.site, **{changed: value}))
    again, [text] = shown(site)
    assert again.campaigns[0].source != given.campaigns[0].source
    assert settings.TROTH_CONFIG.site.name in text


def test_old_pages_go_once_no_front_can_still_show_them(site, settings):
    first = sent(settings, subject="First")
    given, _ = shown(site)
    page = site.public / "archive" / given.campaigns[0].page
    Campaign.objects.filter(id=first.id).update(public=False)
    publish.publish()
    assert page.exists()  # a front may show the generation before
    sent(settings, subject="Second", markdown="Second.")
    publish.publish()
    assert not page.exists()
    known = published.load(site.public).archive
    assert {path.name for path in (site.public / "archive").iterdir()} > {known.feed, known.campaigns[0].page}


def test_a_campaign_that_makes_no_page_any_more_is_left_out(site, settings):
    sent(settings, subject="Good", markdown="Good.")
    sent(settings, subject="Moved", markdown="![x](https://elsewhere.example.org/images/a.png)")
    given, _ = shown(site)
    assert [campaign.subject for campaign in given.campaigns] == ["Good"]


def moved(settings, url="https://www.example.net/new"):
    config = settings.TROTH_CONFIG
    settings.TROTH_CONFIG = replace(config, site=replace(config.site, url=url))
    return url


def test_a_campaign_stays_when_the_site_moves_and_its_pictures_come_from_the_new_address(site, settings):
    picture(PICTURE)
    before, campaign = settings.TROTH_CONFIG.site.url, sent(settings)
    shown(site)
    url = moved(settings)
    given, [text] = shown(site)
    assert f'src="{url}/images/{PICTURE}"' in text and f"{before}/images" not in text
    assert f"{url}/images/{PICTURE}" in (site.public / "archive" / given.feed).read_text("utf-8")
    html = mails.content_of(campaign, settings.TROTH_CONFIG).html.fallbacks()  # one that is still being sent
    assert f'src="{url}/images/{PICTURE}"' in html and f"{before}/images" not in html


def test_a_picture_that_this_site_does_not_have_is_not_loaded_from_an_earlier_address(site, settings):
    sent(settings)
    moved(settings)
    assert not shown(site)[1]


# -- the feed ---------------------------------------------------------------------------------------------------------


def feed_of(site, given):
    return xml.fromstring((site.public / "archive" / given.feed).read_bytes())


def test_the_feed_is_rss_with_what_its_readers_ask_for(site, settings):
    """RSS 2.0: channel with title, link, description; item with title or description; dates by RFC 822."""
    hostile = 'A <b> & "quotes" ]]> \x00\x0b\ud7ff end'
    sent(settings, subject=hostile.replace("\x00", ""), markdown="First & <5> ]]>", preheader="")
    sent(settings, subject="Second", started_at=NOON + timedelta(days=1))
    given, texts = shown(site)
    rss, url = feed_of(site, given), settings.TROTH_CONFIG.site.url
    assert (rss.tag, rss.get("version")) == ("rss", "2.0")
    [channel] = rss
    assert [channel.findtext(name) for name in ("link", "lastBuildDate")] == [
        f"{url}/newsletter/archive", "Sun, 29 Nov 2026 12:00:00 +0000",
    ]  # fmt: skip
    assert channel.findtext("title") and channel.findtext("description")
    [own] = channel.findall("{http://www.w3.org/2005/Atom}link")
    assert (own.get("href"), own.get("rel")) == (f"{url}/newsletter/feed.xml", "self")
    items = channel.findall("item")
    assert [item.findtext("title") for item in items] == ["Second", 'A <b> & "quotes" ]]> \ud7ff end']
    for item, campaign, text in zip(items, given.campaigns, texts, strict=True):
        assert item.findtext("link") == item.findtext("guid") == f"{url}/newsletter/archive/{campaign.slug}"
        assert parsedate_to_datetime(item.findtext("pubDate")) == datetime.fromisoformat(campaign.at)
        assert item.findtext("description") == (campaign.summary or item.findtext("title"))
        assert item.findtext(f"{CONTENT}encoded") == text
    assert len({item.findtext("guid") for item in items}) == 2


def test_a_feed_without_issues_is_one_and_a_long_one_has_the_newest(site, settings):
    given, _ = shown(site)
    assert feed_of(site, given).find("channel").findall("item") == []
    for number in range(25):
        sent(settings, subject=f"Issue {number}", started_at=NOON + timedelta(hours=number), markdown="Hi.")
    given, _ = shown(site)
    titles = [item.findtext("title") for item in feed_of(site, given).iter("item")]
    assert len(given.campaigns) == 25 and titles == [f"Issue {number}" for number in range(24, 4, -1)]


# -- pictures ---------------------------------------------------------------------------------------------------------


def picture(name, data=b"\x89PNG\r\n"):
    CampaignImage.objects.create(name=name, media_type="image/png", width=1, height=1, data=data)


@both
def test_pictures_lie_where_the_front_finds_them_and_go_with_their_row(site, settings):
    picture(PICTURE)
    picture("fedcba9876543210.jpg", b"\xff\xd8")
    publish.publish()
    folder = site.public / "images"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        PICTURE: b"\x89PNG\r\n", "fedcba9876543210.jpg": b"\xff\xd8",
    }  # fmt: skip
    assert folder.stat().st_mode & 0o777 == 0o755
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in folder.iterdir())
    CampaignImage.objects.filter(name=PICTURE).delete()
    publish.publish()
    assert [path.name for path in folder.iterdir()] == ["fedcba9876543210.jpg"]


def test_a_picture_whose_name_is_none_of_ours_is_not_written_and_other_files_stay(site, settings):
    for name in ("../../keys/x.png", "x.svg", "0123456789abcdef.html", ".png"):
        picture(name)
    publish.publish()
    folder = site.public / "images"
    assert not list(folder.iterdir())
    (folder / "note.txt").write_text("the operator's")
    publish.publish()
    assert [path.name for path in folder.iterdir()] == ["note.txt"]


def test_names_of_images_are_what_the_front_takes():
    import io

    from PIL import Image as pillow

    from troth.newsletter.campaigns import images

    for kind in ("PNG", "JPEG", "GIF"):
        out = io.BytesIO()
        pillow.new("RGB", (2, 2), "red").save(out, kind)
        assert IMAGE_NAME.fullmatch(images.reencode(out.getvalue()).name)


def test_what_the_front_is_told_survives_the_wire(site, settings):
    sent(settings)
    given = archive.update()
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(given), type=type(given)) == given


def test_a_sent_campaign_is_taken_out_of_archive_and_feed_and_put_back(site, settings):
    campaign = sent(settings)
    for public in (False, True):
        drafts.publish(campaign.id, public=public)
        given, _ = shown(site)
        feed = (site.public / "archive" / given.feed).read_text("utf-8")
        assert [one.subject for one in given.campaigns] == ["Hello friend"] * public
        assert ("Hello friend" in feed) is public


def test_only_a_sent_campaign_is_taken_out(settings):
    with pytest.raises(CampaignRefused):
        drafts.publish(sent(settings, state=Campaign.State.CANCELLED).id, public=False)
