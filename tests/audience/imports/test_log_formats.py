"""A line of each form of log is read alike; what is none is bad, and never guessed at."""

import gzip
import json
import tracemalloc

import pytest

from tests.audience.imports.logged import DAY, caddy, combined, ground, log, nginx
from tests.audience.user_agents import CHROME
from troth.audience.imports import log_files, log_formats
from troth.audience.imports.log_formats import FORMATS, NotALine
from troth.audience.imports.log_visitors import Visitors
from troth.core.networks import SITE_DIGITS

AT = DAY.timestamp()
NGINX = {"time_iso8601": "x", "remote_addr": "203.0.113.7", "request_method": "GET", "request_uri": "/", "status": 200}


@pytest.mark.parametrize(("form", "line"), [("combined", combined()), ("caddy", caddy()), ("nginx-json", nginx())])
def test_each_form_tells_the_same(form, line):
    read = FORMATS[form].parse(line.encode())
    assert (int(read.at), read.address, read.method, read.target, read.status, read.referrer, read.agent) == (
        *(AT, "203.0.113.7", "GET", "/docs", 200),
        *("", CHROME),
    )
    assert int(FORMATS[form].moment(line.encode())) == AT
    assert log_formats.detect([line.encode()]).name == form


@pytest.mark.parametrize(
    ("line", "host", "address"),
    [
        (combined(before="www.example.com:443 "), "www.example.com", "203.0.113.7"),
        (combined(address="2001:db8::7"), "", "2001:db8::7"),
        (combined(before="www.example.com ", address="2001:db8::7"), "www.example.com", "2001:db8::7"),
        (combined().replace(" - - ", " - Wilma Oddsworth "), "", "203.0.113.7"),
    ],
)
def test_a_combined_line_may_begin_with_its_host(line, host, address):
    read = FORMATS["combined"].parse(line.encode())
    assert (read.host, read.address) == (host, address)


@pytest.mark.parametrize(
    ("written", "read"),
    [(r"/caf\xC3\xA9", "/café"), (r"/a\"b", '/a"b'), ("/caf%C3%A9", "/caf%C3%A9"), (r"/\xFF", "/\ufffd")],
)
def test_what_a_server_escaped_is_plain_again(written, read):
    assert FORMATS["combined"].parse(combined(written).encode()).target == read


def test_bytes_that_are_no_utf8_do_no_harm():
    assert FORMATS["combined"].parse(combined().encode().replace(b"/docs", b"/d\xe9cs")).target == "/d\ufffdcs"


@pytest.mark.parametrize(
    "stamp",
    [
        "31/Feb/2026:10:00:00 +0000",
        "20/Nov/2026:25:00:00 +0000",
        "20/Foo/2026:10:00:00 +0000",
        "20/Nov/2026:10:00:00 +9900",
    ],
)
def test_a_time_that_there_is_not_is_bad(stamp):
    line = combined().replace(f"{DAY:%d/%b/%Y:%H:%M:%S %z}", stamp).encode()
    for read in (FORMATS["combined"].parse, FORMATS["combined"].moment):
        with pytest.raises(NotALine):
            read(line)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"ts": "yesterday"}',
        '{"ts": 1e300}',
        '{"ts": -1}',
        "[" * 20_000,
        '"' * 5_000,
        "\x00",
    ],
)
@pytest.mark.parametrize("form", FORMATS)
def test_rubbish_is_bad_in_every_form(form, line):
    with pytest.raises(NotALine):
        FORMATS[form].parse(line.encode())
    with pytest.raises(NotALine):
        FORMATS[form].moment(line.encode())


def test_a_line_of_caddy_about_something_else_is_nothing():
    assert FORMATS["caddy"].parse(b'{"level":"info","ts":1763645400.5,"msg":"serving initial configuration"}') is None


def test_caddy_tells_who_asked_not_to_be_counted_and_what_was_fetched_ahead():
    read = FORMATS["caddy"].parse(caddy(Sec_Gpc="1", Sec_Purpose="prefetch;prerender", Accept_Language="de").encode())
    assert (read.asked_not, read.prefetched, read.languages, read.host) == (True, True, "de", "www.example.com")


@pytest.mark.parametrize(
    "names",
    [
        {"@timestamp": DAY.isoformat()},
        {"msec": f"{AT:.3f}"},
        {"time_local": f"{DAY:%d/%b/%Y:%H:%M:%S %z}"},
        {"ts": AT * 1000},
    ],
)
def test_nginx_may_call_the_time_what_it_likes(names):
    told = {**NGINX, **names}
    del told["time_iso8601"]
    assert int(FORMATS["nginx-json"].parse(json.dumps(told).encode()).at) == AT


