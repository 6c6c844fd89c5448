"""`troth people import` and `troth people list`: the list comes in from a file, or goes along as one.

Parses words, shows how far it is, prints what came of it. No detail of anybody is printed unless `--show` asks for it.
Exit code 1: nothing was written, and why; 3: a file with bad rows.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core.errors import TrothError

if TYPE_CHECKING:
    from collections import Counter

    from troth.people.import_job import Examined, Import

SHELL = "shell"
_PREVIEW = 5
_TOLD = 20
ListOption = Annotated[str, typer.Option("--list", metavar="NAME", help="Which list they come on to: newsletter.")]


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file whose first line names the columns.")],
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column is, where its name does not tell."),
    ] = None,
    consent: Annotated[
        str, typer.Option(metavar="WORDS", help="The sentence that all agreed to whose row does not say.")
    ] = "",
    consent_date: Annotated[str, typer.Option(metavar="DATE", help="When they did, such as 2024-03-31.")] = "",
    date_format: Annotated[
        str, typer.Option(metavar="FORMAT", help="How the file writes dates, such as %d.%m.%Y.", show_default="ISO")
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="WORDS", help="Where they come from, for their record.", show_default="the file")
    ] = "",
    to_list: ListOption = "newsletter",
    encoding: Annotated[str, typer.Option(metavar="NAME", help="The encoding.", show_default="found out")] = "",
    delimiter: Annotated[
        str, typer.Option(metavar="NAME", help="comma, semicolon, tab or pipe.", show_default="found out")
    ] = "",
    update: Annotated[bool, typer.Option("--update", help="Renew the details of who is here already.")] = False,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Take the good rows although there are bad ones.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look through the file and write nothing.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the first rows as they are, not masked.")] = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Take people in from a CSV file, each with their consent. Looks through the whole file before it writes."""
    if to_list != "newsletter":
        raise typer.BadParameter("There is one list: newsletter.", param_hint="--list")
    from troth.operate import site_session

    (file,) = site_session.within_reach(site, [file])
    site_session.in_site(site)
    from troth.people import csv_reader, import_columns, import_job, import_rows

    ground = import_rows.read_ground(consent, consent_date, date_format)
    _refuse_leavers(file)
    shape = csv_reader.find_shape(file, encoding, delimiter)
    mapping = import_columns.find_mapping(import_job.headers(file, shape), dict(map(_pair, columns or [])))
    judge = import_rows.Judge(mapping, ground, date_format)
    job = import_job.Import(file, shape, mapping, judge, source or file.name, SHELL, update)
    say = _Says(as_json)
    say.how_it_is_read(job)
    say.preview(job, show=show)
    with say.progress() as progress:
        found = import_job.examine(job, progress)
    usable = sum(found.counts[name] for name in ("new", "joined", "updated"))
    go = not dry_run and bool(usable) and (skip_bad or not found.counts["bad"])
    done = None
    if go:
        with say.progress() as progress:
            done = import_job.carry_out(job, found, progress)
    say.outcome(found, done, job)
    if not dry_run and found.counts["bad"] and (not skip_bad or found.only_bad):
        raise typer.Exit(3)


def _refuse_leavers(file: Path) -> None:
    from troth.people import unsubscribed_columns

    if unsubscribed_columns.of_leavers(file.name):
        raise TrothError(
            f"{file.name}: by its name this file lists people who are gone. Nobody was taken in.",
            mend="Take the file of those who are subscribed; if these are, give it another name.",
        )


def _pair(typed: str) -> tuple[str, str]:
    column, sign, field = typed.rpartition("=")
    if not sign or not column:
        raise typer.BadParameter("Write --map COLUMN=FIELD.", param_hint="--map")
    return column, field


