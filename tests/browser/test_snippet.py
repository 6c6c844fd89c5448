"""The snippet in a real browser: what it sends, when, and that it keeps nothing."""

import gzip
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl

import pytest

from tests.browser.conftest import ARGUMENTS, chromium
from troth.audience.counting import hit
from troth.audience.script import script

PAGE = """<!doctype html><title>A page</title><script src="/t.js" %s></script>
<a id="file" href="/plainbook-4.zip" download>Download</a> <a id="out" href="http://127.0.0.1:9/away">Away</a>
<button id="trial" data-troth="trial">Try</button>"""

_TAG = '<script src="/t.js"></script>'
_PUT_IN = """<script>
// As programs do that fetch the next page and put it into this one: the address first, the scripts of the body again.
document.onclick = async event => {
  const link = event.target.closest('#next')
  if (!link) return
  event.preventDefault()
  history.replaceState({at: scrollY}, '')
  history.pushState({}, '', link.href)
  const fetched = new DOMParser().parseFromString(await (await fetch(link.href)).text(), 'text/html')
  history.replaceState({shown: true}, '', link.href)
  document.body.replaceWith(document.adoptNode(fetched.body))
  for (const old of document.body.querySelectorAll('script')) {
    const script = document.createElement('script')
    script.src = old.src
    old.replaceWith(script)
  }
}
</script>"""


def _put_in(where: str, number: int) -> str:
    head, body = {"head": (_TAG, ""), "body": ("", _TAG), "twice": (_TAG, _TAG + _TAG)}[where]
    link = f'<a id="next" href="/{where}/{number + 1}">Next</a>'
    return f"<!doctype html><head>{_PUT_IN}{head}</head><body><h1>{number}</h1>{link}{body}</body>"


PAGES = {
    "/contents": f"<!doctype html>{_TAG}"
    + "".join(f'<a id="to{number}" href="#at{number}">{number}</a><h2 id="at{number}"></h2>' for number in range(5)),
    "/filter": f"""<!doctype html>{_TAG}
    <input id="words" oninput="history.replaceState(null, '', '?q=' + this.value)">""",
    "/frame": f'<!doctype html>{_TAG}<iframe src="/inner"></iframe>',
    "/ahead": f"""<!doctype html>{_TAG}<a id="later" href="/shown-later">Later</a>
    <script type="speculationrules">{{"prerender": [{{"urls": ["/shown-later"]}}]}}</script>""",
    **{f"/{where}/{number}": _put_in(where, number) for where in ("head", "body", "twice") for number in range(1, 7)},
}
_HIDDEN = """{
  let state = 'hidden'
  Object.defineProperty(Document.prototype, 'visibilityState', {get: () => state})
  window.show = () => { state = 'visible'; document.dispatchEvent(new Event('visibilitychange')) }
}"""


