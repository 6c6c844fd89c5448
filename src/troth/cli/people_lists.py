"""`troth people import` and `troth people list`: import people from a CSV file, or export the list to one. Prints no
personal data unless `--show` asks for it. Exit code 1: nothing was written, with the reason; 3: invalid rows."""

import sys
from collections.abc import Sequence
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
        export,
        import_columns,
        import_files,
        import_job,
        import_rows,
        import_topics,
        list_formats,
        queries,
    )
    from troth.people.export import ListExport
    from troth.people.import_job import BadRow, ExaminedFile, ImportFile, PeopleImport
else:
    console = lazy("troth.cli.console")
    export = lazy("troth.people.export")
    import_columns = lazy("troth.people.import_columns")
    import_files = lazy("troth.people.import_files")
    import_job = lazy("troth.people.import_job")
    import_rows = lazy("troth.people.import_rows")
    import_topics = lazy("troth.people.import_topics")
    list_formats = lazy("troth.people.list_formats")
    queries = lazy("troth.people.queries")
    site_session = lazy("troth.operate.site_session")
    tables = lazy("rich.table")

_PREVIEW = 5
_SHOWN = 20
ListOption = Annotated[str, typer.Option("--list", metavar="NAME", help="Which list to add them to: newsletter.")]


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A CSV file whose first line names the columns, or Mailchimp's ZIP.")
    ],
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
    language: Annotated[str, typer.Option(metavar="TAG", help="The language of rows that name none: de.")] = "",
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
    ground = import_rows.read_ground(consent, consent_date, date_format, language)
    options = import_files.ReadingOptions(ground, dict(map(_pair, columns or [])), date_format, encoding, delimiter)
    files, output = import_files.files_of(file, options, import_topics.site_topics(topic or [])), _Output(as_json)
    job = import_job.PeopleImport(files, source or file.name, SHELL, update)
    output.previews(files, show=show)
    with output.progress() as progress:
        checked = import_job.examine(job, progress)
    written = None
    if not dry_run and checked.usable > 0 and (skip_bad or not checked.counts["bad"]):
        if create_topics:
            import_topics.create(checked.unknown_topics)
            job.read_topics_as(import_topics.site_topics(topic or []))
        with output.progress() as progress:
            written = import_job.carry_out(job, checked, progress)
    output.outcome(checked, written, job)
    if not dry_run and checked.counts["bad"] and (not skip_bad or checked.only_bad):
        raise typer.Exit(3)


def _pair(typed: str) -> tuple[str, str]:
    column, sign, field = typed.rpartition("=")
    if not sign or not column:
        raise typer.BadParameter("Write --map COLUMN=FIELD.", param_hint="--map")
    return column, field


class _Output:
    """Print the progress and the result of an import. With `--json`, only the result."""

    def __init__(self, as_json: bool) -> None:
        self._json, self._out = as_json, console.console(stderr=True, quiet=as_json, highlight=False)

    def previews(self, files: Sequence["ImportFile"], *, show: bool) -> None:
        for file in files:
            self._format_of(file, inside=len(files) > 1)
            self._preview(file, show=show)

    def _format_of(self, file: "ImportFile", *, inside: bool) -> None:
        columns = file.columns
        if inside:
            state = f"{file.state}, nobody in it is subscribed" if file.state else "subscribed"
            self._line(f"{file.source.name}: {state}.")
        self._line(f"Read as {file.shape.words}.")
        if columns.program:
            self._line(f"This looks like an export of {columns.program.name}. {columns.program.caution}".strip())
        if file.state is not None:
            return
        for field in columns.columns:
            self._line(f"  {columns.name_of(field)} → {field}")
        for place, meaning in columns.telling.items():
            self._line(f"  {columns.called(place)} → unsubscribed ({meaning})")
        not_kept = [name for name in columns.unread if name not in columns.unknown]
        if not_kept:
            self._line(f"  not kept by Troth, not read: {', '.join(not_kept)}")
        if columns.unknown:
            self._line(f"  unknown, ignored: {', '.join(columns.unknown)}")

    def _preview(self, file: "ImportFile", *, show: bool) -> None:
        if self._json or file.state is not None:
            return
        columns = file.columns
        table = tables.Table(title="First rows" if show else "First rows, masked (--show shows them)")
        for title in (*columns.columns, *map(columns.called, columns.telling)):
            table.add_column(plain(title), overflow="fold")
        width = len(columns.headers)
        for cells in import_job.first_rows(file.source, file.shape, _PREVIEW):
            padded = [*cells, *[""] * (width - len(cells))]
            picked = [columns.pick(field, padded) for field in columns.columns]
            picked += [padded[place] for place in columns.telling]
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
        if len(job.files) > 1:
            self._by_file(checked)
        self._topics(checked, job)
        self._bad_rows(checked, named=len(job.files) > 1)
        if checked.only_bad:
            self._line("No row is valid. Correct the file, or use --map and --consent to say how to read it.")
        elif written is None and checked.counts["bad"]:
            self._line("Correct the file, or import the valid rows with --skip-bad.")

    def _by_file(self, checked: "ExaminedFile") -> None:
        for name, counts in checked.files.items():
            states = ", ".join(f"{count:,} {state}" for state, count in counts.most_common())
            self._line(f"  {name}: {states or 'no rows'}")

    def _topics(self, checked: "ExaminedFile", job: "PeopleImport") -> None:
        names = import_topics.names_by_number()
        for number, count in checked.topics.most_common(_SHOWN):
            self._line(f"  {count:>9,}  people for the topic {names[number]}")
        for name, count in checked.unknown_topics.most_common(_SHOWN):
            self._line(f"  {count:>9,}  people for what was no topic here: {name} (--create-topics creates it)")
        for name, count in checked.unusable_topics.most_common(_SHOWN):
            self._line(f"  {count:>9,}  people for what cannot be a topic: {name}")

    def _bad_rows(self, checked: "ExaminedFile", *, named: bool) -> None:
        for bad in checked.bad[:_SHOWN]:
            self._line(
                f"{bad.file + ', ' if named else ''}line {bad.line}{', ' + bad.column if bad.column else ''}: {bad.why}"
            )
        if checked.counts["bad"] > _SHOWN:
            self._line("In total:")
            for (column, why), count in checked.reasons.most_common(_SHOWN):
                self._line(f"  {count:>9,}  {column + ': ' if column else ''}{why}")

    def _line(self, text: str) -> None:
        self._out.print(text, markup=False, soft_wrap=True)


