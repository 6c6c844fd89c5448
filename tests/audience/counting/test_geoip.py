"""Countries: from bytes or a descriptor, by any shape of record; nothing that is asked or read makes it raise."""

import os
import random
from ipaddress import ip_address

import maxminddb
import pytest

from troth.audience.counting.geoip import CountriesError, CountryDatabase
from troth.audience.imports import mmdb_writer

LINES = [
    "# first,last,country",
    "192.0.2.0,192.0.2.255,DE",
    '"198.51.100.0","198.51.100.127","fr"',
    "203.0.113.7\t203.0.113.9\tJP\tSOMEBODY",
    "2001:db8::,2001:db8:ffff:ffff:ffff:ffff:ffff:ffff,NL",
    "",
    "10.0.0.0,10.255.255.255,ZZ",
]


def _made(*lines: str) -> bytes:
    return mmdb_writer.build(mmdb_writer.read(lines))


@pytest.fixture(scope="module")
def database() -> bytes:
    return _made(*LINES)


@pytest.mark.parametrize(
    ("address", "country"),
    [
        ("192.0.2.1", "DE"),
        ("192.0.3.1", ""),
        ("198.51.100.127", "FR"),
        ("198.51.100.128", ""),
        ("203.0.113.6", ""),
        ("203.0.113.7", "JP"),
        ("203.0.113.9", "JP"),
        ("203.0.113.10", ""),
        ("2001:db8::1", "NL"),
        ("2001:db9::1", ""),
        ("::ffff:192.0.2.1", "DE"),
        ("2001:db8::1%eth0", "NL"),
        ("10.1.2.3", ""),
    ],
)
def test_an_address_is_in_a_country(database, address, country):
    assert CountryDatabase(database).of(address) == country


@pytest.mark.parametrize("odd", ["", "-", "localhost", "999.1.1.1", "192.0.2.1:80", "::1::", "\0", "ü", "1" * 10_000])
def test_what_is_no_address_is_in_none(database, odd):
    assert CountryDatabase(database).of(odd) == ""


@pytest.mark.parametrize(
    ("record", "code"),
    [
        ({"country": {"iso_code": "DE"}}, "DE"),
        ({"country_code": "de"}, "DE"),
        ({"country": "DE"}, "DE"),
        ({"country": {"iso_code": None}}, ""),
        ({"country": {"iso_code": 7}}, ""),
        ({"country": ["DE"]}, ""),
        ({"country_code": "<b>"}, ""),
        ({"country_code": "Germany"}, ""),
        ({"country_code": "ZZ"}, ""),
        ({"city": {}}, ""),
        ("DE", ""),
        (None, ""),
        ([], ""),
    ],
)
def test_records_of_any_shape_are_read_or_say_nothing(database, record, code, monkeypatch):
    countries = CountryDatabase(database)
    monkeypatch.setattr(countries._reader, "get", lambda _address: record)
    assert countries.of("192.0.2.1") == code


def test_it_is_read_from_a_descriptor_that_others_share(database, tmp_path):
    path = tmp_path / "countries.mmdb"
    path.write_bytes(database)
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.lseek(descriptor, 40, os.SEEK_SET)
        path.unlink()
        assert CountryDatabase.inherited(descriptor).of("192.0.2.1") == "DE"
        assert os.lseek(descriptor, 0, os.SEEK_CUR) == 40
    finally:
        os.close(descriptor)


@pytest.mark.parametrize("broken", [b"", b"MMDB", b"\xab\xcd\xefMaxMind.com", b"\xab\xcd\xefMaxMind.com\xe1"])
def test_what_is_no_database_is_refused(broken):
    with pytest.raises(CountriesError):
        CountryDatabase(broken)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CountriesError):
        CountryDatabase.at(tmp_path / "none.mmdb")


def test_a_database_that_is_cut_or_flipped_never_raises(database):
    chance = random.Random(7)
    for _ in range(200):
        bad = bytearray(database)
        for _ in range(8):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        try:
            countries = CountryDatabase(bytes(bad))
        except CountriesError:
            continue
        assert len(countries.of("192.0.2.1")) in {0, 2}


def test_it_keeps_no_address(database):
    countries = CountryDatabase(database)
    before = set(vars(countries))
    for number in range(50):
        countries.of(f"192.0.2.{number}")
    assert set(vars(countries)) == before == {"_reader"}


def test_where_ranges_overlap_the_later_line_holds():
    countries = CountryDatabase(_made("192.0.2.0,192.0.2.255,DE", "192.0.2.16,192.0.2.31,AT"))
    assert [countries.of(f"192.0.2.{last}") for last in (15, 16, 31, 32)] == ["DE", "AT", "AT", "DE"]


def test_many_ranges_are_told_as_a_plain_search_tells_them():
    chance = random.Random(11)
    edges = sorted(chance.sample(range(1 << 32), 400))
    some = [(edges[n], edges[n + 1] - 1, chance.choice(["DE", "FR", "JP", "US"])) for n in range(0, 400, 2)]
    countries = CountryDatabase(_made(*(f"{ip_address(a)},{ip_address(b)},{c}" for a, b, c in some)))
    for number in [*edges, *(chance.randrange(1 << 32) for _ in range(500))]:
        wanted = next((c for a, b, c in some if a <= number <= b), "")
        assert countries.of(str(ip_address(number))) == wanted


@pytest.mark.parametrize("line", ["192.0.2.0,DE", "192.0.2.9,192.0.2.1,DE", "192.0.2.1,2001:db8::,DE", "some,thing,DE"])
def test_a_line_that_is_no_range_is_named_by_its_number(line):
    with pytest.raises(mmdb_writer.RangesError, match="Line 2 ") as caught:
        _made("192.0.2.0,192.0.2.255,DE", line)
    assert "192.0.2" not in str(caught.value)


def test_other_readers_of_the_format_read_it(database, tmp_path):
    path = tmp_path / "countries.mmdb"
    path.write_bytes(database)
    with maxminddb.open_database(path, maxminddb.MODE_AUTO) as reader:
        assert reader.get("192.0.2.1") == {"country": {"iso_code": "DE"}}
        assert reader.metadata().ip_version == 6
