"""The demo's mail company, as a process of its own: what comes in is shown, and each fault can be tried."""

import asyncio
import contextlib
import email
import email.policy
import json
import signal
import smtplib
import subprocess
import sys

import httpx
import pytest

from tests.gate.relays import SITE, confirmation, dkim_file, settings
from troth.demo.mailbox import Mailbox
from troth.demo.mailpages import linked
from troth.gate.dkim import DkimKey
from troth.gate.mailer import Permanent, Post, Sent, Temporary, Uncertain


class Company:
    """A running mail company."""

    def __init__(self, process):
        self.process = process
        told = json.loads(process.stdout.readline())
        self.smtp, self.web = int(told["smtp"].rpartition(":")[2]), httpx.Client(base_url=told["mail"], timeout=10)

    def mode(self, mode, seconds=5):
        assert self.web.post("/mode", json={"mode": mode, "seconds": seconds}).status_code == 200

    def mails(self):
        return self.web.get("/messages.json").json()

    def send(self, mail=None, dkim=None, **changes):
        async def sending():
            async with Post(settings(self.smtp, **changes), dkim) as post:
                return await post.send(mail or confirmation())

        return asyncio.run(sending())


@contextlib.contextmanager
def running(*arguments):
    command = [sys.executable, "-W", "error", "-m", "troth.demo.mailcompany", "--smtp", "0", "--http", "0", "--json"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        company = Company(process)
        with company.web:
            yield company
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=15)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.fixture(scope="module")
def key_file(tmp_path_factory):
    return dkim_file(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def shared(key_file):
    with running("--dkim-key", str(key_file), "--dkim-selector", "troth", "--dkim-domain", "example.com") as company:
        yield company


@pytest.fixture
def company(shared):
    shared.mode("ok")
    shared.web.delete("/messages")
    return shared


def test_a_mail_is_listed_oldest_first_and_whole(company):
    assert [company.send(confirmation(f"{name}@example.com")) for name in ("ada", "bob")] == [Sent(), Sent()]
    first, second = company.mails()
    assert (first["recipient"], second["recipient"]) == ("ada@example.com", "bob@example.com")
    assert first["subject"] == "Please confirm your subscription: Newsletter (Example Software)"
    message = email.message_from_string(first["raw"], policy=email.policy.default)
    assert f"{SITE}/confirm/" in message.get_body(("plain",)).get_content()


def test_the_page_of_a_mail_shows_it_with_links_and_without_scripts(company):
    company.send(confirmation(site_name="<script>alert(1)</script>"))
    number = company.mails()[0]["number"]
    assert "Please confirm" in company.web.get("/").text
    page = company.web.get(f"/messages/{number}")
    assert f'<a href="{SITE}/confirm/{"A" * 116}"' in page.text
    assert "<script" not in page.text and 'sandbox="allow-popups' in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert company.web.get("/messages/999999").status_code == 404


@pytest.mark.parametrize(
    ("domain", "spoil", "verdict"),
    [("example.com", False, "good"), ("example.com", True, "bad"), ("example.net", False, "unknown")],
)
def test_signatures_are_checked(company, key_file, domain, spoil, verdict):
    content = DkimKey.load(key_file, domain, "troth").sign(b"From: news@example.com\r\nSubject: x\r\n\r\nHello\r\n")
    with smtplib.SMTP("localhost", company.smtp) as client:
        client.sendmail(
            "news@example.com", "ada@example.com", content.replace(b"Hello", b"Hullo") if spoil else content
        )
    assert [mail["dkim"] for mail in company.mails()] == [verdict]


def test_a_mail_signed_by_the_gate_is_good(company, key_file):
    company.send(dkim=DkimKey.load(key_file, "example.com", "troth"))
    assert company.mails()[0]["dkim"] == "good"
    assert "DKIM: valid signature" in company.web.get("/").text


def test_an_unsigned_mail_is_said_to_be(company):
    company.send()
    assert company.mails()[0]["dkim"] == "unsigned"


@pytest.mark.parametrize(
    ("mode", "outcome", "kept"),
    [
        ("refuse", Permanent(550, "no-such-address"), 0),
        ("tempfail", Temporary(451, "relay-busy"), 0),
        ("die-before-data", Temporary(0, "connection-lost"), 0),
        ("die-after-data", Uncertain("connection-lost"), 1),
        ("down", Temporary(0, "unreachable"), 0),
    ],
)
def test_each_fault_can_be_tried_and_ended(company, mode, outcome, kept):
    company.mode(mode)
    assert company.web.get("/mode").json()["mode"] == mode
    assert company.send() == outcome
    assert len(company.mails()) == kept
    company.mode("ok")
    assert company.send() == Sent()


def test_a_slow_relay(company):
    company.mode("slow", 0.4)
    assert company.send() == Sent()
    company.mode("slow", 30)
    assert company.send(timeout_seconds=0.2) == Temporary(0, "timeout")


@pytest.mark.parametrize("body", [{"mode": "explode"}, {}, [], {"mode": "slow", "seconds": -1}, {"mode": ["ok"]}])
def test_an_unknown_mode_is_refused(company, body):
    assert company.web.post("/mode", json=body).status_code == 422
    assert company.web.post("/mode", content=b"{").status_code == 422
    assert company.web.get("/mode").json()["mode"] == "ok"


def test_the_buttons_of_the_page_work(company):
    company.send()
    assert company.web.post("/mode", data={"mode": "die-after-data"}).status_code == 303
    assert company.web.get("/mode").json()["mode"] == "die-after-data"
    assert company.web.post("/clear", data={"x": "1"}).status_code == 303
    assert company.mails() == []
    assert company.web.post("/clear").status_code == 204


def test_it_ends_on_sigterm_even_in_the_middle_of_a_mail():
    with running() as company, smtplib.SMTP("localhost", company.smtp) as client:
        client.ehlo()
        client.mail("news@example.com")
        company.process.send_signal(signal.SIGTERM)
        company.process.wait(15)
        client.close()


def test_only_the_last_mails_are_kept():
    box = Mailbox(most=3)
    for number in range(5):
        box.keep("ada@example.com", f"Subject: {number}\r\n\r\n".encode())
    assert [mail.subject for mail in box] == ["2", "3", "4"]
    assert box.get(1) is None and box.get(5) is not None and len(box) == 3


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe", b"DKIM-Signature: x\r\n\r\n", b"Content-Type: text/plain; charset=no\r\n\r\nx"]
)
def test_a_strange_mail_is_kept_and_shown(content):
    box = Mailbox()
    box.keep("ada@example.com", content)
    mail = box.get(1)
    assert mail.subject and isinstance(mail.part("plain") + mail.part("html") + mail.raw, str)


def test_links_in_a_text_end_where_they_end():
    url = "https://a.test/x?y=1&amp;z=2"
    assert linked("See https://a.test/x?y=1&z=2. <b>") == f'See <a href="{url}" rel="noreferrer">{url}</a>. &lt;b&gt;'