def test_nginx_may_write_the_request_whole_and_its_fields_nested():
    told = {
        "@timestamp": DAY.isoformat(),
        "@fields": {"request": "GET /docs?a=1 HTTP/2.0", "status": "304", "client": "::1"},
    }
    read = FORMATS["nginx-json"].parse(json.dumps(told).encode())
    assert (read.method, read.target, read.status) == ("GET", "/docs?a=1", 304)


def test_behind_a_proxy_the_visitor_is_whom_the_proxy_named():
    line = nginx(address="127.0.0.1", http_x_forwarded_for="203.0.113.9, 10.0.0.1").encode()
    assert FORMATS["nginx-json"].parse(line).address == "203.0.113.9"
    line = nginx(address="198.51.100.1", http_x_forwarded_for="203.0.113.9").encode()
    assert FORMATS["nginx-json"].parse(line).address == "198.51.100.1"


_STAMP = f"[{DAY:%d/%b/%Y:%H:%M:%S %z}]"
_ASKED = f'{_STAMP} "GET /docs HTTP/1.1" 200 512 "-" "{CHROME}"'


@pytest.mark.parametrize(
    "prefix",
    [
        "Aug 01 10:00:00 web1 nginx: ",
        "Aug  1 10:00:00 web1 nginx[812]: ",
        "Aug 01 10:00:00 nginx: ",
        "<190>Aug 01 10:00:00 web1 nginx: ",
        "2026-08-01T10:00:00.123456+02:00 web1 nginx: ",
        "2026-08-01T10:00:00+0200 web1 nginx[812]: ",
        "<190>1 2026-08-01T10:00:00.003Z web1.example.com nginx 812 - - ",
        '<190>1 2026-08-01T10:00:00Z web1 nginx - - [origin ip="10.0.0.1"] \ufeff',
        "nginx-1  | ",
        "nginx.1    | ",
        "\x1b[36mnginx-1  |\x1b[0m ",
        "shop_web.1.k3f9@node-1    | ",
        "web-1  | 2026-08-01T10:00:00.123456789Z ",
        "2026-08-01T10:00:00.123456789Z ",
        "2026-08-01T10:00:00.123456789Z stdout F ",
        "2026-08-01T10:00:00.123456789+02:00 stderr F ",
        "[pod/web-7d4b9c/nginx] ",
        "[pod/web-7d4b9c/nginx] 2026-08-01T10:00:00.1Z ",
    ],
)
@pytest.mark.parametrize(("form", "line"), [("combined", combined()), ("caddy", caddy()), ("nginx-json", nginx())])
def test_what_something_else_wrote_before_a_line_is_taken_off(prefix, form, line):
    written = (prefix + line).encode()
    assert log_formats.detect([written]).name == form
    read = FORMATS[form].parse(written)
    assert (read.address, read.host, read.target) == ("203.0.113.7", FORMATS[form].parse(line.encode()).host, "/docs")
    assert int(FORMATS[form].moment(written)) == AT


@pytest.mark.parametrize("field", ["log", "MESSAGE", "message"])
@pytest.mark.parametrize(("form", "line"), [("combined", combined()), ("caddy", caddy()), ("nginx-json", nginx())])
def test_a_line_in_a_field_of_json_is_taken_out(field, form, line):
    written = json.dumps({"stream": "stdout", field: line + "\n", "time": "2026-08-01T10:00:00.1Z"}).encode()
    assert log_formats.detect([written]).name == form
    assert FORMATS[form].parse(written).address == "203.0.113.7"
    assert int(FORMATS[form].moment(written)) == AT


