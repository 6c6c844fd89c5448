"""A file that was opened before the command became somebody else."""

import gzip
import os
import zipfile
from pathlib import Path

from troth.supervisor.opened_file import OpenedPath, opened


def test_each_reader_begins_at_the_start_and_disturbs_no_other(tmp_path):
    (tmp_path / "file.csv").write_bytes(b"first\nsecond\n")
    path = opened(tmp_path / "file.csv")
    with path.open("rb") as one, path.open("rb") as other:
        assert one.readline() == b"first\n"
        assert other.read() == b"first\nsecond\n"
        assert one.read() == b"second\n" and one.seek(0) == 0 and one.read(5) == b"first"
    assert path.read_bytes() == b"first\nsecond\n"
    assert (path.name, path.stat().st_size, path.exists(), path.is_file()) == ("file.csv", 13, True, True)
    assert not isinstance(path.parent, OpenedPath) and str(path) == str(tmp_path / "file.csv")


def test_what_was_opened_is_read_though_the_name_leads_nowhere_any_more(tmp_path):
    (tmp_path / "file").write_bytes(b"kept")
    path = opened(tmp_path / "file")
    (tmp_path / "file").unlink()
    assert path.exists() and path.is_file() and path.read_bytes() == b"kept"


def test_packed_files_are_read_as_from_a_path(tmp_path):
    (tmp_path / "log.gz").write_bytes(gzip.compress(b"line\n"))
    with opened(tmp_path / "log.gz").open("rb") as file, gzip.GzipFile(fileobj=file) as unpacked:
        assert unpacked.read() == b"line\n"
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as made:
        made.writestr("table.csv", "date\n")
    with opened(tmp_path / "export.zip").open("rb") as file, zipfile.ZipFile(file) as packed:
        assert packed.read("table.csv") == b"date\n"


def test_what_is_no_plain_file_stays_a_path_to_be_refused_where_it_is_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "missing"):
        assert not isinstance(opened(path), OpenedPath)
    assert isinstance(opened(Path(__file__)), OpenedPath)
