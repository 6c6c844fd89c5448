"""Every link of every mail and of every page that they lead to, opened by GET and HEAD as mail scanners and previews
do: nothing about a person changes, and nothing about them is shown."""

import asyncio
import re
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

from tests.front.client import Client, Fake
from tests.newsletter.test_services import NOW, confirm_link, held, sign_up, signup, use
from troth.core.ids import new_id
from troth.front.app import Front
from troth.gate.models import Delivery
from troth.newsletter import topics
from troth.newsletter.campaigns.mails import compose_campaigns
from troth.newsletter.mails import compose_confirmations
from troth.newsletter.models import Campaign, CampaignImage, Request, Subscription, TopicSubscription
from troth.vault.models import Person, Record
from troth.worker import publish

__all__ = ["held"]
PICTURE = "0123456789abcdef.png"
NAME, ADDRESS, COMPANY = "Wilma Oddsworth", "wilma.oddsworth@example.com", "Oddsworth"


class _Links(HTMLParser):
    """What a page leads to or loads, and where its forms go."""

    def __init__(self, text):
        super().__init__()
        self.addresses = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.addresses += [value for name, value in attrs if name in {"href", "src", "action"} and value]


@pytest.fixture
def mails(site, held, settings):
    """The mails of one subscriber: to confirm once more, and a campaign's; with a topic, an archive and a picture."""
    url = settings.TROTH_CONFIG.site.url
    topic = topics.create("Releases", "", public=True)
    sign_up(signup(ADDRESS, NAME, topics=1))
    use(confirm_link())
    CampaignImage.objects.create(name=PICTURE, media_type="image/png", width=1, height=1, data=b"\x89PNG")
    text = f"Hello {{{{ name | you }}}}, ![a]({url}/images/{PICTURE}) [the archive]({url}/newsletter/archive)"
    kept = {"subject": "News", "markdown": text, "started_at": NOW}
    Campaign.objects.create(state=Campaign.State.SENT, **kept)
    going = Campaign.objects.create(state=Campaign.State.SENDING, topic=topic, **kept)
    sign_up(signup(ADDRESS, NAME))
    person = Person.objects.get()
    campaign = Delivery(id=new_id(), kind="campaign", about=going.id, person=person, message_id="<x@example.com>")
    confirmations = compose_confirmations(list(Delivery.objects.filter(kind="confirmation", person=person)))
    composed = [*confirmations.values(), *compose_campaigns([campaign]).values()]
    assert len(composed) == 2
    publish.publish()
    return composed


def everything():
    """All that there is about people."""
    tables = (Person, Subscription, Request, TopicSubscription, Record, Delivery)
    return [sorted(map(str, table.objects.values_list())) for table in tables]


async def walk(client, start, host):
    """Open whatever is there, and whatever that leads to; what each answered."""
    waiting, answers = sorted(start), {}
    while waiting:
        url = waiting.pop()
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if parts.netloc != host or path in answers or parts.scheme not in {"http", "https"}:
            continue
        await client.ask("HEAD", path)
        answers[path] = answer = await client.get(path)
        if answer.headers.get("content-type", "").startswith("text/html"):
            waiting += [urljoin(url, address) for address in _Links(answer.text).addresses]
    return answers


def test_no_get_changes_anything_about_a_person_or_shows_anything_of_them(site, mails, settings):
    host = urlsplit(settings.TROTH_CONFIG.site.url).netloc
    start = set()
    for mail in mails:
        written = f"{mail.text()}\n{mail.page()}\n{mail.headers()}".replace("&amp;", "&")
        start |= {url.rstrip(".,'") for url in re.findall(r"https?://[^\s<>\"')]+", written)}
    line = Fake()
    front = Front(site.public, {"altcha": "11" * 32, "buckets": "22" * 32}, line)
    front.look()
    before = everything()
    answers = asyncio.run(walk(Client(front), start, host))
    assert everything() == before
    assert not line.frames
    opened = "\n".join(answers)
    for part in (
        "/confirm/",
        "/unsubscribe/",
        "/preferences/",
        "/topic/0",
        "/newsletter/archive/",
        "/newsletter/feed.xml",
        "/images/",
    ):
        assert part in opened, part
    assert {answer.status for answer in answers.values()} == {200}
    for word in (NAME, ADDRESS, COMPANY, "Wilma", "wilma"):
        assert not any(word.encode() in answer.body for answer in answers.values())