@pytest.mark.parametrize(
    ("head", "host", "address"),
    [
        ("203.0.113.7 - -", "", "203.0.113.7"),
        ("203.0.113.7 - Wilma Oddsworth", "", "203.0.113.7"),
        ("203.0.113.7 - Wilma O. van Oddsworth", "", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.9 - -", "", "203.0.113.7"),
        ("203.0.113.7,10.0.0.9 - -", "", "203.0.113.7"),
        ("203.0.113.7, 10.0.0.9 10.0.0.7 - -", "", "203.0.113.7"),
        ("203.0.113.7 10.0.0.7 - -", "", "203.0.113.7"),
        ("10.0.0.7 203.0.113.7 - -", "", "203.0.113.7"),
        ('"203.0.113.7, 10.0.0.9" 10.0.0.7 - -', "", "203.0.113.7"),
        ("10.0.0.7 (203.0.113.7) - -", "", "203.0.113.7"),
        ("- 203.0.113.7 - -", "", "203.0.113.7"),
        ("unknown, 203.0.113.7, 10.0.0.9 - -", "", "203.0.113.7"),
        ("192.0.2.1, 203.0.113.7, 10.0.0.9 - -", "", "203.0.113.7"),
        ("www.example.com 203.0.113.7 - -", "www.example.com", "203.0.113.7"),
        ("www.example.com:443 203.0.113.7 - Wilma", "www.example.com", "203.0.113.7"),
        ("www.example.com:443 203.0.113.7, 10.0.0.9 - -", "www.example.com", "203.0.113.7"),
        ("www.example.com:443 host0.isp.example.net - -", "www.example.com", "host0.isp.example.net"),
        ("host0.isp.example.net - -", "", "host0.isp.example.net"),
        ("host0.isp.example.net - Wilma Oddsworth", "", "host0.isp.example.net"),
        ("203.0.113.7 www.example.com - -", "www.example.com", "203.0.113.7"),
        ("_ 203.0.113.7 - -", "", "203.0.113.7"),
        ("2001:db8::7 - -", "", "2001:db8::7"),
        ("[2001:db8::7]:5011 - -", "", "[2001:db8::7]:5011"),
        ("2001:db8::7%eth0 - -", "", "2001:db8::7%eth0"),
        ("::ffff:203.0.113.7 - -", "", "::ffff:203.0.113.7"),
        ("203.0.113.7:5011 - -", "", "203.0.113.7:5011"),
        ("10.0.0.7 - -", "", "10.0.0.7"),
        ("- - -", "", ""),
        ("www.example.com - - -", "www.example.com", ""),
        ("unix: - -", "", ""),
    ],
)
def test_whose_request_it_was_and_at_which_host(head, host, address):
    read = FORMATS["combined"].parse(f"{head} {_ASKED}".encode())
    assert (read.host, read.address, read.agent) == (host, address, CHROME)


@pytest.mark.parametrize(
    ("behind", "address"),
    [
        (' "203.0.113.7"', "203.0.113.7"),
        (' "203.0.113.7, 10.0.0.9"', "203.0.113.7"),
        (" 203.0.113.7", "203.0.113.7"),
        (' "-"', "10.0.0.5"),
        (' "www.example.com" "203.0.113.7"', "203.0.113.7"),
        (' "203.0.113.7" rt=0.001 uct="0.000"', "203.0.113.7"),
        (' "192.0.2.1, 203.0.113.7"', "203.0.113.7"),
        (" 512 0.004 [shop-web-80] [] 198.51.100.5:8080 512 0.004 200 8f14", "10.0.0.5"),
        (' rt=0.1 "198.51.100.5:8080"', "10.0.0.5"),
    ],
)
def test_what_stands_behind_the_agent_may_be_what_a_proxy_said(behind, address):
    assert FORMATS["combined"].parse(f"10.0.0.5 - - {_ASKED}{behind}".encode()).address == address
    assert FORMATS["combined"].parse(f"198.51.100.1 - - {_ASKED}{behind}".encode()).address == "198.51.100.1"


def test_who_is_behind_a_proxy_of_a_public_address_is_told_once_it_is_named():
    hops = ("203.0.113.7", "192.0.2.200", "10.0.0.5")
    assert Visitors().of(hops)[1] == "192.0.2.200"
    assert Visitors(["192.0.2.0/24"]).of(hops)[1] == "203.0.113.7"
    assert Visitors(["2001:db8::/32"]).of(("2001:db8:f::1", "2001:db8::9")) == Visitors().of(("2001:db8:f::1",))


def test_two_hosts_of_one_provider_are_two_visitors_and_two_who_bring_a_name():
    one, other = (Visitors().of((f"{name}.isp.example.net",))[0] for name in ("host0", "HOST1"))
    assert one[:SITE_DIGITS] != other[:SITE_DIGITS]
    assert one == Visitors().of(("HOST0.isp.example.net",))[0]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([("10.0.0.5",)] * 3, ["All 3 requests come from one address. Is it your proxy?"]),
        (
            [("203.0.113.7",)] * 15 + [(f"198.51.100.{n}",) for n in range(9)],
            ["15 of 24 requests come from one address"],
        ),
        ([("203.0.113.7",), ("203.0.113.8",)] * 20, []),
        ([("203.0.113.7",)], []),
        (
            [(f"203.0.113.{n}", "10.0.0.5") for n in range(3)],
            ["3 requests came through a proxy: the visitor is the right-most"],
        ),
        ([(f"203.0.113.{n}", "192.0.2.9") for n in range(3)], ["3 requests name further addresses", "All 3 requests"]),
        ([("",), ("unix:",), ("203.0.113.7",)], ["2 requests have no address"]),
    ],
)
def test_what_looks_like_one_visitor_is_said(lines, said):
    visitors = Visitors()
    for hops in lines:
        visitors.of(hops)
    remarks = visitors.remarks()
    assert [remark.startswith(words) for remark, words in zip(remarks, said, strict=True)] == [True] * len(said)
    assert not any("." in word.strip(".") and word[0].isdigit() for remark in remarks for word in remark.split())


