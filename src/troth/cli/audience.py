"""`troth audience`: figures from before, the site's own pages, a database of countries.

Parses words, shows how far it is, prints what came of it; no line, address or agent of a visitor is ever printed.
Exit code 1: nothing was written, and why; 3: there was nothing to take in that is not here already.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core.errors import TrothError

if TYPE_CHECKING:
    from collections import Counter

    from troth.audience.imports.days import Done, Ground, Plan
    from troth.audience.imports.log_files import Bad
    from troth.core.config.sections import Config

audience = typer.Typer(no_args_is_help=True, help="Visitor statistics: figures from before, own pages, countries.")

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Look through the files and write nothing.")]
_LOGS = ("combined", "caddy", "nginx-json")
_FIGURES = ("goatcounter", "plausible")
_TOLD = 20
type _Tell = Callable[[str, int, int, int], None]


# -- import -----------------------------------------------------------------------------------------------------------


@audience.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Logs, packed by gzip or not; exports.")],
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help=" | ".join(_LOGS + _FIGURES), show_default="found out")
    ] = "",
    also: Annotated[bool, typer.Option("--also", help="Add to days that have figures already, too.")] = False,
    dry_run: DryRunOption = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Take figures in from server logs, or from GoatCounter's or Plausible's export. Only sums are kept. Name all logs
    of the same days in one command. Stopped, it can be run again: no day is counted twice."""
    if form and form not in _LOGS + _FIGURES:
        raise typer.BadParameter(f"One of: {', '.join(_LOGS + _FIGURES)}.", param_hint="--format")
    from troth.operate import site_session

    files, countries = site_session.within_reach(site, files), _countries(site)
    ground = _ground(site_session.in_site(site), site, countries)
    say, told = _Says(as_json), list[dict[str, Any]]()
    logs, figures = _sorted(files, form)
    if logs:
        told.append(_take_logs(logs, form, ground, say, also=also, dry_run=dry_run))
    told += [_take_figures(path, kind, ground, say, also=also, dry_run=dry_run) for path, kind in figures]
    if as_json:
        print_json(told)
    if not any(one["days"] for one in told):
        raise typer.Exit(3)


def _countries(site: Path) -> Path | None:
    """The database of countries, in reach of whom the command becomes: it may be root's alone."""
    from troth.core.config.load import load_config
    from troth.core.site import Site as Folder
    from troth.operate import site_session

    named = load_config(Folder(site.resolve()).config).audience.country_database
    return site_session.within_reach(site, [Path(named)])[0] if named else None


def _ground(settings: "Config", site: Path, countries: Path | None) -> "Ground":
    from uuid import UUID
    from zoneinfo import ZoneInfo

    from troth.audience.counting import referrer_spam
    from troth.audience.counting.counter import Site
    from troth.audience.counting.geoip import Countries
    from troth.audience.imports.days import Ground
    from troth.audience.imports.sitemap import own_pages
    from troth.core import clock
    from troth.core.site import Site as Folder

    here = settings.audience
    counted = Site(
        hosts=settings.audience_hosts,
        parameters=frozenset(here.query_parameters),
        hash_routes=here.hash_routes,
        pages=settings.audience_pages | own_pages(),
        events=frozenset(here.events),
        products=frozenset(here.products),
        spam=referrer_spam.with_those(here.spam_referrers),
    )
    ground = Ground(
        site=counted,
        host=next(iter(here.hosts or sorted(settings.audience_hosts)), "").lower().removeprefix("www."),
        prefix=settings.site.prefix,
        zone=ZoneInfo(here.timezone),
        at_least=here.min_visitors,
        keep_months=here.keep_months,
        key=UUID(Folder(site.resolve()).site_id.read_text().strip()).bytes,
        now=clock.now(),
        proxies=settings.front.trusted_proxies,
        **({"country": Countries.at(countries).of} if countries else {}),
    )
    return ground


