"""`troth audience`: import existing statistics, list the site's pages, make a database of countries. Never prints an
address, user agent or log line of a visitor. Exit code 1: nothing was written, with the reason; 3: everything is there
already."""

import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID
from zoneinfo import ZoneInfo

import typer

from troth.cli import progress as bars
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json
from troth.core import clock
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site as Folder

if TYPE_CHECKING:
    from troth.audience.counting import counted_hit, geoip, referrer_spam
    from troth.audience.imports import (
        days,
        exports,
        log_files,
        log_formats,
        mmdb_writer,
        server_logs,
        sitemap,
    )
    from troth.audience.imports.days import ImportContext, ImportOutcome, Plan
    from troth.audience.imports.log_files import Bad
    from troth.cli import console
    from troth.core.config import load
    from troth.core.config.sections import Config
    from troth.operate import site_session
else:
    console = lazy("troth.cli.console")
    counted_hit = lazy("troth.audience.counting.counted_hit")
    days = lazy("troth.audience.imports.days")
    exports = lazy("troth.audience.imports.exports")
    geoip = lazy("troth.audience.counting.geoip")
    load = lazy("troth.core.config.load")
    log_files = lazy("troth.audience.imports.log_files")
    log_formats = lazy("troth.audience.imports.log_formats")
    mmdb_writer = lazy("troth.audience.imports.mmdb_writer")
    referrer_spam = lazy("troth.audience.counting.referrer_spam")
    server_logs = lazy("troth.audience.imports.server_logs")
    site_session = lazy("troth.operate.site_session")
    sitemap = lazy("troth.audience.imports.sitemap")

audience = typer.Typer(
    no_args_is_help=True, help="Visitor statistics: import existing ones, list your pages, countries, API tokens."
)

DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Check the files and write nothing.")]
_LOGS = ("combined", "caddy", "nginx-json")
_FIGURES = ("goatcounter", "plausible")
_SHOWN = 20


# -- import -----------------------------------------------------------------------------------------------------------