def test_nginx_without_its_escapes_is_read_all_the_same():
    line = nginx("/docs").replace("/docs", r"/caf\xC3\xA9").encode()
    assert FORMATS["nginx-json"].parse(line).target == "/cafÃ©"


def test_a_request_shows_nothing_of_itself():
    assert "203.0.113.7" not in repr(FORMATS["combined"].parse(combined().encode()))


def looked(path) -> log_files.ExaminedLog:
    return log_files.look(path, b"k" * 16, ground().span)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_packed_file_is_known_by_its_content_and_has_the_same_digest(tmp_path):
    plain, packed = log(tmp_path / "access.log", combined(), combined("/buy")), tmp_path / "old.log"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = looked(plain), looked(packed)
    assert (one.packed, other.packed) == (False, True)
    assert one.digest == other.digest and one.lines == other.lines == 2


def test_the_digest_is_keyed(tmp_path):
    path = log(tmp_path / "access.log", combined())
    span = ground().span
    assert log_files.look(path, b"a" * 16, span).digest != log_files.look(path, b"b" * 16, span).digest


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no user agents"),
        (b"hello\nworld\n", "unknown format"),
        (combined().rpartition(' "-"')[0].encode() + b"\n", "no user agents"),
        (combined().encode("utf-16"), "not UTF-8 text"),
        (b"\xfd7zXZ\x00", "compressed as xz"),
        (b"BZh91AY", "compressed as bzip2"),
        (b"\x28\xb5\x2f\xfd", "compressed as zstd"),
        (gzip.compress(combined().encode() * 100)[:-20], "damaged or truncated"),
        (gzip.compress(combined().encode() * 5_000)[:60] + b"rubbish" * 20, "damaged or truncated"),
        (b"\x1f\x8b", "damaged or truncated"),
    ],
)
def test_a_file_that_is_no_log_is_refused_and_nothing_of_it_is_said(tmp_path, content, said):
    path = tmp_path / "access.log"
    path.write_bytes(content)
    with pytest.raises(log_files.LogError, match=said) as caught:
        looked(path)
    assert "203.0.113" not in str(caught.value)


def test_a_small_file_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(log_files, "_SURELY_FINE", 1 << 20)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(combined().encode() + b"\n" + b"0" * (32 << 20)))
    with pytest.raises(log_files.LogError, match="far too much"):
        looked(path)


def test_a_line_of_any_length_takes_no_more_memory(tmp_path):
    path = tmp_path / "long.log"
    with path.open("wb") as file:
        file.write(combined().encode() + b"\n" + b"x" * (64 << 20) + b"\n" + combined("/buy").encode() + b"\n")
    looked(path)
    tracemalloc.start()
    one = looked(path)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 8 << 20
    assert (one.lines, sum(one.quarters.values()), one.bad.first) == (3, 2, [(2, "longer than 64 KiB")])


def test_lines_are_told_however_the_chunks_fall(monkeypatch, tmp_path):
    wanted = [b"a" * n for n in (0, 1, 5, 7, 8, 9, 40, 3)]
    (tmp_path / "x").write_bytes(b"\n".join(wanted))
    monkeypatch.setattr(log_files, "LONGEST_LINE", 8)
    for chunk in range(1, 30):
        monkeypatch.setattr(log_files, "_CHUNK", chunk)
        with (tmp_path / "x").open("rb") as file:
            assert list(log_files.lines_of(file)) == [one if len(one) <= 8 else len(one) for one in wanted], chunk


def test_bad_lines_are_told_by_number_and_reason_only(tmp_path):
    path = log(
        tmp_path / "access.log",
        *(combined(), "Wilma Oddsworth was here", "", combined(at=DAY.replace(year=2031))),
        *(combined(at=DAY.replace(year=2019)), combined("/buy")),
    )
    bad = looked(path).bad
    assert bad.first == [(2, "not in this format"), (4, "in the future"), (5, "older than the retention period")]


def test_a_file_without_a_line_that_can_be_counted_is_refused(tmp_path):
    with pytest.raises(log_files.LogError, match="no lines that can be counted"):
        looked(log(tmp_path / "access.log", combined(at=DAY.replace(year=2019))))
