"""Finds out how each file of an import is to be read: a CSV file, or the files of Mailchimp's ZIP.

Reads the first lines only. What it refuses names the file inside the ZIP.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from troth.people import import_columns, import_job, zip_export
from troth.people.csv_reader import find_shape
from troth.people.csv_sources import CsvSource, FileRefused, as_source
from troth.people.import_job import ImportFile
from troth.people.import_rows import ConsentStatement, Judge
from troth.people.import_topics import TopicNames
from troth.people.programs import ListState
from troth.people.unsubscribed_columns import of_leavers


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """What the operator says of how the files are written, and of the consent of the people in them."""

    consent: ConsentStatement
    columns: Mapping[str, str] = field(default_factory=dict)
    """Fields by column; `-` for none."""
    date_format: str = ""
    encoding: str = ""
    delimiter: str = ""


def files_of(file: Path | CsvSource, options: ReadingOptions, topics: TopicNames) -> tuple[ImportFile, ...]:
    """Return the file, or those of the ZIP. Raises `FileRefused`."""
    source = as_source(file)
    if not zip_export.is_zip(source):
        if of_leavers(source.name):
            raise FileRefused(
                f"{source.name}: its name says that it lists unsubscribed people. Nobody was imported.",
                mend="Import the file of subscribed people; if this is that file, rename it.",
            )
        return (_file(source, None, options, topics),)
    files = []
    for listed in zip_export.read_zip(source):
        with _naming(listed.file.name, source):
            files.append(_file(listed.file, listed.state, options, topics))
    return tuple(files)


@contextmanager
def _naming(name: str, archive: CsvSource) -> Iterator[None]:
    """Name the file of a ZIP in what is refused."""
    try:
        yield
    except FileRefused as refused:
        message = str(refused)
        raise FileRefused(
            message if name in message else f"{name} in {archive.name}: {message}", mend=refused.mend
        ) from None


def _file(source: CsvSource, state: ListState | None, options: ReadingOptions, topics: TopicNames) -> ImportFile:
    shape = find_shape(source, options.encoding, options.delimiter)
    headers = import_job.headers(source, shape)
    chosen = options.columns if state is None else _of_headers(options.columns, headers)
    columns = import_columns.find_mapping(headers, chosen)
    judge = Judge(columns, options.consent, options.date_format, topics)
    return ImportFile(source, shape, columns, judge, state)


def _of_headers(columns: Mapping[str, str], headers: tuple[str, ...]) -> Mapping[str, str]:
    """Return what is said of columns that there are: the files of people who are gone have others than the first."""
    names = {name.casefold() for name in headers}
    return {column: field for column, field in columns.items() if column.casefold() in names}
