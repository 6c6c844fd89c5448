"""Mailchimp's ZIP comes in whole: the state is that of each file's name, and what is no such ZIP is refused."""

import io
import zipfile

import pytest

from tests.people.files import examined, taken_in
from troth.newsletter.models import Subscription
from troth.people import zip_export
from troth.people.csv_sources import FileRefused, as_source

HEAD = "Email Address,First Name,Last Name,OPTIN_TIME,CONFIRM_TIME,TAGS"
ROW = "{},Ada,Example,2021-02-03 07:55:20,2021-02-04 07:55:20,".format
FILES = {
    "subscribed_email_audience_export_1a.csv": [HEAD, ROW("ada@example.com"), ROW("bert@example.com")],
    "unsubscribed_email_audience_export_1a.csv": [
        HEAD + ",UNSUB_TIME",
        ROW("bert@example.com") + ",2022-01-01 00:00:00",
    ],
    "cleaned_email_audience_export_1a.csv": [HEAD, ROW("cleo@example.com")],
    "nonsubscribed_email_audience_export_1a.csv": ["Email Address", "dora@example.com"],
}


def packed(path, files=None, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, lines in (files or FILES).items():
            archive.writestr(name, "\r\n".join([*lines, ""]))
    return path


def test_only_who_is_in_the_file_of_subscribers_alone_is_subscribed(site, tmp_path):
    path = packed(tmp_path / "audience.zip", {f"audience_export_1a/{name}": lines for name, lines in FILES.items()})
    found = examined(path)
    assert {name.partition("_")[0]: dict(counts) for name, counts in found.files.items()} == {
        "subscribed": {"subscribed": 2},
        "unsubscribed": {"unsubscribed": 1},
        "cleaned": {"bounced": 1},
        "nonsubscribed": {"never subscribed": 1},
    }
    assert taken_in(path) == {"new": 1, "away": 4}
    (place,) = Subscription.objects.all()
    assert f"{place.confirmed_at:%Y-%m-%d}" == "2021-02-04"


def test_a_bad_row_is_told_with_its_file_and_line(site, tmp_path):
    files = FILES | {"subscribed_b.csv": [HEAD, '"quoted\r\nname@x",,,,,', ROW("nobody")]}
    (first, second) = examined(packed(tmp_path / "a.zip", files)).bad
    assert (first.file, first.line, second.line) == ("subscribed_b.csv", 2, 4)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("readme.txt", "readme.txt in a.zip is none of the files"),
        ("members.csv", "members.csv in a.zip is none of the files"),
        ("../subscribed_x.csv", "no plain path"),
        ("/subscribed_x.csv", "no plain path"),
        ("a\\subscribed_x.csv", "no plain path"),
        ("list.zip", "list.zip in a.zip is an archive inside"),
        ("x/subscribed_email_audience_export_1a.csv", "two files of the name"),
        ("ada@example.com.csv", "A file in a.zip"),
        ("[Content_Types].xml", "spreadsheet"),
    ],
)
def test_what_is_no_file_of_the_export_is_refused_by_name(site, tmp_path, name, said):
    with pytest.raises(FileRefused, match=said.replace("[", r"\[")):
        examined(packed(tmp_path / "a.zip", FILES | {name: [HEAD]}))


def test_a_zip_without_subscribers_is_refused(tmp_path):
    files = {name: lines for name, lines in FILES.items() if not name.startswith("subscribed")}
    with pytest.raises(FileRefused, match="no file of subscribed people"):
        zip_export.read_zip(as_source(packed(tmp_path / "a.zip", files)))


def test_what_would_unpack_to_far_more_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="times larger unpacked"):
        zip_export.read_zip(as_source(packed(tmp_path / "a.zip", {"subscribed_a.csv": ["0" * (8 << 20)]})))


def test_more_files_or_bytes_than_an_export_has_are_refused(tmp_path, monkeypatch):
    with pytest.raises(FileRefused, match="more than 20 files"):
        zip_export.read_zip(as_source(packed(tmp_path / "a.zip", {f"subscribed_{n}.csv": [HEAD] for n in range(21)})))
    with pytest.raises(FileRefused, match="more files than"):
        zip_export.read_zip(as_source(packed(tmp_path / "b.zip", {f"subscribed_{n}.csv": [HEAD] for n in range(1500)})))
    monkeypatch.setattr(zip_export, "MOST_BYTES", 100)
    with pytest.raises(FileRefused, match="unpacked"):
        zip_export.read_zip(as_source(packed(tmp_path / "c.zip")))


def test_an_encrypted_or_damaged_zip_is_refused_by_the_file_inside(site, tmp_path):
    path = packed(tmp_path / "a.zip", {"subscribed_a.csv": [HEAD, ROW("ada@example.com")]}, zipfile.ZIP_STORED)
    whole = path.read_bytes()
    at = whole.index(b"PK\x01\x02")
    path.write_bytes(whole[: at + 8] + b"\x01" + whole[at + 9 :])
    with pytest.raises(FileRefused, match=r"subscribed_a.csv in a.zip is encrypted"):
        zip_export.read_zip(as_source(path))
    path.write_bytes(whole.replace(b"ada@", b"eve@"))
    with pytest.raises(FileRefused, match=r"subscribed_a.csv in a.zip"):
        examined(path)
    path.write_bytes(whole[:-10])
    with pytest.raises(FileRefused, match="damaged"):
        zip_export.read_zip(as_source(path))


def test_a_zip_is_told_by_how_it_begins(tmp_path):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w"):
        pass
    (tmp_path / "empty").write_bytes(buffer.getvalue())
    assert zip_export.is_zip(as_source(tmp_path / "empty"))
    with pytest.raises(FileRefused, match="no files"):
        zip_export.read_zip(as_source(tmp_path / "empty"))
