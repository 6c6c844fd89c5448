"""`troth campaign`: newsletter campaigns, for scripts. Shows no personal data. The worker sends; it has to run."""

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json
from troth.cli.progress import progress as bars
from troth.core.errors import TrothError
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.core.text import language_tags
    from troth.newsletter import models
    from troth.newsletter.campaigns import audience, drafts, feed_drafts, feeds, sending
else:
    audience = lazy("troth.newsletter.campaigns.audience")
    drafts = lazy("troth.newsletter.campaigns.drafts")
    feed_drafts = lazy("troth.newsletter.campaigns.feed_drafts")
    feeds = lazy("troth.newsletter.campaigns.feeds")
    language_tags = lazy("troth.core.text.language_tags")
    sending = lazy("troth.newsletter.campaigns.sending")
    models = lazy("troth.newsletter.models")

campaign = typer.Typer(no_args_is_help=True, help="Newsletter campaigns: send, schedule, watch, pause, cancel, retry.")

Ident = Annotated[UUID, typer.Argument(metavar="ID", help="The ID, as `troth campaign list` prints it.")]
_ENDED = ("sent", "paused", "cancelled", "draft")
_SILENT_SECONDS = 150.0
"""Longer than the minute after which an email is tried again."""


class CampaignTemplate(StrEnum):
    """How a campaign looks."""

    PLAIN = "plain"
    NEWSLETTER = "newsletter"
    ANNOUNCEMENT = "announcement"


class Retried(StrEnum):
    """What is sent again."""

    FAILED = "failed"
    UNCERTAIN = "uncertain"


@campaign.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List campaigns, newest first: ID, state, when created, sent of audience, subject."""
    open_site(site)
    rows = [(row, sending.progress(row.id)) for row in models.Campaign.objects.order_by("-created_at")]
    if as_json:
        print_json([_as_json(row, progress) for row, progress in rows])
        return
    for row, progress in rows:
        numbers = f"{progress.sent}/{progress.audience}"
        sys.stdout.write(f"{row.id}  {row.state:<9}  {row.created_at:%Y-%m-%d}  {numbers:>9}  {row.subject}\n")
    if not rows:
        sys.stdout.write("There are no campaigns.\n")


@campaign.command("send")
def send(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.md", help="The email, in Markdown (UTF-8).", exists=True, dir_okay=False)
    ],
    subject: Annotated[str, typer.Option(help="The subject line. May have merge fields.")],
    topic: Annotated[str, typer.Option(help="Only to subscribers of this topic.", show_default="everybody")] = "",
    to_language: Annotated[
        str, typer.Option(metavar="TAG", help="Only to subscribers of this language.", show_default="all languages")
    ] = "",
    preheader: Annotated[str, typer.Option(help="What mail programs show beside the subject.")] = "",
    template: Annotated[CampaignTemplate, typer.Option(help="How it looks.")] = CampaignTemplate.NEWSLETTER,
    language: Annotated[str, typer.Option(metavar="TAG", help="Of the text; the footer follows it.")] = "en",
    link_name: Annotated[str, typer.Option(help="utm_campaign of links to your own site.")] = "",
    at: Annotated[
        str, typer.Option(metavar="TIME", help="When, in the site's time zone: 2026-12-01T09:00.", show_default="now")
    ] = "",
    private: Annotated[bool, typer.Option("--private", help="Keep it out of the archive on the website.")] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is sent, paused or cancelled.")] = True,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Send a Markdown file as a campaign. Exit code 1 if somebody did not get it."""
    open_site(site)
    text, tag, draft = _text(file), _language(to_language), drafts.create(topic=_topic(topic))
    try:
        drafts.save(
            draft.id,
            draft.revision,
            subject=subject,
            preheader=preheader,
            markdown=text,
            template=template.value,
            language=language,
            to_language=tag,
            link_name=link_name,
            public=not private,
        )
        if at:
            sending.schedule(draft.id, at)
        else:
            sending.send(draft.id)
    except TrothError:
        drafts.delete(draft.id)
        raise
    progress = _watch(draft.id, quiet=as_json) if wait and not at else sending.progress(draft.id)
    _show(draft.id, progress, as_json=as_json)
    unfinished = wait and not at and progress.waiting
    if progress.failed or progress.uncertain or progress.problem or unfinished:
        raise typer.Exit(1)


@campaign.command("draft")
def draft(
    from_feed: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="An RSS, Atom or JSON Feed file; - for standard input.",
            exists=True,
            dir_okay=False,
            allow_dash=True,
        ),
    ],
    newest: Annotated[
        int, typer.Option(min=0, max=200, help="Take so many of the newest posts.", show_default="those that are new")
    ] = 0,
    summaries: Annotated[bool, typer.Option("--summaries", help="The beginning of each post, with a link.")] = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Make a draft of posts in a feed: those that came since the last draft from it. Nothing is fetched or sent."""
    open_site(site)
    feed = feeds.read(_document(from_feed))
    offered = feed_drafts.offer(feed)
    keys = [item.key for item in feed.items[:newest]] if newest else offered.suggested()
    if not keys:
        raise TrothError("Nothing in this feed is new since the last draft from it.", mend="Name a number: --newest 5.")
    row = feed_drafts.draft(feed, keys, summaries=summaries)
    posts = [item for item in feed.items if item.key in keys]
    if as_json:
        rows = [{"title": post.title, "link": post.link, "at": post.at and post.at.isoformat()} for post in posts]
        print_json({"id": str(row.id), "subject": row.subject, "state": row.state, "posts": rows})
        return
    sys.stdout.write(f"{row.subject}\n{row.id}  draft\n")
    for post in posts:
        sys.stdout.write(f"  {post.title}\n")


def _document(file: Path) -> bytes:
    """Return a feed's bytes, of standard input for `-`; no more than is needed to see that it is too large."""
    if str(file) == "-":
        return sys.stdin.buffer.read(feeds.LARGEST + 1)
    with file.open("rb") as opened:
        return opened.read(feeds.LARGEST + 1)


