"""What is counted of an address names a page and never a person."""

import base64
import random
import string

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from troth.audience.counting.page_names import ADDRESS, EMAIL, KEY, LONGEST, NUMBER, Origin, mask, origin, page

OWN = frozenset({"example.com", "www.example.com"})


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://example.com", "/"),
        ("https://example.com/docs/", "/docs/"),
        ("https://example.com//docs///a", "/docs/a"),
        ("https://example.com/a%20b", "/a b"),
        ("https://example.com/preis%C3%BCbersicht", "/preisübersicht"),
        ("https://example.com/a?session=1&x=2#part", "/a"),
        ("https://[broken/a", "/"),
        ("/a\x00b\u202ec", "/a bc"),
        ("/at/12:30:45", "/at/12:30:45"),
        ("/perl/DB::File", "/perl/DB::File"),
        ("", "/"),
        ("/blog/2026/11/25/a-release-of-plainbook-4", "/blog/2026/11/25/a-release-of-plainbook-4"),
        ("/blog/2026-11-25", "/blog/2026-11-25"),
        (
            "/docs/v4.12.3/how-to-import-bank-statements-from-csv",
            "/docs/v4.12.3/how-to-import-bank-statements-from-csv",
        ),
        ("/download/plainbook-4-linux-x86", "/download/plainbook-4-linux-x86"),
    ],
)
def test_a_page_is_its_path(address, wanted):
    assert page(address) == wanted


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("/u/ada@example.com/mails", f"/u/{EMAIL}/mails"),
        ("/u/ada%40example.com", f"/u/{EMAIL}"),
        ("/u/ada%2540example.com", f"/u/{EMAIL}"),
        ("/u/ada%252540example.com", f"/u/{EMAIL}"),
        ("/u/ada%E2%80%8B@example.com", f"/u/{EMAIL}"),
        ("/u/ada@%C2%ADexample.com", f"/u/{EMAIL}"),
        ("/u/ada%EF%BC%A0example.com", f"/u/{EMAIL}"),
        ("/u/bounce+ada=example.org@list.example.com", f"/u/{EMAIL}"),
        ("/from/2001:db8:1:2::1", f"/from/{ADDRESS}"),
        ("/from/fe80::1", f"/from/{ADDRESS}"),
        ("/from/2001:DB8::ff", f"/from/{ADDRESS}"),
        ("/call/+49-30-1234567", f"/call/{NUMBER}"),
        ("/order/20931187", f"/order/{NUMBER}"),
        ("/card/4111 1111 1111 1111", f"/card/{NUMBER}"),
        ("/reset/9f86d081884c7d659a2feaa0c55ad015", f"/reset/{KEY}"),
        ("/invite/c9bf9e57-1685-4c89-bafb-ff5af830be8a", f"/invite/{KEY}"),
        ("/s/eyJhbGciOiJIUzI1NiJ9eyJzdWIiOiIxIn0", f"/s/{KEY}"),
        ("/confirm/AQEBAaIS7Q4gcAC6nKCyVwjbhGsJh583jbk", f"/confirm/{KEY}"),
    ],
)
def test_what_could_name_a_person_is_masked(address, wanted):
    assert page(address) == wanted


