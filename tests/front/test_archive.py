"""The archive's pages, the feed and the pictures: what is there, with which headers, and nothing beside it."""

import pytest

from troth.newsletter.published import Archive, ArchivedCampaign, image_path, page_path

PAGE, FEED, PICTURE = f"{'ab' * 16}.html", f"{'cd' * 16}.xml", "0123456789abcdef.png"
ISSUE = ArchivedCampaign(
    slug="news-1234", subject="News & <more>", summary="What is new", at="2026-11-28T23:30:00+01:00", page=PAGE
)


@pytest.fixture
def archived(front, tmp_path):
    for path, data in (
        (page_path(tmp_path, PAGE), b"<h2>One</h2>\n<p>Text.</p>"),
        (page_path(tmp_path, FEED), b"<rss/>"),
        (image_path(tmp_path, PICTURE), b"\x89PNG"),
    ):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    front.publish(archive=Archive(campaigns=[ISSUE], feed=FEED))
    return front


async def test_the_list_leads_to_each_issue_and_to_the_feed(client, archived):
    answer = await client.get("/troth/newsletter/archive")
    assert answer.status == 200
    assert '<a href="/troth/newsletter/archive/news-1234">News &amp; &lt;more&gt;</a>' in answer.text
    assert "28 November 2026" in answer.text and "What is new" in answer.text
    assert 'type="application/rss+xml"' in answer.text and 'name="robots"' not in answer.text
    assert "Read past issues" in (await client.get("/troth/newsletter")).text


async def test_an_issue_stands_in_the_sites_own_look_and_runs_nothing(client, archived):
    answer = await client.get("/troth/newsletter/archive/news-1234")
    assert answer.status == 200 and "<p>Text.</p>" in answer.text
    assert "<h1>News &amp; &lt;more&gt;</h1>" in answer.text
    rules = answer.headers["content-security-policy"]
    assert "default-src 'none'" in rules and "'unsafe" not in rules and "data:" not in rules
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "<script" not in answer.text


async def test_the_feed_is_for_every_reader(client, archived):
    answer = await client.get("/troth/newsletter/feed.xml")
    assert (answer.status, answer.body) == (200, b"<rss/>")
    assert answer.headers["content-type"].startswith("application/rss+xml")
    assert answer.headers["access-control-allow-origin"] == "*"


async def test_a_picture_is_for_ever_and_for_mail_programs_on_the_web(client, archived):
    answer = await client.get(f"/troth/images/{PICTURE}")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, b"\x89PNG", "image/png")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "set-cookie" not in answer.headers and "etag" not in answer.headers  # nobody is told apart by it


@pytest.mark.parametrize(
    "path",
    [
        "newsletter/archive/other",
        "newsletter/archive/..%2Fcurrent",
        "newsletter/archive/" + PAGE,
        "images/0123456789abcdee.png",
        "images/..%2Farchive%2F" + PAGE,
        "images/" + PAGE,
        "images/.0123456789abcdef.png",
        "images/0123456789abcdef.svg",
        "images/",
        "archive/" + PAGE,
    ],
)
async def test_nothing_else_is_there(client, archived, path):
    for address in (path, path.replace("%2F", "/")):
        assert (await client.get(f"/troth/{address}")).status == 404


async def test_nobody_can_write_there(client, archived, line):
    for path in ("newsletter/archive", "newsletter/archive/news-1234", "newsletter/feed.xml", f"images/{PICTURE}"):
        assert (await client.post(f"/troth/{path}", {})).status == 405
    assert not line.frames


async def test_a_file_that_is_gone_is_404_and_before_the_first_issue_the_list_is_empty(client, archived, tmp_path):
    page_path(tmp_path, PAGE).unlink()
    assert (await client.get("/troth/newsletter/archive/news-1234")).status == 404
    archived.publish()
    answer = await client.get("/troth/newsletter/archive")
    assert answer.status == 200 and "No issue has been published yet" in answer.text
    for path in ("newsletter/archive/news-1234", "newsletter/feed.xml"):
        assert (await client.get(f"/troth/{path}")).status == 404
    assert "Read past issues" not in (await client.get("/troth/newsletter")).text