@campaign.command("show")
def show(ident: Ident, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show how far a campaign is, and why emails were not sent."""
    open_site(site)
    _show(ident, sending.progress(ident), as_json=as_json)


@campaign.command("pause")
def pause(ident: Ident, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Send nothing more until it is resumed."""
    open_site(site)
    sending.pause(ident)
    _show(ident, sending.progress(ident), as_json=as_json)


@campaign.command("resume")
def resume(ident: Ident, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Go on with a paused campaign."""
    open_site(site)
    sending.resume(ident)
    _show(ident, sending.progress(ident), as_json=as_json)


@campaign.command("cancel")
def cancel(ident: Ident, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Stop a campaign for good. What was sent cannot be called back."""
    open_site(site)
    sending.cancel(ident)
    _show(ident, sending.progress(ident), as_json=as_json)


@campaign.command("unschedule")
def unschedule(ident: Ident, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Make a scheduled campaign a draft again, to edit, send or delete it in Admin."""
    open_site(site)
    sending.unschedule(ident)
    _show(ident, sending.progress(ident), as_json=as_json)


@campaign.command("retry")
def retry(
    ident: Ident,
    state: Annotated[Retried, typer.Option(help="What to send again. What is uncertain may arrive twice.")] = (
        Retried.FAILED
    ),
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Send again what failed, or what is uncertain."""
    open_site(site)
    if not sending.retry(ident, {state.value}):
        sys.stderr.write(f"Nothing to send again: no email is {state.value} for good.\n")
    _show(ident, sending.progress(ident), as_json=as_json)


def _topic(name: str) -> "models.Topic | None":
    if not name:
        return None
    topic = models.Topic.objects.filter(name__iexact=name).first()
    if topic is None:
        names = ", ".join(models.Topic.objects.values_list("name", flat=True)) or "none yet"
        raise TrothError(f"There is no topic “{name}”.", mend=f"Topics: {names}.")
    return topic


def _language(typed: str) -> str:
    """Return a language that some subscribers have, as it is stored."""
    tag, known = language_tags.usual(typed), audience.languages()
    if typed and not any(other == tag or other.startswith(f"{tag}-") for other in known):
        raise TrothError(
            f"No subscriber has the language “{typed}”.", mend=f"Languages: {', '.join(known) or 'none yet'}."
        )
    return tag if typed else ""


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        raise TrothError(f"{file} is not UTF-8 text.", mend="Save it as UTF-8.") from None


def _watch(ident: UUID, *, quiet: bool) -> "sending.Progress":
    """Wait until the campaign rests; show its progress on a terminal."""
    moved_at, before = time.monotonic(), -1
    with bars(quiet=quiet) as report:
        while True:
            progress = sending.progress(ident)
            done = progress.audience - progress.waiting
            report("Sending", done, progress.audience)
            if progress.state in _ENDED:
                return progress
            if done != before:
                moved_at, before = time.monotonic(), done
            if time.monotonic() - moved_at > _SILENT_SECONDS:
                sys.stderr.write("Nothing moves: is the worker running, or does the SMTP server ask to wait?\n")
                return progress
            time.sleep(0.5)


def _show(ident: UUID, progress: "sending.Progress", *, as_json: bool) -> None:
    row = models.Campaign.objects.get(id=ident)
    if as_json:
        print_json(_as_json(row, progress))
        return
    sys.stdout.write(f"{row.subject}\n{row.id}  {progress.state}\n  {_segment(row)}\n")
    for name in ("audience", "sent", "failed", "suppressed", "uncertain", "skipped", "waiting", "held"):
        sys.stdout.write(f"  {name:<10} {getattr(progress, name):>9}\n")
    if progress.problem:
        sys.stdout.write(f"  {progress.problem}\n")
    for state, reason, count in sending.reasons(ident):
        sys.stdout.write(f"  {state}, {reason or 'no reason given'}: {count}\n")


def _as_json(row: "models.Campaign", progress: "sending.Progress") -> dict[str, Any]:
    segment = {
        "topic": row.topic.name if row.topic else None,
        "language": row.to_language or None,
        "of_unknown_language": audience.of_unknown_language(row),
        "signed_up_from": row.signed_up_from and row.signed_up_from.isoformat(),
        "signed_up_until": row.signed_up_until and row.signed_up_until.isoformat(),
    }
    return {"id": str(row.id), "subject": row.subject, "segment": segment, **progress.told()}


def _segment(row: "models.Campaign") -> str:
    """Return for whom a campaign is: `to Releases, language de (12 more: language not known)`."""
    words = f"to {row.topic.name if row.topic else 'all subscribers'}"
    if row.to_language:
        unknown = audience.of_unknown_language(row)
        words += f", language {row.to_language}" + (f" ({unknown:,} more: language not known)" if unknown else "")
    days = [(word, day) for word, day in (("from", row.signed_up_from), ("until", row.signed_up_until)) if day]
    return words + (f", signed up {' '.join(f'{word} {day}' for word, day in days)}" if days else "")