def _sorted(files: Sequence[Path], form: str) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Logs, which are taken in together, and exports, each by itself."""
    from troth.audience.imports import exports

    kinds = [(path, form or exports.kind_of(path)) for path in files]
    return (
        [path for path, kind in kinds if kind not in _FIGURES],
        [(path, kind) for path, kind in kinds if kind in _FIGURES],
    )


def _take_logs(
    paths: list[Path], form: str, ground: "Ground", say: "_Says", *, also: bool, dry_run: bool
) -> dict[str, Any]:
    from troth.audience.imports import server_logs
    from troth.audience.imports.log_formats import FORMATS

    with say.progress() as progress:
        job = server_logs.examine(paths, ground, form, also=also, tell=progress)
    for one in job.files:
        packed = ", packed by gzip" if one.packed else ""
        say.line(f"{one.path} is {FORMATS[one.format.name].words}{packed}: {one.lines:,} lines.")
    with say.progress() as progress:
        done = server_logs.carry_out(job, ground, dry_run=dry_run, tell=progress)
    bad = [(str(one.path), one.bad) for one in job.files]
    return say.outcome([one.format.name for one in job.files], job.plan, done, bad, (), dry_run=dry_run)


def _take_figures(
    path: Path, kind: str, ground: "Ground", say: "_Says", *, also: bool, dry_run: bool
) -> dict[str, Any]:
    from troth.audience.imports import exports

    with say.progress() as progress:
        job = exports.examine(path, kind, ground, also=also, tell=progress)
    say.line(f"{path} is {exports.NAMES[kind]}: {job.export.lines:,} rows.")
    done = exports.carry_out(job, ground, dry_run=dry_run)
    told = say.outcome([kind], job.plan, done, [(str(path), job.export.bad)], job.lacks, dry_run=dry_run)
    if job.unread:
        say.line(f"Not read: {', '.join(job.unread)}.")
    return {**told, "unread": job.unread}


class _Says:
    """What is printed while figures come in. With `--json` only the outcome is."""

    def __init__(self, as_json: bool) -> None:
        from troth.cli.console import console

        self._out = console(stderr=True, quiet=as_json, highlight=False)
        self._json = as_json

    def line(self, text: str) -> None:
        """One line, as it is."""
        self._out.print(text, markup=False, soft_wrap=True)

    @contextmanager
    def progress(self) -> Iterator[_Tell]:
        """A bar with rate and time left; in a file or a pipe, nothing."""
        from rich import progress as bars

        parts = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[lines]:,} lines, {task.fields[rate]:,} a second"),
            bars.TimeRemainingColumn(),
        )
        with bars.Progress(*parts, console=self._out, disable=self._json or not self._out.is_terminal) as shown:
            task = shown.add_task("", total=None, lines=0, rate=0)

            def tell(what: str, done: int, size: int, lines: int) -> None:
                rate = round(lines / max(0.001, shown.tasks[0].elapsed or 0.001))
                shown.update(task, description=what, completed=done, total=size or None, lines=lines, rate=rate)

            yield tell

    def outcome(
        self,
        formats: list[str],
        planned: "Plan",
        done: "Done",
        bad: "Sequence[tuple[str, Bad]]",
        lacks: Sequence[str],
        *,
        dry_run: bool,
    ) -> dict[str, Any]:
        """What came of it, said; and the same for JSON."""
        self._days(planned, done, dry_run=dry_run)
        for what, count in done.counts.most_common():
            self.line(f"  {count:>11,}  {what}")
        for name, one in bad:
            self._bad(name, one)
        for remark in done.remarks:
            self.line(remark)
        if lacks:
            self.line(f"Not known there, and so empty here: {', '.join(lacks)}.")
        return {
            "written": not dry_run,
            "formats": formats,
            "days": [date.fromordinal(day).isoformat() for day in done.days],
            "left_out": {date.fromordinal(day).isoformat(): why for day, why in sorted(planned.left.items())},
            "counts": dict(done.counts.most_common()),
            "bad_lines": sum((one.reasons for _, one in bad), start=_none()).total(),
            "bad": [{"file": name, "line": line, "why": why} for name, one in bad for line, why in one.first],
            "lacks": list(lacks),
            "remarks": done.remarks,
        }

    def _days(self, planned: "Plan", done: "Done", *, dry_run: bool) -> None:
        from troth.audience.imports.days import LIVE, OTHER

        begins = "Would be taken in" if dry_run else "Taken in"
        self.line(f"{begins}: {_days_in_words(done.days)}.")
        for why in sorted(set(planned.left.values())):
            days = [day for day, one in sorted(planned.left.items()) if one == why]
            self.line(f"Left out: {_days_in_words(days)}: {why}.")
        if {LIVE, OTHER} & set(planned.left.values()):
            self.line("To add to days that have figures already: --also. Whoever was counted there is counted again.")

    def _bad(self, name: str, bad: "Bad") -> None:
        for line, why in bad.first[:_TOLD]:
            self.line(f"{name}, line {line}: {why}")
        if bad.reasons.total() > _TOLD:
            self.line("In all:")
            for why, count in bad.reasons.most_common():
                self.line(f"  {count:>11,}  {why}")


def _none() -> "Counter[str]":
    from collections import Counter

    return Counter()


def _days_in_words(days: Sequence[int]) -> str:
    """`3 days, 2026-11-20 to 2026-11-22`."""
    if not days:
        return "no day"
    first, last = (date.fromordinal(day).isoformat() for day in (days[0], days[-1]))
    return first if len(days) == 1 else f"{len(days):,} days, {first} to {last}"


# -- own pages --------------------------------------------------------------------------------------------------------


@audience.command("pages")
def pages(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sitemaps, or lists with a page a line.")],
    dry_run: DryRunOption = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Say which pages the site has, from its sitemap or a list: these are counted by name, however few read them. They
    take the place of those that were listed before."""
    from troth.operate import site_session

    files = site_session.within_reach(site, files)
    settings = site_session.in_site(site)
    from troth.audience.imports import sitemap

    counted = settings.audience
    parameters = frozenset(counted.query_parameters)
    found = sitemap.Listed()
    for path in files:
        found.take(sitemap.read(_content(path), settings.audience_hosts, parameters, routes=counted.hash_routes))
    if not found.pages and found.sitemaps:
        raise TrothError(
            "This sitemap only names other sitemaps, and nothing is fetched.",
            mend=f"Fetch them, then name the files: {', '.join(found.sitemaps[:5])}",
        )
    if not found.pages:
        raise TrothError("No page of this site is named there.", mend="Are the hosts in [audience] right?")
    change = sitemap.store(found.pages, dry_run=dry_run)
    if as_json:
        more = {"elsewhere": found.elsewhere, "sitemaps": found.sitemaps, "merged": found.merged}
        told = {"written": not dry_run, **asdict(change), **more}
        print_json(told)
        return
    for sign, some in (("+", change.new), ("-", change.gone)):
        sys.stdout.write("".join(f"{sign} {page}\n" for page in some))
    left = f" {change.left_out:,} more than can be counted by name were left out." if change.left_out else ""
    others_left = f" {found.elsewhere:,} addresses of other sites were left out." if found.elsewhere else ""
    sys.stderr.write(
        f"{len(change.new):,} new, {len(change.gone):,} gone, {change.stays:,} as before.{left}{others_left}"
        f"{' Nothing was written.' if dry_run else ''}\n"
    )
    _say_merged(found.merged)