class _Says:
    """What is printed while people come in. With `--json` only the outcome is."""

    def __init__(self, as_json: bool) -> None:
        from troth.cli.console import console

        self._json, self._out = as_json, console(stderr=True, quiet=as_json, highlight=False)

    def how_it_is_read(self, job: "Import") -> None:
        self._line(f"Read as {job.shape.words}.")
        for field in job.columns.columns:
            self._line(f"  {job.columns.name_of(field)} → {field}")
        for place, meaning in job.columns.telling.items():
            self._line(f"  {job.columns.called(place)} → who is gone ({meaning})")
        if job.columns.unread:
            self._line(f"  not read: {', '.join(job.columns.unread)}")

    def preview(self, job: "Import", *, show: bool) -> None:
        from rich.table import Table

        from troth.people import import_job
        from troth.people.import_columns import masked

        if self._json:
            return
        table = Table(title="The first rows" if show else "The first rows, masked (--show shows them)")
        for title in (*job.columns.columns, *map(job.columns.called, job.columns.telling)):
            table.add_column(_plain(title), overflow="fold")
        width = len(job.columns.headers)
        for cells in import_job.first_rows(job.path, job.shape, _PREVIEW):
            padded = [*cells, *[""] * (width - len(cells))]
            picked = [job.columns.pick(field, padded) for field in job.columns.columns]
            picked += [padded[place] for place in job.columns.telling]
            table.add_row(*[_plain(cell if show else masked(cell)) for cell in picked])
        self._out.print(table)

    @contextmanager
    def progress(self) -> "Iterator[Callable[[str, int, int, int], None]]":
        """A bar with rate and time left; in a file or a pipe, nothing."""
        from rich import progress as bars

        parts = (
            bars.TextColumn("{task.description}"),
            bars.BarColumn(),
            bars.TaskProgressColumn(),
            bars.TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,} a second"),
            bars.TimeRemainingColumn(),
        )
        with bars.Progress(*parts, console=self._out, disable=self._json or not self._out.is_terminal) as shown:
            task = shown.add_task("", rows=0, rate=0)

            def tell(what: str, done: int, size: int, rows: int) -> None:
                rate = round(rows / max(0.001, shown.tasks[0].elapsed or 0.001))
                shown.update(task, description=what, completed=done, total=size, rows=rows, rate=rate)

            yield tell

    def outcome(self, found: "Examined", done: "Counter[str] | None", job: "Import") -> None:
        from troth.people.import_job import COUNTS

        counts = {name: (found.counts if done is None else done)[name] for name in COUNTS}
        if self._json:
            print_json(_as_json(found, counts, job, done=done is not None))
            return
        self._line("Filed:" if done is not None else f"{found.rows:,} rows looked through, nothing written:")
        for name, words in COUNTS.items():
            if counts[name]:
                self._line(f"  {counts[name]:>9,}  {words}")
        for column, count in found.away.most_common(_TOLD):
            self._line(f"  {count:>9,}  of these by {column}")
        for (column, why), count in found.left_out.most_common(_TOLD):
            self._line(f"  {count:>9,}  left out, {column}: {why}")
        self._bad_rows(found)
        if found.only_bad:
            self._line("No row can be used. Correct the file, or say by --map and --consent how it is to be read.")
        elif done is None and found.counts["bad"]:
            self._line("Correct the file, or take the good rows with --skip-bad.")

    def _bad_rows(self, found: "Examined") -> None:
        for bad in found.bad[:_TOLD]:
            self._line(f"line {bad.line}{', ' + bad.column if bad.column else ''}: {bad.why}")
        if found.counts["bad"] > _TOLD:
            self._line("In all:")
            for (column, why), count in found.reasons.most_common(_TOLD):
                self._line(f"  {count:>9,}  {column + ': ' if column else ''}{why}")

    def _line(self, text: str) -> None:
        self._out.print(text, markup=False, soft_wrap=True)


def _as_json(found: "Examined", counts: dict[str, int], job: "Import", *, done: bool) -> dict[str, Any]:
    return {
        "written": done,
        "rows": found.rows,
        **counts,
        "encoding": job.shape.encoding,
        "delimiter": job.shape.delimiter,
        "columns": {field: job.columns.name_of(field) for field in job.columns.columns},
        "who_is_gone": {job.columns.called(place): meaning for place, meaning in job.columns.telling.items()},
        "not_read": job.columns.unread,
        "away_by": dict(found.away.most_common()),
        "left_out": _by_column(found.left_out),
        "reasons": _by_column(found.reasons),
        "bad_rows": [{"line": bad.line, "column": bad.column, "why": bad.why} for bad in found.bad],
    }


def _by_column(counted: "Counter[tuple[str, str]]") -> list[dict[str, Any]]:
    return [{"column": column, "why": why, "rows": count} for (column, why), count in counted.most_common()]


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def list_(
    export: Annotated[Path, typer.Option("--export", metavar="FILE", help="The file to write; it must be new.")],
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only confirmed, waiting or left.", show_default="everybody")
    ] = "",
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Write the list of people to a CSV file that only you can read. Each thousand is a row in the ledger."""
    from troth.core.disk import new_private

    with new_private(export) as file:  # before we may become somebody who may not make it
        told = _list(file, state, site, _Says(as_json))
    if as_json:
        print_json({"people": told, "file": str(export)})
    else:
        sys.stderr.write(
            f"{told:,} people are in {export}. Only you can read it; keep it no longer than you need it.\n"
        )


def _list(file: BinaryIO, state: str, site: Path, say: _Says) -> int:
    from troth.operate import site_session

    site_session.in_site(site)
    from troth.people import export
    from troth.people.queries import State

    if state and state not in list(State):
        raise TrothError("There is no such state.", mend=f"One of: {', '.join(State)}.")
    total = 0
    with say.progress() as progress:
        return export.write(
            SHELL, State(state) if state else None, file, lambda done: progress("writing", done, total, done)
        )