@audience.command("import")
def import_(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Server logs, plain or gzip, or exports.")],
    form: Annotated[
        str, typer.Option("--format", metavar="NAME", help=" | ".join(_LOGS + _FIGURES), show_default="detected")
    ] = "",
    also: Annotated[bool, typer.Option("--also", help="Also add to days that already have statistics.")] = False,
    dry_run: DryRunOption = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Import statistics from server logs, or from an export of GoatCounter or Plausible. Only totals are stored. Name
    all logs of the same days in one command. If interrupted, run it again: no day is counted twice."""
    if form and form not in _LOGS + _FIGURES:
        raise typer.BadParameter(f"One of: {', '.join(_LOGS + _FIGURES)}.", param_hint="--format")
    files, countries = site_session.within_reach(site, files), _countries(site)
    ground = _ground(open_site(site), site, countries)
    output, results = _Output(as_json), list[dict[str, Any]]()
    logs, figures = _sorted(files, form)
    if logs:
        results.append(_import_logs(logs, form, ground, output, also=also, dry_run=dry_run))
    results += [_import_export(path, kind, ground, output, also=also, dry_run=dry_run) for path, kind in figures]
    if as_json:
        print_json(results)
    if not any(result["days"] for result in results):
        raise typer.Exit(3)


def _countries(site: Path) -> Path | None:
    """Return the database of countries, opened before the command becomes another user: only root may read it."""
    path = load.load_config(Folder(site.resolve()).config).audience.country_database
    return site_session.within_reach(site, [Path(path)])[0] if path else None


def _ground(settings: "Config", site: Path, countries: Path | None) -> "ImportContext":
    audience = settings.audience
    counted = counted_hit.SiteFacts(
        hosts=settings.audience_hosts,
        parameters=frozenset(audience.query_parameters),
        hash_routes=audience.hash_routes,
        pages=settings.audience_pages | sitemap.own_pages(),
        events=frozenset(audience.events),
        products=frozenset(audience.products),
        spam=referrer_spam.with_those(audience.spam_referrers),
    )
    return days.ImportContext(
        site=counted,
        host=next(iter(audience.hosts or sorted(settings.audience_hosts)), "").lower().removeprefix("www."),
        prefix=settings.site.prefix,
        zone=ZoneInfo(audience.timezone),
        at_least=audience.min_visitors,
        keep_months=audience.keep_months,
        key=UUID(Folder(site.resolve()).site_id.read_text().strip()).bytes,
        now=clock.now(),
        proxies=settings.front.trusted_proxies,
        **({"country": geoip.CountryDatabase.at(countries).of} if countries else {}),
    )


def _sorted(files: Sequence[Path], form: str) -> tuple[list[Path], list[tuple[Path, str]]]:
    """Split the files into logs, which are imported together, and exports, each by itself."""
    kinds = [(path, form or exports.kind_of(path)) for path in files]
    return (
        [path for path, kind in kinds if kind not in _FIGURES],
        [(path, kind) for path, kind in kinds if kind in _FIGURES],
    )


def _import_logs(
    paths: list[Path], form: str, ground: "ImportContext", output: "_Output", *, also: bool, dry_run: bool
) -> dict[str, Any]:
    with output.progress() as progress:
        job = server_logs.examine(paths, ground, form, also=also, tell=progress)
    for log in job.files:
        packed = ", gzip" if log.packed else ""
        output.line(f"{log.path} is {log_formats.FORMATS[log.format.name].words}{packed}: {log.lines:,} lines.")
    with output.progress() as progress:
        result = server_logs.carry_out(job, ground, dry_run=dry_run, tell=progress)
    bad = [(str(log.path), log.bad) for log in job.files]
    return output.outcome([log.format.name for log in job.files], job.plan, result, bad, (), dry_run=dry_run)


def _import_export(
    path: Path, kind: str, ground: "ImportContext", output: "_Output", *, also: bool, dry_run: bool
) -> dict[str, Any]:
    with output.progress() as progress:
        job = exports.examine(path, kind, ground, also=also, tell=progress)
    output.line(f"{path} is {exports.NAMES[kind]}: {job.export.lines:,} rows.")
    written = exports.carry_out(job, ground, dry_run=dry_run)
    result = output.outcome([kind], job.plan, written, [(str(path), job.export.bad)], job.lacks, dry_run=dry_run)
    if job.unread:
        output.line(f"Ignored: {', '.join(job.unread)}.")
    return {**result, "unread": job.unread}


class _Output:
    """Print the progress and the result of an import. With `--json`, only the result."""

    def __init__(self, as_json: bool) -> None:
        self._out = console.console(stderr=True, quiet=as_json, highlight=False)
        self._json = as_json

    def line(self, text: str) -> None:
        """Print one line, without markup."""
        self._out.print(text, markup=False, soft_wrap=True)

    def progress(self) -> "AbstractContextManager[bars.ReportCounted]":
        """Show a bar with rate and time left on a terminal; nothing elsewhere."""
        return bars.counted(self._out, "lines", quiet=self._json)

    def outcome(
        self,
        formats: list[str],
        planned: "Plan",
        result: "ImportOutcome",
        bad: "Sequence[tuple[str, Bad]]",
        lacks: Sequence[str],
        *,
        dry_run: bool,
    ) -> dict[str, Any]:
        """Print the result, and return it for JSON."""
        self._days(planned, result, dry_run=dry_run)
        for label, count in result.counts.most_common():
            self.line(f"  {count:>11,}  {label}")
        for name, lines in bad:
            self._bad(name, lines)
        for remark in result.remarks:
            self.line(remark)
        if lacks:
            self.line(f"Not in the export, and so empty here: {', '.join(lacks)}.")
        return {
            "written": not dry_run,
            "formats": formats,
            "days": [date.fromordinal(day).isoformat() for day in result.days],
            "left_out": {date.fromordinal(day).isoformat(): why for day, why in sorted(planned.left.items())},
            "counts": dict(result.counts.most_common()),
            "bad_lines": sum((lines.reasons for _, lines in bad), start=Counter[str]()).total(),
            "bad": [{"file": name, "line": line, "why": why} for name, lines in bad for line, why in lines.first],
            "lacks": list(lacks),
            "remarks": result.remarks,
        }

    def _days(self, planned: "Plan", result: "ImportOutcome", *, dry_run: bool) -> None:
        self.line(f"{'Would be imported' if dry_run else 'Imported'}: {_days_in_words(result.days)}.")
        for why in sorted(set(planned.left.values())):
            skipped = [day for day, reason in sorted(planned.left.items()) if reason == why]
            self.line(f"Left out: {_days_in_words(skipped)}: {why}.")
        if {days.LIVE, days.OTHER} & set(planned.left.values()):
            self.line("To add to days that already have statistics: --also. Visitors counted there are counted again.")

    def _bad(self, name: str, bad: "Bad") -> None:
        for line, why in bad.first[:_SHOWN]:
            self.line(f"{name}, line {line}: {why}")
        if bad.reasons.total() > _SHOWN:
            self.line("In total:")
            for why, count in bad.reasons.most_common():
                self.line(f"  {count:>11,}  {why}")


def _days_in_words(ordinals: Sequence[int]) -> str:
    """Return `3 days, 2026-11-20 to 2026-11-22`."""
    if not ordinals:
        return "no day"
    first, last = (date.fromordinal(day).isoformat() for day in (ordinals[0], ordinals[-1]))
    return first if len(ordinals) == 1 else f"{len(ordinals):,} days, {first} to {last}"


# -- pages ------------------------------------------------------------------------------------------------------------


@audience.command("pages")
def pages(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Sitemaps, or lists with one page per line.")],
    dry_run: DryRunOption = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """List the site's pages from its sitemap or a list: these are counted by name, however few people read them.
    Replaces the previous list."""
    files = site_session.within_reach(site, files)
    settings = open_site(site)
    parameters, routes = frozenset(settings.audience.query_parameters), settings.audience.hash_routes
    listed = sitemap.Listed()
    for path in files:
        listed.take(sitemap.read(_content(path), settings.audience_hosts, parameters, routes=routes))
    if not listed.pages and listed.sitemaps:
        raise TrothError(
            "This sitemap only lists other sitemaps, and Troth downloads nothing.",
            mend=f"Download them, then name the files: {', '.join(listed.sitemaps[:5])}",
        )
    if not listed.pages:
        raise TrothError("It lists no page of this site.", mend="Check `hosts` under [audience].")
    change = sitemap.store(listed.pages, dry_run=dry_run)
    if as_json:
        more = {"elsewhere": listed.elsewhere, "sitemaps": listed.sitemaps, "merged": listed.merged}
        print_json({"written": not dry_run, **asdict(change), **more})
        return
    for sign, paths in (("+", change.new), ("-", change.gone)):
        sys.stdout.write("".join(f"{sign} {page}\n" for page in paths))
    over_limit = f" Left out {change.left_out:,} beyond the limit." if change.left_out else ""
    other_sites = f" Left out {listed.elsewhere:,} addresses of other sites." if listed.elsewhere else ""
    sys.stderr.write(
        f"{len(change.new):,} new, {len(change.gone):,} removed, {change.stays:,} unchanged.{over_limit}{other_sites}"
        f"{' Nothing was written.' if dry_run else ''}\n"
    )
    _say_merged(listed.merged)


_MERGED_SHOWN = 10


def _say_merged(merged: dict[str, list[str]]) -> None:
    """Print which addresses count as one page, and how to count them separately."""
    for page, addresses in list(merged.items())[:_MERGED_SHOWN]:
        few = ", ".join(addresses[:3]) + (", …" if len(addresses) > 3 else "")
        sys.stderr.write(f"{len(addresses):,} addresses count as one page, {page}: {few}\n")
    if len(merged) > _MERGED_SHOWN:
        sys.stderr.write(f"The same for {len(merged) - _MERGED_SHOWN:,} more pages; --json lists all.\n")
    if merged:
        sys.stderr.write("A page is its path and the query parameters listed in `query_parameters` under [audience].\n")


def _content(path: Path) -> bytes:
    """Read a file, plain or gzip, up to the largest size of a sitemap."""
    with log_files.opened(path, packed=log_files.is_packed(path)) as file:
        return file.read(sitemap.LARGEST + 1)


# -- countries --------------------------------------------------------------------------------------------------------


@audience.command("countries")
def countries(
    files: Annotated[
        list[Path], typer.Argument(metavar="RANGES...", help="Lists of ranges: first address, last address, country.")
    ],
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="The database to write; it must not exist.")],
) -> None:
    """Make a country database from lists of IP ranges (plain or gzip) for `country_database` under \\[audience]."""
    database = mmdb_writer.build(row for path in files for row in mmdb_writer.read(_text_lines(path)))
    try:
        with to.open("xb") as file:
            file.write(database)
    except OSError:
        raise TrothError(f"{to} cannot be written, or exists already.", mend="Name a new file.") from None
    sys.stderr.write(f'Wrote {to}. In troth.toml, under [audience]: country_database = "{to.resolve()}"\n')


def _text_lines(path: Path) -> Iterator[str]:
    with log_files.opened(path, packed=log_files.is_packed(path)) as file:
        for line in log_files.lines_of(file):
            yield line.decode("utf-8-sig", "replace").rstrip("\r") if isinstance(line, bytes) else "too long"