_MERGED_SHOWN = 10


def _say_merged(merged: dict[str, list[str]]) -> None:
    """Which pages are more than one address, and what would tell these apart."""
    for page, addresses in list(merged.items())[:_MERGED_SHOWN]:
        few = ", ".join(addresses[:3]) + (", …" if len(addresses) > 3 else "")
        sys.stderr.write(f"{len(addresses):,} addresses are counted as one page, {page}: {few}\n")
    if len(merged) > _MERGED_SHOWN:
        sys.stderr.write(f"So are those of {len(merged) - _MERGED_SHOWN:,} pages more; --json lists all.\n")
    if merged:
        sys.stderr.write(
            "What makes another page: a path, and the query parameters under `query_parameters` in [audience].\n"
        )


def _content(path: Path) -> bytes:
    """The file, packed or not, up to what a sitemap may have."""
    from troth.audience.imports import log_files, sitemap

    with log_files.opened(path, packed=log_files.is_packed(path)) as file:
        return file.read(sitemap.LARGEST + 1)


# -- countries --------------------------------------------------------------------------------------------------------


@audience.command("countries")
def countries(
    files: Annotated[
        list[Path], typer.Argument(metavar="RANGES...", help="Lists of ranges: first address, last address, country.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The database to write; it must be new.")],
) -> None:
    """Make a database of countries from lists of IP ranges (plain or gzip), for `country_database` in [audience]."""
    from troth.audience.imports import mmdb_writer

    database = mmdb_writer.build(one for path in files for one in mmdb_writer.read(_text_lines(path)))
    try:
        with to.open("xb") as file:
            file.write(database)
    except OSError:
        raise TrothError(f"{to} cannot be written, or is there already.", mend="Name a file that is new.") from None
    sys.stderr.write(f'{to} is written. In troth.toml, under [audience]: country_database = "{to.resolve()}"\n')


def _text_lines(path: Path) -> Iterator[str]:
    from troth.audience.imports import log_files

    with log_files.opened(path, packed=log_files.is_packed(path)) as file:
        for line in log_files.lines_of(file):
            yield line.decode("utf-8-sig", "replace").rstrip("\r") if isinstance(line, bytes) else "too long"
