"""`troth people import` and `troth people list`: import people from a CSV file, or export the list to one. Prints no
personal data unless `--show` asks for it. Exit code 1: nothing was written, with the reason; 3: invalid rows."""

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from troth.cli import progress as bars
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site, plain, print_json
from troth.core.disk import new_private
from troth.core.errors import TrothError
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from collections import Counter

    from rich import table as tables

    from troth.cli import console
    from troth.operate import site_session
    from troth.people import (
        csv_reader,
        export,
        import_columns,
        import_job,
        import_rows,
        import_topics,
        queries,
        unsubscribed_columns,
    )
    from troth.people.import_job import ExaminedFile, PeopleImport
else:
    console = lazy("troth.cli.console")
    csv_reader = lazy("troth.people.csv_reader")
    export = lazy("troth.people.export")
    import_columns = lazy("troth.people.import_columns")
    import_job = lazy("troth.people.import_job")
    import_rows = lazy("troth.people.import_rows")
    import_topics = lazy("troth.people.import_topics")
    queries = lazy("troth.people.queries")
    site_session = lazy("troth.operate.site_session")
    tables = lazy("rich.table")
    unsubscribed_columns = lazy("troth.people.unsubscribed_columns")

_PREVIEW = 5
_SHOWN = 20
ListOption = Annotated[str, typer.Option("--list", metavar="NAME", help="Which list to add them to: newsletter.")]


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A CSV file whose first line names the columns.")],
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="Which field a column is, if its name does not say."),
    ] = None,
    consent: Annotated[
        str, typer.Option(metavar="WORDS", help="The consent sentence of rows that do not have one.")
    ] = "",
    consent_date: Annotated[str, typer.Option(metavar="DATE", help="When they agreed, such as 2024-03-31.")] = "",
    date_format: Annotated[
        str, typer.Option(metavar="FORMAT", help="How the file writes dates, such as %d.%m.%Y.", show_default="ISO")
    ] = "",
    source: Annotated[
        str, typer.Option(metavar="WORDS", help="Where the list comes from, for the record.", show_default="the file")
    ] = "",
    to_list: ListOption = "newsletter",
    encoding: Annotated[str, typer.Option(metavar="NAME", help="The encoding.", show_default="detected")] = "",
    delimiter: Annotated[
        str, typer.Option(metavar="NAME", help="comma, semicolon, tab or pipe.", show_default="detected")
    ] = "",
    topic: Annotated[
        list[str] | None, typer.Option("--topic", metavar="NAME", help="A topic for everybody in the file.")
    ] = None,
    create_topics: Annotated[
        bool, typer.Option("--create-topics", help="Create a private topic for each name that matches none.")
    ] = False,
    update: Annotated[bool, typer.Option("--update", help="Update people who are already on the list.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import valid rows even if others are invalid.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check the file and write nothing.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Show the first rows unmasked.")] = False,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Import people with their consent from a CSV file. Checks the whole file before it writes anything."""
    if to_list != "newsletter":
        raise typer.BadParameter("There is one list: newsletter.", param_hint="--list")
    (file,) = site_session.within_reach(site, [file])
    open_site(site)
    ground = import_rows.read_ground(consent, consent_date, date_format)
    _refuse_leavers(file)
    shape = csv_reader.find_shape(file, encoding, delimiter)
    mapping = import_columns.find_mapping(import_job.headers(file, shape), dict(map(_pair, columns or [])))
    judge = import_rows.Judge(mapping, ground, date_format, import_topics.site_topics(topic or []))
    job = import_job.PeopleImport(file, shape, mapping, judge, source or file.name, SHELL, update)
    output = _Output(as_json)
    output.format_of(job)
    output.preview(job, show=show)
    with output.progress() as progress:
        checked = import_job.examine(job, progress)
    usable = sum(checked.counts[name] for name in ("new", "joined", "updated"))
    go = not dry_run and bool(usable) and (skip_bad or not checked.counts["bad"])
    written = None
    if go:
        judge.topics = _create_topics(checked, topic or []) if create_topics else judge.topics
        with output.progress() as progress:
            written = import_job.carry_out(job, checked, progress)
    output.outcome(checked, written, job)
    if not dry_run and checked.counts["bad"] and (not skip_bad or checked.only_bad):
        raise typer.Exit(3)


def _create_topics(checked: "ExaminedFile", always: list[str]) -> "import_topics.TopicNames":
    import_topics.create(checked.unknown_topics)
    return import_topics.site_topics(always)


def _refuse_leavers(file: Path) -> None:
    if unsubscribed_columns.of_leavers(file.name):
        raise TrothError(
            f"{file.name}: its name says that it lists unsubscribed people. Nobody was imported.",
            mend="Import the file of subscribed people; if this is that file, rename it.",
        )


def _pair(typed: str) -> tuple[str, str]:
    column, sign, field = typed.rpartition("=")
    if not sign or not column:
        raise typer.BadParameter("Write --map COLUMN=FIELD.", param_hint="--map")
    return column, field


class _Output:
    """Print the progress and the result of an import. With `--json`, only the result."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._out = as_json, console.console(stderr=True, quiet=as_json, highlight=False)

    def format_of(self, job: "PeopleImport") -> None:
        self._line(f"Read as {job.shape.words}.")
        if job.columns.program:
            self._line(f"This looks like an export of {job.columns.program.name}.")
        for field in job.columns.columns:
            self._line(f"  {job.columns.name_of(field)} → {field}")
        for place, meaning in job.columns.telling.items():
            self._line(f"  {job.columns.called(place)} → unsubscribed ({meaning})")
        not_kept = [name for name in job.columns.unread if name not in job.columns.unknown]
        if not_kept:
            self._line(f"  not kept by Troth, not read: {', '.join(not_kept)}")
        if job.columns.unknown:
            self._line(f"  unknown, ignored: {', '.join(job.columns.unknown)}")

    def preview(self, job: "PeopleImport", *, show: bool) -> None:
        if self._json:
            return
        table = tables.Table(title="First rows" if show else "First rows, masked (--show shows them)")
        for title in (*job.columns.columns, *map(job.columns.called, job.columns.telling)):
            table.add_column(plain(title), overflow="fold")
        width = len(job.columns.headers)
        for cells in import_job.first_rows(job.path, job.shape, _PREVIEW):
            padded = [*cells, *[""] * (width - len(cells))]
            picked = [job.columns.pick(field, padded) for field in job.columns.columns]
            picked += [padded[place] for place in job.columns.telling]
            table.add_row(*[plain(cell if show else import_columns.masked(cell)) for cell in picked])
        self._out.print(table)

    def progress(self) -> "AbstractContextManager[bars.ReportCounted]":
        """Show a bar with rate and time left on a terminal; nothing elsewhere."""
        return bars.counted(self._out, "rows", quiet=self._json)

    def outcome(self, checked: "ExaminedFile", written: "Counter[str] | None", job: "PeopleImport") -> None:
        counts = {name: (checked.counts if written is None else written)[name] for name in import_job.COUNTS}
        if self._json:
            print_json(_as_json(checked, counts, job, written=written is not None))
            return
        self._line("Imported:" if written is not None else f"Checked {checked.rows:,} rows, nothing written:")
        for name, words in import_job.COUNTS.items():
            if counts[name]:
                self._line(f"  {counts[name]:>9,}  {words}")
        for column, count in checked.away.most_common(_SHOWN):
            self._line(f"  {count:>9,}  of these by {column}")
        for (column, why), count in checked.left_out.most_common(_SHOWN):
            self._line(f"  {count:>9,}  left out, {column}: {why}")
        for name, count in (checked.unknown_topics + checked.unusable_topics).most_common(_SHOWN):
            self._line(f"  {count:>9,}  rows name what was no topic here: {name}")
        self._bad_rows(checked)
        if checked.only_bad:
            self._line("No row is valid. Correct the file, or use --map and --consent to say how to read it.")
        elif written is None and checked.counts["bad"]:
            self._line("Correct the file, or import the valid rows with --skip-bad.")

    def _bad_rows(self, checked: "ExaminedFile") -> None:
        for bad in checked.bad[:_SHOWN]:
            self._line(f"line {bad.line}{', ' + bad.column if bad.column else ''}: {bad.why}")
        if checked.counts["bad"] > _SHOWN:
            self._line("In total:")
            for (column, why), count in checked.reasons.most_common(_SHOWN):
                self._line(f"  {count:>9,}  {column + ': ' if column else ''}{why}")

    def _line(self, text: str) -> None:
        self._out.print(text, markup=False, soft_wrap=True)


