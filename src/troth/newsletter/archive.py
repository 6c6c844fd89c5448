"""The public archive: sent campaigns that are public, as pages and as a feed, and the pictures of all campaigns.

What the front shows is made here, with the fallback at each merge field and without the footer's links, which are one
recipient's. Worker only. May touch: the database, `public/archive/`, `public/images/`.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from datetime import datetime
from email.utils import format_datetime
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from uuid import UUID
from xml.etree import ElementTree as xml

from django.conf import settings
from msgspec.structs import replace

from troth.core.config.sections import Config
from troth.core.disk import set_mode, sync_folder, write_synced
from troth.newsletter.campaigns import content
from troth.newsletter.campaigns.content import Draft, Look
from troth.newsletter.campaigns.draft_error import DraftError
from troth.newsletter.campaigns.mails import image_widths
from troth.newsletter.campaigns.merge import Marks
from troth.newsletter.models import Campaign, CampaignImage
from troth.newsletter.published import ARCHIVE, IMAGE_NAME, IMAGES, PAGE_NAME, Archive, ArchivedCampaign

MOST = 200
"""The newest so many are in the archive."""
_IN_FEED = 20
_ATOM, _CONTENT = "http://www.w3.org/2005/Atom", "http://purl.org/rss/1.0/modules/content/"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""XML 1.0, section 2.2."""
_HEADING = re.compile(r"(?:(?<=<h)|(?<=</h))[1-6](?=>)")
"""The level of a heading's tag."""


_rendered: dict[str, ArchivedCampaign | None] = {}
"""By what each was rendered from; None where the text makes no page."""


def update(in_force: Archive | None = None) -> Archive:
    """Write what the front lacks of the archive and of the pictures; return what it is told of them.

    `in_force`: what it was told before. Its pages are not rendered again, not even by a worker that has just started.
    Cheap where nothing has changed: it is called every few seconds. `OSError` where the disk refuses.
    """
    for campaign in in_force.campaigns if in_force else ():
        _rendered.setdefault(campaign.source, campaign)
    _write_images()
    config = settings.TROTH_CONFIG
    campaigns = list(_archived(config))
    return Archive(campaigns=campaigns, feed=_write(_feed(campaigns, config), "xml"))


def remove_old(*kept: Archive) -> None:
    """Remove the pages of which none of these archives knows."""
    names = {name for archive in kept for name in (archive.feed, *(campaign.page for campaign in archive.campaigns))}
    _remove_but(names, _folder(ARCHIVE), PAGE_NAME)


# -- campaigns --------------------------------------------------------------------------------------------------------


def _archived(config: Config) -> Iterator[ArchivedCampaign]:
    sent = Campaign.objects.filter(state=Campaign.State.SENT, public=True, started_at__isnull=False)
    for ident, at in sent.order_by("-started_at", "-id").values_list("id", "started_at")[:MOST]:
        assert at is not None
        campaign = _known_or_rendered(ident, config)
        if campaign is not None:
            yield replace(campaign, at=at.astimezone(config.zone).isoformat(timespec="seconds"))


def _known_or_rendered(ident: UUID, config: Config) -> ArchivedCampaign | None:
    source = _source(ident, config)
    known = _rendered.get(source)
    if source not in _rendered or (known is not None and not (_folder(ARCHIVE) / known.page).exists()):
        _rendered[source] = _render(Campaign.objects.get(id=ident), config, source)
    return _rendered[source]


def _source(ident: UUID, config: Config) -> str:
    """Return a hash of what a page depends on: a campaign is not changed any more once it was sent."""
    parts = (ident.hex, config.site.name, config.site.url, version("troth"))
    return sha256("\0".join(parts).encode()).hexdigest()[:32]


def _render(campaign: Campaign, config: Config, source: str) -> ArchivedCampaign | None:
    draft = Draft(campaign.subject, campaign.preheader, campaign.markdown, campaign.template, campaign.language)
    site, marks, widths = config.site, Marks(config.site.name), dict(image_widths(campaign.markdown))
    look = Look(site.name, site.accent, site.url, campaign_name=campaign.link_name, image_widths=widths)
    try:
        article = content.article(draft, look)
        summary = marks.fallbacks(marks.line(campaign.preheader, "preheader"))
    except DraftError:  # one of its pictures is gone, say
        return None
    return ArchivedCampaign(
        slug=_slug(article.title, campaign.id),
        subject=article.title,
        summary=summary,
        at="",
        page=_write(_headed(article.html).encode(), "html"),
        source=source,
    )


