"""Examines the ZIP of a Mailchimp audience export: which files it has, and the state of the people in each.

Mailchimp writes one file for each state and names it by it: `subscribed_email_audience_export_1a2b.csv`, and the same
with unsubscribed, cleaned and nonsubscribed. A ZIP with anything else is refused: nothing in it is guessed. The files
are read in place (`csv_sources`); their names are never used as paths. Only reads the file.

What a ZIP says of its sizes is binding: `zipfile` unpacks no more than that. The directory is bounded before it is
read, as each entry takes memory (PKWARE, APPNOTE.TXT 4.3.16).
"""

import re
import struct
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from troth.people.csv_sources import CsvSource, FileInZip, FileRefused
from troth.people.programs import ListState

MOST_FILES = 20
MOST_BYTES = 2 << 30
"""Unpacked, of all files together: about five million people."""
MOST_PACKED = 200
"""Times smaller than unpacked; CSV is packed to a tenth or so."""
_SMALL = 1 << 20
"""Bytes unpacked up to which any packing is accepted."""
_LONGEST_DIRECTORY = 1 << 16
_ENDS_WITHIN = 22 + 65_535
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x07"
_LOCATOR_BYTES = 20
_ENCRYPTED = 0x1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NAMED_BY_STATE = re.compile(r"(subscribed|unsubscribed|cleaned|nonsubscribed)(?=[\W_])[\w. ()-]*\.csv", re.IGNORECASE)
_STATES = {
    "subscribed": None,
    "unsubscribed": ListState.UNSUBSCRIBED,
    "cleaned": ListState.BOUNCED,
    "nonsubscribed": ListState.NEVER,
}
_LEFT_BY_MACS = re.compile(r"__MACOSX/|(.*/)?\.DS_Store")
_UNPACK = "Unpack it yourself, and import the file of subscribed people."


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file of the export. `state`: where everybody in it stands; None for subscribers."""

    file: FileInZip
    state: ListState | None


def is_zip(file: CsvSource) -> bool:
    """Return whether a file begins as a ZIP does. Raises `FileRefused` if it cannot be read."""
    with file.open() as opened:
        return opened.read(4) in (b"PK\x03\x04", _END)


def read_zip(packed: CsvSource) -> tuple[ListedFile, ...]:
    """Return the export's files, those of subscribers first. Raises `FileRefused`, which names the file at fault."""
    _refuse_huge_directory(packed)
    try:
        with packed.open() as raw, zipfile.ZipFile(raw) as archive:
            entries = archive.infolist()
    except (OSError, zipfile.BadZipFile, NotImplementedError, ValueError, EOFError):
        raise FileRefused(f"{packed.name} is a damaged ZIP.", mend="Download the export again.") from None
    _refuse_spreadsheet(packed, entries)
    listed_entries = [entry for entry in entries if not entry.is_dir() and not _LEFT_BY_MACS.match(entry.filename)]
    _refuse_sizes(packed, listed_entries)
    for entry in listed_entries:
        _check(packed, entry)
    files = [
        ListedFile(FileInZip(packed, listed.filename, listed.file_size), _state(packed, listed))
        for listed in listed_entries
    ]
    _refuse_incomplete(packed, files)
    return tuple(sorted(files, key=lambda file: (file.state is not None, file.file.name)))


def _refuse_huge_directory(packed: CsvSource) -> None:
    with packed.open() as file:
        file.seek(max(0, packed.size - _ENDS_WITHIN - _LOCATOR_BYTES))
        tail = file.read()
    at = tail.rfind(_END)
    if at < 0 or len(tail) - at < 22:
        raise FileRefused(f"{packed.name} is a damaged ZIP: its end is missing.", mend="Download the export again.")
    (length,) = struct.unpack_from("<I", tail, at + 12)
    is_64 = tail[max(0, at - _LOCATOR_BYTES) : at].startswith(_END_64)
    if length > _LONGEST_DIRECTORY or is_64:
        raise FileRefused(f"{packed.name} has more files than a Mailchimp export.", mend=_UNPACK)


def _refuse_spreadsheet(packed: CsvSource, entries: Sequence[zipfile.ZipInfo]) -> None:
    names = {entry.filename for entry in entries}
    if names & {"[Content_Types].xml", "mimetype"}:
        raise FileRefused(
            f"{packed.name} is a spreadsheet, not a CSV file.", mend="Save it as CSV (UTF-8) and try again."
        )


def _refuse_sizes(packed: CsvSource, entries: Sequence[zipfile.ZipInfo]) -> None:
    if not entries:
        raise FileRefused(f"{packed.name} has no files.", mend="Download the export again.")
    if len(entries) > MOST_FILES:
        raise FileRefused(f"{packed.name} has more than {MOST_FILES} files.", mend=_UNPACK)
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise FileRefused(f"{packed.name} would be larger than {MOST_BYTES >> 30} GiB unpacked.", mend=_UNPACK)


def _check(packed: CsvSource, entry: zipfile.ZipInfo) -> None:
    """Raise `FileRefused` where a file cannot or must not be read, whatever it is called."""
    name = entry.filename
    if not _is_plain(name):
        raise _refused(packed, entry, "has a name that is no plain path", _UNPACK)
    if entry.flag_bits & _ENCRYPTED:
        raise _refused(packed, entry, "is encrypted", _UNPACK)
    if name.lower().endswith((".zip", ".gz", ".7z", ".rar", ".tar", ".tgz")):
        raise _refused(
            packed,
            entry,
            "is an archive inside the ZIP",
            "Export one audience of Mailchimp by itself, not the whole account, or unpack it yourself.",
        )
    if entry.compress_type not in _METHODS:
        raise _refused(packed, entry, "is packed in a way that is not known here", _UNPACK)
    if entry.file_size > max(_SMALL, MOST_PACKED * entry.compress_size):
        raise _refused(packed, entry, f"would be more than {MOST_PACKED} times larger unpacked", _UNPACK)


def _is_plain(name: str) -> bool:
    parts = name.split("/")
    return name.isprintable() and not re.search(r"[\\:]", name) and not {"", ".", ".."} & set(parts)


def _state(packed: CsvSource, entry: zipfile.ZipInfo) -> ListState | None:
    match = _NAMED_BY_STATE.fullmatch(entry.filename.rpartition("/")[2])
    if match is None:
        raise _refused(
            packed,
            entry,
            "is none of the files of a Mailchimp export (subscribed_…, unsubscribed_…, cleaned_…, nonsubscribed_….csv)",
            "Remove it from the ZIP, or unpack the ZIP and import the file of subscribed people.",
        )
    return _STATES[match[1].lower()]


def _refuse_incomplete(packed: CsvSource, files: Sequence[ListedFile]) -> None:
    twice = [name for name, count in Counter(file.file.name.lower() for file in files).items() if count > 1]
    if twice:
        raise FileRefused(f"{packed.name} has two files of the name {twice[0]}.", mend=_UNPACK)
    if all(file.state for file in files):
        raise FileRefused(
            f"{packed.name} has no file of subscribed people. Nobody was imported.",
            mend="Export the audience again; subscribed_….csv is the file of subscribers.",
        )


def _refused(packed: CsvSource, entry: zipfile.ZipInfo, problem: str, mend: str) -> FileRefused:
    return FileRefused(f"{_shown(entry.filename)} in {packed.name} {problem}. Nobody was imported.", mend=mend)


def _shown(name: str) -> str:
    """Return a name as it may be shown: one that looks like somebody's details, or has control characters, may not."""
    if "@" in name or not name.isprintable() or not name:
        return "A file"
    return name if len(name) <= 80 else f"{name[:79]}…"
