"""What stands before every page: the right host, strict headers, a token in every form, a sign-in."""

import re

import pytest

from tests.office.conftest import PAGES, browser

GET_ONLY = ["/", "/people/"]
POST_ONLY = ["/people/search/", "/look/"]


def policy(answer):
    told = {}
    for part in answer.headers["Content-Security-Policy"].split(";"):
        name, *sources = part.split()
        told[name] = sources
    return told


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/sign-in/"])
def test_every_page_is_closed_to_what_is_not_ours(desk, path):
    answer = (browser() if path == "/sign-in/" else desk).get(path)
    told = policy(answer)
    assert told["default-src"] == ["'none'"]
    assert told["script-src"] == told["style-src"] == told["connect-src"] == told["form-action"] == ["'self'"]
    assert told["frame-ancestors"] == told["base-uri"] == ["'none'"]
    whole = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in whole
    assert "http" not in whole
    assert "*" not in whole


@pytest.mark.parametrize("path", [*PAGES, "/nothing", "/sign-in/"])
def test_no_page_is_stored_framed_indexed_or_sniffed(desk, path):
    answer = desk.get(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert "camera=()" in answer.headers["Permissions-Policy"]


@pytest.mark.parametrize("path", [*PAGES, "/sign-in/"])
def test_no_page_has_an_inline_script_style_or_handler(desk, path):
    page = (browser() if path == "/sign-in/" else desk).get(path).content.decode()
    for script in re.findall(r"<script\b[^>]*>", page):
        assert " src=" in script
    assert not re.search(r"<style\b|\sstyle=|\son[a-z]+=|javascript:", page)
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//(?!127\.0\.0\.1)", page)


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example", "127.0.0.1", "[::1]", "", "localhost@evil.example"]
)
@pytest.mark.parametrize("path", ["/", "/sign-in/", "/static/x.css", "/welcome/x"])
def test_a_foreign_host_is_refused_before_anything_else(desk, path, host):
    answer = desk.client.get(path, headers={"host": host})
    assert answer.status_code == 400
    assert "Example Software" not in answer.content.decode() or "Invalid request" in answer.content.decode()


def test_a_file_is_refused_to_a_foreign_host_too(desk, settings):
    """The rest of the middleware looks at the host as well, but files are answered before it."""
    path = f"{settings.STATIC_URL}kit/console.css"
    assert desk.client.get(path, headers={"host": "evil.example"}).status_code == 400


def test_a_forwarded_host_changes_nothing(desk):
    answer = desk.client.get("/nothing", headers={"x-forwarded-host": "evil.example", "x-forwarded-proto": "https"})
    assert "evil.example" not in answer.content.decode()
    assert answer.status_code == 404


@pytest.mark.parametrize(
    "path",
    ["/people/search/", "/people/018f0000-0000-7000-8000-000000000000/consent/", "/look/", "/sign-in/", "/sign-out/",
     "/account/app/add/", "/account/app/remove/", "/account/codes/new/", "/account/password/"],
)  # fmt: skip
def test_a_form_without_its_token_is_refused(desk, path):
    client = browser(enforce_csrf_checks=True)
    client.cookies = desk.client.cookies
    answer = client.post(path, {"email": "ada@example.com", "look": "dark"})
    assert answer.status_code == 403
    page = answer.content.decode()
    assert "This form has expired" in page and "Your role" not in page


def test_a_form_from_another_origin_is_refused_even_with_a_token(desk):
    client = browser(enforce_csrf_checks=True)
    client.cookies = desk.client.cookies
    token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', client.get("/people/").content.decode())[1]
    typed = {"sought": "ada@example.com", "csrfmiddlewaretoken": token}
    assert client.post("/people/search/", typed, headers={"origin": "https://evil.example"}).status_code == 403
    assert client.post("/people/search/", typed).status_code == 200


@pytest.mark.parametrize("path", [*PAGES, "/people/018f0000-0000-7000-8000-000000000000/", "/sign-out/"])
def test_without_a_sign_in_every_page_leads_to_it(operator, path):
    answer = browser().get(path)
    assert answer.status_code == 302
    assert answer.headers["Location"].split("?")[0] in {"/sign-in/", "/"}


@pytest.mark.parametrize("path", GET_ONLY)
@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_what_is_read_takes_only_get(desk, path, method):
    assert getattr(desk.client, method)(path).status_code == 405


@pytest.mark.parametrize("path", POST_ONLY)
@pytest.mark.parametrize("method", ["get", "put", "delete", "patch"])
def test_what_is_sent_takes_only_post(desk, path, method):
    assert getattr(desk.client, method)(path).status_code == 405


def test_a_body_that_is_too_large_or_has_too_many_fields_is_refused(desk):
    assert desk.post("/people/search/", {"email": "x" * 300_000}).status_code in {400, 413}
    assert desk.post("/people/search/", {f"f{number}": "x" for number in range(200)}).status_code == 400


def test_a_look_is_kept_and_nothing_else_is(desk):
    answer = desk.post("/look/", {"look": "dark", "back": "/people/"})
    assert answer.headers["Location"] == "/people/"
    assert answer.cookies["look"].value == "dark"
    assert 'data-bs-theme="dark"' in desk.get("/").content.decode()
    assert desk.post("/look/", {"look": "pink"}).status_code == 400
    desk.client.cookies["look"] = '"><script>'
    assert 'data-bs-theme="auto"' in desk.get("/").content.decode()


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example", "/\\evil.example", "people/", ""])
def test_choosing_a_look_leads_nowhere_else(desk, back):
    assert desk.post("/look/", {"look": "dark", "back": back}).headers["Location"] == "/"


def test_files_are_kept_for_long_under_a_name_that_changes_with_them(operator, settings):
    answer = browser().get(f"{settings.STATIC_URL}kit/console.css")
    assert answer.status_code == 200
    assert b"".join(answer.streaming_content).startswith(b"/*")
    answer.close()
    assert "immutable" in answer.headers["Cache-Control"]
    assert re.fullmatch(r"/static/[0-9a-f]{8,}/", settings.STATIC_URL)
    assert browser().get("/static/older/kit/console.css").status_code == 404
