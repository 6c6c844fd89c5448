"""The sample vendor's website: built with the form in it, served with strict headers, nothing else served."""

import re
import signal
import subprocess
import sys

import httpx
import pytest

from tests.browser.house import free_ports
from troth.demo import vendor

_FRONT = "http://127.0.0.1:9"


@pytest.fixture(scope="module")
def website(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vendor")
    (folder / "secret.txt").write_text("not part of the website")
    vendor.build(
        folder / "pages",
        embed="<form data-troth></form>",
        contact="",
        mail="http://localhost:9",
        front="http://127.0.0.1:9",
    )
    port = free_ports(1)
    told = ["--folder", str(folder / "pages"), "--port", str(port), "--front", _FRONT]
    process = subprocess.Popen([sys.executable, "-m", "troth.demo.vendor", *told], stdout=subprocess.PIPE)
    assert process.stdout.readline() == b"ready\n"
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize("page", ["/", "/products.html", "/about.html", "/privacy.html", "/thanks.html", "/style.css"])
def test_every_page_is_there(website, page):
    assert httpx.get(website + page).status_code == 200


def test_the_form_stands_in_the_page_as_it_was_given(website):
    assert "<form data-troth></form>" in httpx.get(website).text


def test_where_the_policy_cannot_be_had_there_is_a_link_to_it(website):
    page = httpx.get(f"{website}/privacy.html?x=1").text
    assert f'<a href="{_FRONT}/privacy">' in page and "<!--#" not in page


def test_every_link_of_the_website_leads_somewhere(website):
    for page in ("/", "/products.html", "/about.html", "/privacy.html", "/thanks.html"):
        for link in re.findall(r'(?:href|src)="(/[^"#]*)', httpx.get(website + page).text):
            assert httpx.get(website + link).status_code == 200, (page, link)


def test_only_troths_front_may_be_asked_for_scripts_and_take_forms(website):
    policy = httpx.get(website).headers["content-security-policy"]
    assert f"form-action {_FRONT}" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("path", ["/nothing", "/../secret.txt", "/%2e%2e/secret.txt", "//etc/passwd"])
def test_nothing_else_is_served(website, path):
    answer = httpx.get(website + path)
    assert answer.status_code == 404
    assert "Page not found" in answer.text