_READABLE = """
/security/cve-2022-21658
/security/CVE-2024-24576
/CVE-2021-44228-log4shell-explained
/blog/log4j-vulnerability-statement
/blog/why-you-should-enable-2fa-today
/docs/i18n-and-localization-guide
/blog/company-news-for-february
/blog/why-2fa-and-i18n-on-k8s-with-log4j-in-3d-for-the-1st-time
/blog/2026-11-25-release-notes
/blog/25-11-2026-news
/archive/2024-2025-2026
/events/2026-11-25-2026-11-27
/release-notes-20261125-stable-channel
/iso-27001-2022
/docs/iso/iec-27001-2022-certification
/rfc-9110
/rfc9110-and-rfc9111-explained-in-plain-words
/rustsec-2022-0001
/rhsa-2024-1234
/pysec-2021-123
/kb5034441
/ghsa-jfh8-c2jp-5v3q
/v120.0.6099.109
/releases/10.0.19045.3693
/plainbook-4.10.2-linux-x86_64
/plainbook-for-linux-x86-64-and-arm64
/1-000-000-downloads
/how-we-reached-10-000-000-users
/GettingStartedWithKubernetes
/datenschutzgrundverordnung
/nvidia-rtx-4090-vs-amd-rx-7900-xtx
/samsung-galaxy-s24-ultra-5g-256gb
/intel-core-i7-13700k-benchmark
/iso-3166-1-alpha-2-country-codes
/deadbeef-and-other-hex-words
/effacedfacade
/http2-vs-http3-what-changed
/python-3-14-0rc1-is-out-now
/html5-css3-es2022-cheatsheet
/how-to-parse-htmlspecialchars-in-php-8
/migrating-from-mysql-to-postgresql
/docs/authentication/oauth2-pkce-flow
/what-is-new-in-version-4-10-2
/1080p-vs-4k-video-streaming-guide
/the-2020s-so-far-a-retrospective
/iphone-15-pro-max-review
/covid-19-and-our-support-team
/c-sharp-vs-java-21-lts-performance
/getting-started-with-wireguard-vpn
/nist-sp-800-53
/fips-140-3
/pep-0008
/ean-13-barcode-generator
/windows-server-2022-vs-2019-vs-2016
/black-friday-2026-24h-sale
/how-to-fix-error-0x80070005-access-denied
/log4shell-cve-2021-44228-and-cve-2021-45046
/mp3-vs-aac-320kbps-comparison
/utf8mb4_unicode_520_ci-collation
/sha256-vs-sha3-512-blake2b
/iphone15promax-review-2023
/rtx4090-vs-rtx4080super
/h264-h265-av1-vp9-codecs
/aes256gcm-in-10-minutes
/1000000-users-how-we-scaled
/docs/react@18.2.0/hooks
/docs/pkg@v2
/die-schoensten-wanderwege-in-oesterreich
""".split()


@pytest.mark.parametrize("path", _READABLE)
def test_what_people_can_read_stays(path):
    assert page(path) == path


_HIDDEN = """
/call/555-123-4567
/call/5550001000
/react@18.2.example.com
/0x9f86d081884c7d65
/call/0151-23456789
/call/+49 (0) 30 - 12 34 567
/call/030_1234567
/call/555‑123‑4567
/call/06.12.34.56.78
/call/49-0-30-1234567
/ip/192.168.100.200
/v192.168.100.200
/version/192.168.100.200
/order/2024-00123456
/invoice-2024-0012345
/cve-4111111111111111
/cve-2022-49301234567
/scve-2022-21658
/license/7F4K2-9QX3M-P8R6T-W2V5Y
/reset-password-for-account-a1b2c3d4
/qzxkjvbwpfmgtrlhdnsc
/01ARZ3NDEKTSV4RRFFQ69G5FAV
/V1StGXR8_Z5jdHi6B-myT
/xKfQ-mZpLwTRbvY_hGjkdsSaw
""".strip().splitlines()


@pytest.mark.parametrize("path", _HIDDEN)
def test_what_looks_like_it_and_could_name_a_person_does_not(path):
    masked = page(path)
    secret = path.rpartition("/")[2]
    assert secret not in masked and any(word in masked for word in (NUMBER, KEY, EMAIL))


_LETTERS, _BOTH = string.ascii_lowercase, string.ascii_letters + string.digits
_KEYS = {
    "base64url": (lambda draw: base64.urlsafe_b64encode(draw.randbytes(16)).decode().rstrip("="), 0.002),
    "base32": (lambda draw: base64.b32encode(draw.randbytes(16)).decode().rstrip("="), 0.002),
    "small letters": (lambda draw: "".join(draw.choices(_LETTERS, k=20)), 0.05),
    "letters": (lambda draw: "".join(draw.choices(string.ascii_letters, k=20)), 0.01),
    "letters and digits": (lambda draw: "".join(draw.choices(_BOTH, k=20)), 0.002),
    "licence key": (lambda draw: "-".join("".join(draw.choices(_BOTH, k=5)) for _ in range(5)), 0.01),
}


@pytest.mark.parametrize("kind", _KEYS)
def test_of_random_keys_few_are_taken_for_words(kind):
    make, share = _KEYS[kind]
    draw = random.Random(7)
    keys = [make(draw) for _ in range(5_000)]
    assert sum(mask(key) == key for key in keys) < share * len(keys)