class _Vendor(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append(self.path)
        name = self.path.partition("?")[0]
        body, kind = PAGES.get(name, PAGE % ("data-missing" if "gone" in name else "")).encode(), "text/html"
        if self.path == "/t.js":
            body, kind = self.server.script, "text/javascript"
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
    server.hits, server.asked, server.script = [], [], script()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def page(browser, vendor):
    yield from _page(browser, vendor)


@pytest.fixture
def lasting_page(browser, vendor):
    """In a browser that keeps a page that was left and makes pages ahead, as people's browsers do; Playwright turns the
    first off."""
    with_all = {"ignore_default_args": ["--disable-back-forward-cache"], "args": ARGUMENTS}
    browser = browser.browser_type.launch(executable_path=chromium(whole=True), **with_all)
    yield from _page(browser, vendor)
    browser.close()


def _page(browser, vendor):
    context = browser.new_context()
    context.add_init_script("Object.defineProperty(Navigator.prototype, 'webdriver', {get: () => false})")
    page = context.new_page()
    page.url_of = lambda path: f"http://127.0.0.1:{vendor.server_port}{path}"
    yield page
    context.close()


def _hits(page, vendor, count: int) -> list[hit.Hit]:
    for _ in range(600):
        if len(vendor.hits) >= count:
            break
        page.wait_for_timeout(30)
    assert len(vendor.hits) == count, [dict(parse_qsl(body.decode())) for body, _ in vendor.hits]
    return [hit.parse(body) for body, _ in vendor.hits]


def test_it_is_smaller_than_twelve_hundred_bytes():
    size = len(gzip.compress(script(), 9))
    assert size < 1_200, "each page of a site loads it; docs/statistics.md says its size: shorten it"


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


def _views(page, vendor) -> list[str]:
    """The pages of the views, once none can follow."""
    page.wait_for_timeout(700)
    hits = [hit.parse(body) for body, _ in vendor.hits]
    return [one.url.removeprefix(page.url_of("/")) for one in hits if one.kind == "v"]


def test_each_of_several_routes_in_one_moment_is_a_page_and_so_are_those_of_back_and_forward(page, vendor):
    page.goto(page.url_of("/1"))
    page.evaluate("for (const path of ['/2', '/3', '/4', '/5']) history.pushState({}, '', path)")
    assert sorted(_views(page, vendor)) == ["1", "2", "3", "4", "5"], "sent in one moment, each on a way of its own"
    page.evaluate("history.go(-3)")
    assert _views(page, vendor)[5:] == ["2"]
    page.evaluate("history.forward()")
    assert _views(page, vendor)[6:] == ["3"]


def test_a_route_that_another_replaces_at_once_was_no_page(page, vendor):
    page.goto(page.url_of("/1"))
    page.evaluate("history.pushState({}, '', '/account'); history.replaceState({}, '', '/account/login')")
    assert _views(page, vendor) == ["1", "account/login"]
    page.evaluate("history.replaceState({}, '', '/other')")
    assert _views(page, vendor)[2:] == ["other"]


def test_a_place_within_the_page_is_no_page(page, vendor):
    page.goto(page.url_of("/contents"))
    for number in range(5):
        page.click(f"#to{number}")
    page.go_back()
    assert _views(page, vendor) == ["contents"]


def test_a_search_box_that_writes_into_the_address_is_no_page_nor_is_a_tab(page, vendor):
    page.goto(page.url_of("/filter"))
    page.type("#words", "sleeping")
    page.evaluate("history.pushState({}, '', '?tab=2')")
    assert _views(page, vendor) == ["filter"]


def test_an_allowed_parameter_makes_another_page_once_it_is_typed(page, vendor):
    vendor.script = script(["version", "q"])
    page.goto(page.url_of("/filter?utm_source=list"))
    page.evaluate("history.pushState({}, '', '?utm_source=list&version=2')")
    page.evaluate("history.pushState({}, '', '?version=2&tab=1')")
    page.type("#words", "deep", delay=40)
    assert _views(page, vendor) == ["filter?utm_source=list", "filter?utm_source=list&version=2", "filter?q=deep"]


@pytest.mark.parametrize(("routes", "views"), [(False, [""]), (True, ["", "#/docs/install", "#!pricing"])])
def test_what_stands_behind_the_hash_is_a_page_only_where_the_setting_says_so(page, vendor, routes, views):
    vendor.script = script(hash_routes=routes)
    page.goto(page.url_of("/#top"))
    page.evaluate("location.hash = '#/docs/install'")
    page.wait_for_timeout(50)
    page.evaluate("location.hash = '#!pricing'")
    page.wait_for_timeout(400)
    page.evaluate("location.hash = '#!pricing'")
    assert _views(page, vendor) == views


def test_a_page_that_comes_back_out_of_the_cache_is_a_view_and_its_time_counts(lasting_page, vendor):
    page = lasting_page
    page.goto(page.url_of("/one"))
    page.evaluate("window.same = true")
    page.goto(page.url_of("/two"))
    began = time.monotonic()
    page.evaluate("history.back()")
    _hits(page, vendor, 3)
    assert page.evaluate("window.same"), "the browser kept no page: this shows nothing"
    page.wait_for_timeout(1_300)
    page.evaluate("history.forward()")
    hits = _hits(page, vendor, 5)
    told = [(one.kind.value, one.url.rpartition("/")[2]) for one in hits]
    assert told[:3] == [("v", "one"), ("v", "two"), ("v", "one")]
    assert sorted(told[3:]) == [("t", "one"), ("v", "two")], "which of them comes first is not certain"
    stayed = [one.seconds for one in hits if one.kind.value == "t"]
    assert len(stayed) == 1 and 1 <= stayed[0] <= time.monotonic() - began
    assert hits[2].referrer == page.url_of("/one"), "where it came from the first time is told once"


@pytest.mark.parametrize("where", ["head", "body", "twice"])
def test_five_pages_are_five_views_where_a_script_puts_them_into_the_first(page, vendor, where):
    page.goto(page.url_of(f"/{where}/1"))
    for number in range(2, 6):
        page.click("#next")
        page.wait_for_function(f"document.querySelector('h1').textContent == '{number}'")
    assert _views(page, vendor) == [f"{where}/{number}" for number in range(1, 6)]


def test_a_page_in_a_frame_is_a_part_of_the_page_around_it(page, vendor):
    page.goto(page.url_of("/frame"))
    page.frame_locator("iframe").locator("#trial").click()
    page.evaluate("frames[0].history.pushState({}, '', '/elsewhere')")
    assert _views(page, vendor) == ["frame"]
    assert [one.name for one in map(hit.parse, (body for body, _ in vendor.hits)) if one.kind == "e"] == ["trial"]


def test_a_page_is_a_view_once_it_is_seen(page, vendor):
    page.add_init_script(_HIDDEN)
    page.goto(page.url_of("/behind"))
    page.evaluate("history.pushState({}, '', '/behind/more')")
    assert _views(page, vendor) == []
    page.evaluate("show()")
    assert _views(page, vendor) == ["behind/more"]


def test_a_page_that_was_made_ahead_is_a_view_once_it_is_shown(lasting_page, vendor):
    page = lasting_page
    page.goto(page.url_of("/ahead"))
    page.wait_for_timeout(1_000)
    assert vendor.asked.count("/shown-later") == 1, "the browser made no page ahead: this shows nothing"
    assert _views(page, vendor) == ["ahead"]
    page.click("#later")
    page.wait_for_url("**/shown-later")
    assert _views(page, vendor) == ["ahead", "shown-later"]
    assert vendor.asked.count("/shown-later") == 1


def test_a_page_that_is_loaded_again_or_takes_the_place_of_another_is_a_view(page, vendor):
    page.goto(page.url_of("/one"))
    page.reload()
    page.evaluate("location.replace('/two')")
    page.wait_for_url("**/two")
    page.evaluate("location.replace('#place')")
    assert _views(page, vendor) == ["one", "one", "two"]


def test_who_asks_by_the_signal_is_told_of_by_that_alone(page, vendor):
    page.add_init_script("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true})")
    page.goto(page.url_of("/one?x=1"))
    page.click("#trial")
    _hits(page, vendor, 2)
    assert [body for body, _ in vendor.hits] == [b"k=v&g=1", b"k=e&g=1"]


def test_time_is_what_the_page_was_really_looked_at(page, vendor):
    began = time.monotonic()
    page.goto(page.url_of("/"))
    page.wait_for_timeout(1_300)
    page.goto(page.url_of("/two"))
    told = _hits(page, vendor, 3)
    (stay,) = [one for one in told if one.kind == "t"]
    assert stay.url == page.url_of("/") and 1 <= stay.seconds <= time.monotonic() - began


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
