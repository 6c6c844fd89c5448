"""Drafts from feeds: which items are new since the last draft from the same feed, and the draft of those chosen.

What is kept of a feed is hashes of the items it had, so that the next draft knows what is new.
May touch: the database.
"""

from collections.abc import Collection
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction

from troth.core import clock
from troth.core.text.card_numbers import mask
from troth.core.text.language_tags import is_language
from troth.newsletter.campaigns import feeds, html_markdown
from troth.newsletter.campaigns.feed_tree import FeedError
from troth.newsletter.campaigns.feeds import Feed, Item
from troth.newsletter.campaigns.markdown import LARGEST
from troth.newsletter.models import Campaign, DraftedFeed

_KEY_BYTES = 8
_MOST_REMEMBERED = 1000
_LONGEST_SUMMARY = 400
_MOST_NEW = 20
"""Items that are chosen unless somebody chooses: more make no email."""


@dataclass(frozen=True, slots=True)
class Offered:
    """A feed, and which of its items no draft could have had yet."""

    feed: Feed
    new: frozenset[str]
    """Keys of items."""
    drafted_before: bool

    def suggested(self) -> frozenset[str]:
        """Return the keys of the items that are chosen in advance: the newest of the new ones; of a feed that was never
        drafted from, the newest."""
        keys = [item.key for item in self.feed.items if item.key in self.new]
        return frozenset(keys[: _MOST_NEW if self.drafted_before else 1])


def offer(feed: Feed) -> Offered:
    """Return which items of a feed came since the last draft from it."""
    row = DraftedFeed.objects.filter(key=feed.key).first()
    known = set(_unpacked(bytes(row.items))) if row else set()
    return Offered(feed, frozenset(item.key for item in feed.items if item.key not in known), row is not None)


def draft(feed: Feed, keys: Collection[str], *, summaries: bool = False) -> Campaign:
    """Create a draft of these items, newest first, and remember what the feed has.

    `summaries`: the beginning of each instead of its whole text. Raises `FeedError` where it would be too long.
    """
    items = [item for item in feed.items if item.key in set(keys)]
    if not items:
        raise FeedError("No item is chosen.", mend="Choose one at least.")
    url = settings.TROTH_CONFIG.site.url
    text = mask("\n\n".join(_written(item, url, summaries=summaries) for item in items))
    if len(text.encode()) > LARGEST:
        raise FeedError(
            f"The text of these items is larger than {LARGEST // 1000} KB.", mend="Choose fewer, or take summaries."
        )
    with transaction.atomic():
        _remember(feed)
        return Campaign.objects.create(
            subject=_subject(items[0]), markdown=text, language=feed.language if is_language(feed.language) else "en"
        )


def _subject(item: Item) -> str:
    return mask(item.title)[:200].replace("{{", r"\{{")[:200]


def _written(item: Item, site_url: str, *, summaries: bool) -> str:
    title = html_markdown.convert(f"<p>{feeds.heading(item)}</p>", site_url)
    text = _summary(item) if summaries else html_markdown.convert(item.html, site_url)
    return f"## {title}\n\n{text}".strip()


def _summary(item: Item) -> str:
    text = html_markdown.plain(item.summary or item.html)
    if len(text) > _LONGEST_SUMMARY:
        text = text[:_LONGEST_SUMMARY].rpartition(" ")[0] + " …"
    return html_markdown.paragraph(text)


def _remember(feed: Feed) -> None:
    """Keep the items of this feed as seen, those it had before as well, so that none seems new when it comes back."""
    row = DraftedFeed.objects.filter(key=feed.key).first()
    before = _unpacked(bytes(row.items)) if row else []
    keys = list(dict.fromkeys([*(item.key for item in feed.items), *before]))[:_MOST_REMEMBERED]
    items = b"".join(bytes.fromhex(key) for key in keys)
    DraftedFeed.objects.update_or_create(key=feed.key, defaults={"items": items, "drafted_at": clock.now()})


def _unpacked(items: bytes) -> list[str]:
    return [items[at : at + _KEY_BYTES].hex() for at in range(0, len(items), _KEY_BYTES)]
