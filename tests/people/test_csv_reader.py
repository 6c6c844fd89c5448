"""A CSV file is read as it is written, in any of its encodings; what is broken is told by its line."""

import pytest

from tests.people.files import written
from troth.people import csv_reader
from troth.people.csv_reader import CsvReader, FileRefused, find_shape

LINES = ("email,name", "jürgen@example.com,Jürgen Schöllkopf-Åkesson", "ada@example.com,Ada")


def records(path, shape=None):
    reader = CsvReader(path, shape or find_shape(path))
    try:
        return list(reader.records())
    finally:
        reader.close()


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
        ("cp1252", "cp1252"),
    ],
)
def test_the_encoding_is_found_out(tmp_path, encoding, found):
    path = written(tmp_path / "people.csv", *LINES, encoding=encoding)
    shape = find_shape(path)
    assert shape.encoding == found
    assert [record.cells for record in records(path, shape)] == [line.split(",") for line in LINES]


def test_a_few_broken_rows_do_not_make_a_file_windows_1252(tmp_path):
    path = tmp_path / "people.csv"
    path.write_bytes("\n".join([LINES[0], *[LINES[1]] * 20]).encode() + b"\nbj\xf6rn@example.com,Bj\xf6rn\n")
    shape = find_shape(path)
    assert shape.encoding == "utf-8"
    assert "\udcf6" in records(path, shape)[-1].cells[1]


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path, sign):
    path = written(tmp_path / "people.csv", sign.join(["e mail", '"name, whole; or|part"', "day"]))
    assert find_shape(path).delimiter == sign


def test_quotation_marks_and_line_breaks_in_fields_are_read_by_rfc_4180(tmp_path):
    path = written(tmp_path / "people.csv", "email,postal address", 'a@b.example,"Lane ""7""\r\n10115 Berlin"', "c,d")
    found = records(path)
    assert found[1].cells == ["a@b.example", 'Lane "7"\r\n10115 Berlin']
    assert [record.line for record in found] == [1, 2, 4]


def test_a_row_with_marks_out_of_place_is_told_by_its_line_and_the_next_is_read(tmp_path):
    path = written(tmp_path / "people.csv", "email,name", 'a@b.example,"Ada" Example', "c@d.example,Cleo")
    found = records(path)
    assert (found[1].line, found[1].wrong) == (2, "Misplaced quotation marks.")
    assert found[2].cells == ["c@d.example", "Cleo"]


def test_a_mark_that_is_not_closed_does_not_fill_the_memory(tmp_path):
    path = written(tmp_path / "people.csv", "email,name", 'a@b.example,"Ada', *["c@d.example,Cleo"] * 20_000)
    found = records(path)
    assert (found[1].line, "not closed" in found[1].wrong) == (2, True)
    assert found[-1].cells == ["c@d.example", "Cleo"]


def test_a_huge_line_is_refused_alone(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("email,name\n" + "x" * (3 * csv_reader.LONGEST_LINE) + "\nc@d.example,Cleo\n")
    found = records(path)
    assert found[1].wrong == "The line is longer than a million characters."
    assert (found[2].line, found[2].cells) == (3, ["c@d.example", "Cleo"])


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (b"PK\x03\x04rest of a spreadsheet", "spreadsheet"),
        (bytes(range(256)) * 8, "not a text file"),
        (b"x" * (csv_reader.LONGEST_LINE + 5), "first line"),
    ],
)
def test_what_is_no_csv_file_is_refused_as_a_whole(tmp_path, data, said):
    path = tmp_path / "people.csv"
    path.write_bytes(data)
    with pytest.raises(FileRefused, match=said):
        find_shape(path)


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path):
    path = written(tmp_path / "people.csv", *LINES)
    reader = CsvReader(path, find_shape(path))
    reading = reader.records()
    next(reading)
    written(path, *LINES, *LINES)
    with pytest.raises(FileRefused, match="was changed"):
        list(reading)
    reader.close()


@pytest.mark.parametrize(("encoding", "delimiter"), [("klingon", ""), ("rot13", ""), ("", "x")])
def test_an_unknown_encoding_or_delimiter_is_refused(tmp_path, encoding, delimiter):
    path = written(tmp_path / "people.csv", *LINES)
    with pytest.raises(FileRefused):
        find_shape(path, encoding, delimiter)
