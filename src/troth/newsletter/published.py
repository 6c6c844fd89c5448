"""What everybody may read of the newsletter: the topics that are offered, and the issues in the archive.

The worker writes, the front reads: the lists are part of what is published, the pages and pictures lie beside it.

    public/archive/<hash of its content>.html     an issue's words, as inert HTML
    public/archive/<hash of its content>.xml      the feed (RSS 2.0)
    public/images/<hash of its content>.<ending>  a picture of a campaign

Touches nothing.
"""

import re
from pathlib import Path

import msgspec

ARCHIVE, IMAGES = "archive", "images"
"""Folders in `public/`."""
PAGE_NAME = re.compile(r"[0-9a-f]{32}\.(html|xml)")
IMAGE_NAME = re.compile(r"[0-9a-f]{8,64}\.(?P<ending>jpg|png|gif)")
"""What their files are called: the front takes no other word for a file's name."""
STOP_TOPIC = "topic"
"""`/preferences/<link>/topic/3`: the page that stops the topic of number 3, and nothing else."""
MEDIA_TYPES = {"jpg": "image/jpeg", "png": "image/png", "gif": "image/gif"}


class OfferedTopic(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A topic that visitors may choose."""

    number: int
    """Its bit in a bitmap of topics."""
    name: str
    description: str = ""

    @property
    def field(self) -> str:
        """What its box is called in forms."""
        return topic_field(self.number)

    def is_in(self, bitmap: int) -> bool:
        """Whether it is among these topics."""
        return bool(bitmap >> self.number & 1)


class OfferedSentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The consent sentence in one more language, for a form on a page in that language."""

    language: str
    consent: str


def topic_field(number: int) -> str:
    """Return what the box of the topic with this number is called in forms."""
    return f"topic_{number}"


class ArchivedCampaign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A campaign in the public archive. With the fallback at each merge field: nobody's details."""

    slug: str
    """Its address below `/newsletter/archive/`."""
    subject: str
    summary: str
    """What mail programs showed beside the subject. May be empty."""
    at: str
    """When it was sent, ISO 8601 in the site's time zone."""
    page: str
    """Its file in `public/archive/`."""
    source: str = ""
    """Hash of what the page was rendered from, by which the worker sees that it needs no other."""


class Archive(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """All public campaigns that were sent, newest first."""

    campaigns: list[ArchivedCampaign] = []
    feed: str
    """Its file in `public/archive/`."""


def page_path(public: Path, name: str) -> Path:
    """Return the file of a page or a feed."""
    return public / ARCHIVE / name


def image_path(public: Path, name: str) -> Path:
    """Return the file of a picture."""
    return public / IMAGES / name