def _headed(html: str) -> str:
    """Return the text with its headings on the levels below the page's own, none left out: many begin with `##`."""
    levels = sorted(set(_HEADING.findall(html)))
    return _HEADING.sub(lambda match: str(levels.index(match[0]) + 2), html)


def _slug(subject: str, ident: UUID) -> str:
    """Return an address that says what it leads to and stays. `ident` parts issues with the same subject."""
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", plain)[:10]
    return "-".join([*words, ident.hex[-8:]])[-80:].lstrip("-")


# -- the feed ---------------------------------------------------------------------------------------------------------


def _feed(campaigns: list[ArchivedCampaign], config: Config) -> bytes:
    """Return the newest issues as RSS 2.0, with their whole text (the content module of RSS 1.0)."""
    xml.register_namespace("atom", _ATOM)
    xml.register_namespace("content", _CONTENT)
    url = config.site.url
    rss = xml.Element("rss", version="2.0")
    channel = xml.SubElement(rss, "channel")
    _add(channel, "title", f"{config.newsletter.title} · {config.site.name}")
    _add(channel, "link", f"{url}/newsletter/archive")
    _add(channel, "description", config.newsletter.intro or f"The newsletter of {config.site.name}.")
    own = {"href": f"{url}/newsletter/feed.xml", "rel": "self", "type": "application/rss+xml"}
    xml.SubElement(channel, f"{{{_ATOM}}}link", own)
    if campaigns:
        _add(channel, "lastBuildDate", _rfc822(campaigns[0]))
    for campaign in campaigns[:_IN_FEED]:
        address = f"{url}/newsletter/archive/{campaign.slug}"
        item = xml.SubElement(channel, "item")
        _add(item, "title", campaign.subject)
        _add(item, "link", address)
        _add(item, "guid", address)
        _add(item, "pubDate", _rfc822(campaign))
        _add(item, "description", campaign.summary or campaign.subject)
        _add(item, f"{{{_CONTENT}}}encoded", (_folder(ARCHIVE) / campaign.page).read_text("utf-8"))
    document: bytes = xml.tostring(rss, encoding="utf-8", xml_declaration=True)
    return document


def _add(parent: xml.Element, tag: str, text: str) -> None:
    xml.SubElement(parent, tag).text = _NOT_XML.sub("", text)


def _rfc822(campaign: ArchivedCampaign) -> str:
    return format_datetime(datetime.fromisoformat(campaign.at))


# -- files ------------------------------------------------------------------------------------------------------------


def _write_images() -> None:
    """Write pictures that the front lacks, and remove those that are no campaign's any more."""
    names = {name for name in CampaignImage.objects.values_list("name", flat=True) if IMAGE_NAME.fullmatch(name)}
    folder = _folder(IMAGES)
    present = {path.name for path in folder.iterdir()}
    for name in sorted(names - present):
        _put(folder / name, bytes(CampaignImage.objects.values_list("data", flat=True).get(name=name)))
    _remove_but(names, folder, IMAGE_NAME)


def _write(data: bytes, ending: str) -> str:
    name = f"{sha256(data).hexdigest()[:32]}.{ending}"
    path = _folder(ARCHIVE) / name
    if not path.exists():
        _put(path, data)
    return name


def _folder(name: str) -> Path:
    folder: Path = settings.TROTH_SITE.public / name
    if not folder.is_dir():
        folder.mkdir()
        set_mode(folder, 0o755)  # the fronts are another user, and everybody may read what is in here
    return folder


def _put(path: Path, data: bytes) -> None:
    fresh = path.with_name(f".{path.name}")
    write_synced(fresh, data, mode=0o644)
    fresh.replace(path)
    sync_folder(path.parent)


def _remove_but(kept: Iterable[str], folder: Path, ours: re.Pattern[str]) -> None:
    names = set(kept)
    for path in list(folder.iterdir()):
        if path.name not in names and ours.fullmatch(path.name.lstrip(".")):
            path.unlink(missing_ok=True)