def test_what_is_cut_was_masked_before():
    for room in range(LONGEST - 30, LONGEST):
        assert "ada.lovelace"[:3] not in page(f"/{'x/' * (room // 2)}ada.lovelace@example.com")
        assert "09f8" not in page(
            "/find?q=" + "x " * (room // 2) + "09f86d081884c7d659a2feaa0c55ad015", frozenset({"q"})
        )


def test_of_a_query_only_what_is_allowed_stays_masked_and_sorted():
    address = "/find?q=ada@example.com&page=2&token=abc&lang=de"
    assert page(address, frozenset({"q", "lang", "page"})) == f"/find?lang=de&page=2&q={EMAIL}"


@pytest.mark.parametrize("written", ["ada@example.com", "ada%40example.com", "ada%2540example.com"])
def test_an_encoding_hides_no_e_mail_address_in_a_query(written):
    assert page(f"https://example.com/find?q={written}", frozenset({"q"})) == f"/find?q={EMAIL}"
    assert origin("", f"https://example.com/?utm_campaign={written}", OWN).campaign == EMAIL
    assert origin("", f"https://example.com/?utm_source={written}", OWN).source == EMAIL


@pytest.mark.parametrize(
    ("address", "wanted"),
    [
        ("https://example.com/app#/docs/install", "/app#/docs/install"),
        ("https://example.com/app?v=1#!docs", "/app?v=1#!docs"),
        ("https://example.com/app#install", "/app"),
        ("https://example.com/#/ada@example.org", "/#/(e-mail)"),
        ("https://example.com/#/ada%2540example.org", "/#/(e-mail)"),
        ("https://example.com/é#/é", "/é#/é"),
    ],
)
def test_a_route_behind_the_hash_is_a_page_where_it_is_asked_for(address, wanted):
    assert page(address, {"v"}, routes=True) == wanted
    assert "#" not in page(address, {"v"})


@given(st.text(max_size=4_000))
def test_a_page_is_always_short_and_shown_on_one_line(address):
    found = page(address)
    assert found.startswith("/") and len(found) <= LONGEST + 1 and found.isprintable()


@given(
    st.from_regex(r"[a-z0-9.]{1,12}@[a-z]{2,10}\.(com|org|de)", fullmatch=True),
    st.sampled_from(["/a/%s", "/%s", "/x?q=%s"]),
)
def test_no_e_mail_address_ever_stays(address, shape):
    assert address not in page(shape % address, frozenset({"q"}))


@pytest.mark.parametrize("address", ["ada@1@example.com", "ada@18.2.0@example.com", "ada@=b@example.com"])
def test_an_address_behind_what_could_be_a_package_is_masked(address):
    assert "example" not in mask(address) and mask("react@18.2.0") == "react@18.2.0"


@given(st.text(max_size=300))
@example("%@0@0")
@example("%@a@a")
@example("a@=b@c")
def test_masking_twice_changes_nothing_more(text):
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    ("referrer", "address", "wanted"),
    [
        ("", "/", Origin()),
        ("https://www.example.com/other", "/", Origin()),
        ("https://www.google.de/search?q=ada", "/", Origin("Google", "search")),
        ("https://search.yahoo.co.jp/x", "/", Origin("Yahoo", "search")),
        ("https://googlefonts.example.org/", "/", Origin("googlefonts.example.org", "link")),
        ("https://news.ycombinator.com/item?id=1", "/", Origin("Hacker News", "social")),
        ("https://out.reddit.com/r/x", "/", Origin("Reddit", "social")),
        ("https://chatgpt.com/", "/", Origin("ChatGPT", "assistant")),
        ("https://mail.example.net/inbox/4", "/", Origin("Mail", "mail")),
        ("https://blog.example.org/post", "/", Origin("blog.example.org", "link")),
        ("", "/?utm_source=letter&utm_medium=email&utm_campaign=November", Origin("letter", "mail", "November")),
        ("", "/?utm_source=google&utm_medium=cpc", Origin("google", "paid")),
        ("https://t.co/x", "/?utm_campaign=launch", Origin("X", "social", "launch")),
        ("", "/?utm_campaign=ada@example.com", Origin("", "campaign", EMAIL)),
        ("javascript:alert(1)", "/", Origin()),
        ("https://ada:secret@blog.example.org/", "/", Origin("blog.example.org", "link")),
    ],
)
def test_where_a_visit_came_from(referrer, address, wanted):
    assert origin(referrer, address, OWN) == wanted