def _as_json(checked: "ExaminedFile", counts: dict[str, int], job: "PeopleImport", *, written: bool) -> dict[str, Any]:
    file, names = job.files[0], import_topics.names_by_number()
    columns = file.columns
    return {
        "written": written,
        "rows": checked.rows,
        **counts,
        "encoding": file.shape.encoding,
        "delimiter": file.shape.delimiter,
        "columns": {field: columns.name_of(field) for field in columns.columns},
        "who_is_gone": {columns.called(place): meaning for place, meaning in columns.telling.items()},
        "not_read": columns.unread,
        "program": columns.program.name if columns.program else None,
        "caution": (columns.program.caution if columns.program else "") or None,
        "unknown_columns": columns.unknown,
        "files": {name: dict(states) for name, states in checked.files.items()},
        "topics": {names[number]: count for number, count in checked.topics.most_common()},
        "unknown_topics": dict((checked.unknown_topics + checked.unusable_topics).most_common()),
        "away_by": dict(checked.away.most_common()),
        "left_out": _by_column(checked.left_out),
        "reasons": _by_column(checked.reasons),
        "bad_rows": [_bad_row(bad, named=len(job.files) > 1) for bad in checked.bad],
    }


def _bad_row(bad: "BadRow", *, named: bool) -> dict[str, Any]:
    row = {"line": bad.line, "column": bad.column, "why": bad.why}
    return {"file": bad.file, **row} if named else row


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
    list_format: Annotated[
        str,
        typer.Option("--format", metavar="FORMAT", help="troth, mailchimp or listmonk.", show_default="troth"),
    ] = "troth",
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Export the list of people to a CSV file that only you can read. The access log has an entry per thousand. For
    Mailchimp and listmonk, a file has people of one state; those who have not confirmed are never in one."""
    with new_private(to) as file:  # before this process becomes a user who may not create it
        count, listed = _list(file, list_format, state, site, _Output(as_json))
    left_out = +listed.left_out
    if as_json:
        print_json({"people": count, "file": str(to), "left_out": dict(left_out)})
        return
    sys.stderr.write(
        f"Exported {count:,} people to {to}. Only you can read the file; delete it when you no longer need it.\n"
    )
    for why, people in left_out.items():
        sys.stderr.write(f"Not in it: {people:,} ({why}).\n")
    if listed.form.advice:
        sys.stderr.write(f"{listed.form.advice}\n")


def _list(file: BinaryIO, list_format: str, state: str, site: Path, output: _Output) -> "tuple[int, ListExport]":
    open_site(site)
    if list_format not in list(list_formats.ListFormat):
        raise TrothError("There is no such format.", mend=f"One of: {', '.join(list_formats.ListFormat)}.")
    if state and state not in list(queries.SubscriberState):
        raise TrothError("There is no such state.", mend=f"One of: {', '.join(queries.SubscriberState)}.")
    subscriber_state = queries.SubscriberState(state) if state else None
    listed = export.ListExport(SHELL, list_formats.form_of(list_formats.ListFormat(list_format), subscriber_state))
    with output.progress() as progress:
        return listed.write(file, lambda count: progress("writing", count, 0, count)), listed
