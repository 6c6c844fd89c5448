"""The snippet in a real browser: what it sends, when, and that it keeps nothing."""

import gzip
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from troth.audience import hit

SNIPPET = Path(hit.__file__).with_name("t.js")
PAGE = """<!doctype html><title>A page</title><script src="/t.js" %s></script>
<a id="file" href="/plainbook-4.zip" download>Download</a> <a id="out" href="http://127.0.0.1:9/away">Away</a>
<button id="trial" data-troth="trial">Try</button>"""


class _Vendor(BaseHTTPRequestHandler):
    def do_GET(self):
        body, kind = PAGE.encode() % (b"data-missing" if "gone" in self.path else b""), "text/html"
        if self.path == "/t.js":
            body, kind = SNIPPET.read_bytes(), "text/javascript"
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.hits.append((body, self.headers.get("Cookie")))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        return


@pytest.fixture
def vendor():
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Vendor)
    server.hits = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser, vendor):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})")
    page = context.new_page()
    page.url_of = lambda path: f"http://127.0.0.1:{vendor.server_port}{path}"
    yield page
    context.close()


def _hits(page, vendor, count: int) -> list[hit.Hit]:
    for _ in range(100):
        if len(vendor.hits) >= count:
            break
        page.wait_for_timeout(30)
    assert len(vendor.hits) == count, [dict(parse_qsl(body.decode())) for body, _ in vendor.hits]
    return [hit.parse(body) for body, _ in vendor.hits]


def test_it_is_smaller_than_a_thousand_bytes():
    assert len(gzip.compress(SNIPPET.read_bytes(), 9)) < 1_000


def test_a_page_is_counted_as_it_is_shown(page, vendor):
    page.goto(page.url_of("/docs?x=1"), referer="https://example.org/list")
    (view,) = _hits(page, vendor, 1)
    assert view.kind == "v" and view.url.endswith("/docs?x=1") and view.referrer == "https://example.org/list"
    assert view.width == 1280


def test_a_route_of_a_single_page_application_is_a_page(page, vendor):
    page.goto(page.url_of("/"))
    page.evaluate("history.pushState({}, '', '/two'); history.pushState({}, '', '/two'); history.back()")
    views = [one for one in _hits(page, vendor, 2) if one.kind == "v"]
    assert [one.url.rpartition("/")[2] for one in views] == ["", "two"]
    assert views[1].referrer == page.url_of("/")


def test_time_is_what_the_page_was_really_looked_at(page, vendor):
    page.goto(page.url_of("/"))
    page.wait_for_timeout(1_300)
    page.goto(page.url_of("/two"))
    told = _hits(page, vendor, 3)
    (time,) = [one for one in told if one.kind == "t"]
    assert time.url == page.url_of("/") and time.seconds == 1


def test_downloads_links_that_lead_away_and_events(page, vendor):
    page.goto(page.url_of("/"))
    _hits(page, vendor, 1)
    with page.expect_download():
        page.click("#file")
    page.click("#trial")
    page.evaluate("troth('by hand')")
    page.evaluate("document.querySelector('#out').addEventListener('click', e => e.preventDefault())")
    page.click("#out")
    told = {(one.kind, one.name.rpartition("/")[2]) for one in _hits(page, vendor, 5)}
    assert told >= {("d", "plainbook-4.zip"), ("e", "trial"), ("e", "by hand"), ("o", "away")}


def test_a_page_that_is_missing_says_so(page, vendor):
    page.goto(page.url_of("/gone"))
    assert _hits(page, vendor, 1)[0].kind == "m"


def test_nothing_is_stored_and_no_cookie_is_sent(page, vendor):
    page.goto(page.url_of("/"))
    _hits(page, vendor, 1)
    kept = "[document.cookie, localStorage.length, sessionStorage.length, (await indexedDB.databases()).length]"
    assert page.evaluate(f"(async () => {kept})()") == ["", 0, 0, 0]
    assert {cookie for _, cookie in vendor.hits} == {None}


def test_a_browser_that_is_driven_by_a_program_is_not_counted(browser, vendor):
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{vendor.server_port}/")
    page.wait_for_timeout(300)
    assert not vendor.hits
    page.close()