def _as_json(checked: "ExaminedFile", counts: dict[str, int], job: "PeopleImport", *, written: bool) -> dict[str, Any]:
    return {
        "written": written,
        "rows": checked.rows,
        **counts,
        "encoding": job.shape.encoding,
        "delimiter": job.shape.delimiter,
        "columns": {field: job.columns.name_of(field) for field in job.columns.columns},
        "who_is_gone": {job.columns.called(place): meaning for place, meaning in job.columns.telling.items()},
        "not_read": job.columns.unread,
        "program": job.columns.program.name if job.columns.program else None,
        "unknown_columns": job.columns.unknown,
        "unknown_topics": dict((checked.unknown_topics + checked.unusable_topics).most_common()),
        "away_by": dict(checked.away.most_common()),
        "left_out": _by_column(checked.left_out),
        "reasons": _by_column(checked.reasons),
        "bad_rows": [{"line": bad.line, "column": bad.column, "why": bad.why} for bad in checked.bad],
    }


def _by_column(counted: "Counter[tuple[str, str]]") -> list[dict[str, Any]]:
    return [{"column": column, "why": why, "rows": count} for (column, why), count in counted.most_common()]


def list_(
    to: Annotated[Path, typer.Option("--export", metavar="FILE", help="The file to write; it must not exist.")],
    state: Annotated[
        str,
        typer.Option(
            metavar="STATE", help="Only confirmed, waiting (unconfirmed) or left (unsubscribed).", show_default="all"
        ),
    ] = "",
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Export the list of people to a CSV file that only you can read. The access log has an entry per thousand."""
    with new_private(to) as file:  # before this process becomes a user who may not create it
        count = _list(file, state, site, _Output(as_json))
    if as_json:
        print_json({"people": count, "file": str(to)})
    else:
        sys.stderr.write(
            f"Exported {count:,} people to {to}. Only you can read the file; delete it when you no longer need it.\n"
        )


def _list(file: BinaryIO, state: str, site: Path, output: _Output) -> int:
    open_site(site)
    if state and state not in list(queries.SubscriberState):
        raise TrothError("There is no such state.", mend=f"One of: {', '.join(queries.SubscriberState)}.")
    total = 0
    with output.progress() as progress:
        return export.write(
            SHELL,
            queries.SubscriberState(state) if state else None,
            file,
            lambda count: progress("writing", count, total, count),
        )
