import re

import pytest

from tests.front.client import Client, Fake, make_published
from troth.front import published
from troth.front.app import Front
from troth.front.channels.clerk_client import ClerkGone
from troth.front.forms.proof_of_work import ProofOfWork
from troth.front.http import log
from troth.shop.licences.revocation_path import path as revocations

SECRETS = {"altcha": "11" * 32, "buckets": "22" * 32}
PAGES = [
    "newsletter",
    "thanks/signup",
    "thanks/confirmed",
    "thanks/left",
    "nothing",
    "challenge",
    "confirm/x",
    "healthz",
]


@pytest.mark.parametrize("path", PAGES)
async def test_every_answer_carries_the_strict_headers(client, path):
    found = (await client.get(f"/troth/{path}")).headers
    csp = found["content-security-policy"]
    assert csp.startswith("default-src 'none'; ")
    assert "frame-ancestors 'none'" in csp
    assert "base-uri 'none'" in csp
    assert "form-action 'self' https://www.example.com;" in csp
    assert "unsafe" not in csp
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "no-referrer"
    assert found["cache-control"] == "no-store"
    assert found["strict-transport-security"].startswith("max-age=")
    assert "set-cookie" not in found
    assert "server" not in found


async def test_pages_carry_no_inline_script_or_style_and_nothing_from_elsewhere(client):
    for path in PAGES:
        text = (await client.get(f"/troth/{path}")).text
        assert "style=" not in text
        assert "<style" not in text
        assert not re.search(r"<script(?! src=\"/troth/assets/)", text)
        assert not re.search(r"\son\w+=", text)
        assert "evil.example" not in text  # the Host header that the client sends


async def test_assets_are_named_by_their_content_and_kept_for_ever(client):
    page = (await client.get("/troth/newsletter")).text
    names = re.findall(r'"(/troth/assets/[^"]+)"', page)
    assert len(names) == 3
    for name in names:
        answer = await client.get(name)
        assert answer.status == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await client.get("/troth/assets/front-0000000000000000.css")).status == 404
    assert (await client.get("/troth/assets/..%2fmain.py")).status == 404


async def test_the_embed_script_may_be_loaded_from_elsewhere_and_is_not_sent_twice(client):
    first = await client.get("/troth/embed.js")
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"
    again = await client.get("/troth/embed.js", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize(
    "path", ["/newsletter", "/trothnewsletter", "/", "/troth", "/troth/", "/troth/newsletter/", "/troth//newsletter"]
)
async def test_what_is_not_here_is_404(client, path):
    assert (await client.get(path)).status == 404


@pytest.mark.parametrize(("method", "path", "allow"), [
    ("PUT", "newsletter", "GET, HEAD, POST"), ("DELETE", "confirm/x", "GET, HEAD, POST"),
    ("POST", "thanks/left", "GET, HEAD"), ("OPTIONS", "challenge", "GET, HEAD"),
])  # fmt: skip
async def test_another_method_is_405_and_says_which_are_taken(client, method, path, allow):
    answer = await client.ask(method, f"/troth/{path}")
    assert (answer.status, answer.headers["allow"]) == (405, allow)


async def test_what_was_pasted_and_mailed_under_an_earlier_prefix_still_comes_in(client, front, line):
    front.publish(proof_of_work=0, prefix="/post", url="https://www.example.com/post", prefixes_before=["/troth", ""])
    for prefix in ("/post", "/troth", ""):
        assert (await client.sign_up(f"{prefix}/newsletter")).headers["location"] == "/post/thanks/signup"
    assert (await client.sign_up("/other/newsletter")).status == 404
    assert len(line.frames) == 3


async def test_without_a_prefix_the_pages_stand_at_the_root(client, front):
    front.publish(prefix="", url="https://news.example.com")
    page = await client.get("/newsletter")
    assert page.status == 200
    assert 'action="/newsletter"' in page.text


async def test_nothing_published_yet_is_503(tmp_path):
    client = Client(Front(tmp_path, SECRETS, Fake()))
    client.app.look()
    for path in ("/newsletter", "/healthz"):
        answer = await client.get(path)
        assert (answer.status, answer.headers["retry-after"]) == (503, "5")
        assert "content-security-policy" in answer.headers


async def test_too_many_connections_are_503(front, client):
    front._crowd = lambda: 100_000
    assert (await client.get("/troth/newsletter")).status == 503


async def test_a_new_generation_is_taken_up_and_a_broken_one_is_not(client, front, keys, tmp_path, capfd):
    front.publish(site_name="Second Example")
    assert "Second Example" in (await client.get("/troth/newsletter")).text
    published.write(tmp_path, make_published(keys, generation=50, sealing_key=b"short"))
    front.look()
    published.write(tmp_path, make_published(keys, generation=51, trusted_proxies=["not an address"]))
    front.look()
    (tmp_path / "gen-000000000052").mkdir()
    (tmp_path / "gen-000000000052" / "front.msgpack").write_bytes(b"\xc1 not msgpack")
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to("gen-000000000052")
    front.look()
    assert "Second Example" in (await client.get("/troth/newsletter")).text
    assert capfd.readouterr().err.count("published_unreadable") == 3


async def test_a_new_generation_does_not_refill_the_buckets(front, client):
    front.publish(proof_of_work=0, burst=1, refill_seconds=1000.0)
    assert (await client.sign_up()).status == 303
    front.publish(proof_of_work=0, burst=1, refill_seconds=1000.0, site_name="Renamed")
    assert (await client.sign_up()).status == 429


@pytest.mark.parametrize("path", ["newsletter", "confirm/x", "unsubscribe/x"])
async def test_plain_http_from_afar_is_refused(front, line, path):
    client = Client(front, peer="192.0.2.1")
    for method in ("GET", "POST"):
        answer = await client.ask(method, f"/troth/{path}")
        assert answer.status == 403
        assert "https://" in answer.text
    claimed = await client.sign_up(headers={"x-forwarded-proto": "https", "x-forwarded-for": "127.0.0.1"})
    assert claimed.status == 403
    assert not line.frames


async def test_a_named_proxy_says_whether_the_visitor_came_encrypted(front, line):
    front.publish(proof_of_work=0, trusted_proxies=["192.0.2.1"])
    client = Client(front, peer="192.0.2.1")
    told = {"x-forwarded-for": "198.51.100.7"}
    assert (await client.sign_up(headers=told)).status == 403
    assert (await client.sign_up(headers=told | {"x-forwarded-proto": "http"})).status == 403
    assert (await client.sign_up(headers=told | {"x-forwarded-proto": "https"})).status == 303
    assert len(line.frames) == 1


async def test_a_named_proxy_that_passes_on_no_address_is_counted_and_no_address_is_kept(front):
    front.publish(proof_of_work=0, trusted_proxies=["192.0.2.1"])
    client = Client(front, peer="192.0.2.1")
    assert (await client.get("/troth/healthz")).text == "ok 2\n", "nothing was forwarded"
    for told in ({"x-forwarded-proto": "https"}, {"x-real-ip": "198.51.100.7"}, {"x-forwarded-for": "198.51.100.7"}):
        await client.get("/troth/newsletter", **told)
    assert (await client.get("/troth/healthz")).text == "ok 2\nrequests without X-Forwarded-For: 2\n"
    assert "198.51" not in repr(vars(front._snapshot.proxies))


async def test_a_proxy_on_loopback_must_be_named(client, capfd):
    answer = await client.sign_up(headers={"x-forwarded-for": "198.51.100.7", "x-forwarded-proto": "https"})
    assert answer.status == 403
    assert "trusted_proxies" in answer.text
    assert "proxy_not_named" in capfd.readouterr().err


async def test_a_mistake_of_ours_is_a_500_that_repeats_nothing(client, monkeypatch, capfd):
    def broken(self, *_):
        raise LookupError("ada@example.org 4111111111111111")

    monkeypatch.setattr(ProofOfWork, "ticket", broken)
    answer = await client.get("/troth/newsletter?secret=ada@example.org", referer="https://evil.example/ada")
    assert answer.status == 500
    assert answer.headers["referrer-policy"] == "no-referrer"
    said = capfd.readouterr().err
    assert "exception=LookupError at=front/views/form_submission.py:" in said
    for text in (answer.text, said):
        assert "ada" not in text
        assert "4111" not in text


async def test_a_view_sees_neither_address_nor_query_nor_headers_beyond_a_few(client, monkeypatch):
    seen = {}

    async def spy(request):
        seen.update(request.scope)
        raise LookupError

    from troth.front import app

    monkeypatch.setattr(app._ROUTES[0], "endpoint", spy)
    await client.get("/troth/newsletter?x=4111111111111111", cookie="a=b", user_agent="Agent", referer="https://x.example",
                     x_forwarded_for="198.51.100.7", accept="text/html")  # fmt: skip
    everything = repr(seen)
    for gone in ("4111", "Agent", "x.example", "198.51", "a=b", "127.0.0.1", "evil.example"):
        assert gone not in everything
    assert "text/html" in everything


async def test_nothing_that_a_visitor_sends_is_logged(client, front, line, caplog, capfd):
    front.publish(trusted_proxies=["127.0.0.1"])
    head = {
        "x-forwarded-for": "198.51.100.7",
        "x-forwarded-proto": "https",
        "user-agent": "Canary/1",
        "referer": "https://canary.example",
    }
    for fields in (
        {"name": "Canary"},
        {"email": "canary"},
        {"canary": "x"},
        {"altcha": "canary"},
        {"telephone": "\0canary"},
    ):
        await client.sign_up(path="/troth/newsletter?canary", headers=head, **fields)
    await client.get("/troth/confirm/canary", **head)
    said = (caplog.text + "".join(capfd.readouterr())).lower()
    assert "event=published" in said
    for gone in ("canary", "198.51", "ada@"):
        assert gone not in said


def test_a_library_that_complains_is_named_and_not_repeated(capfd):
    import logging

    record = logging.LogRecord(
        "uvicorn.error", logging.WARNING, "x.py", 7, "bad request from %s", ("198.51.100.7",), None
    )
    log._Closed().emit(record)
    said = capfd.readouterr().err
    assert "by=uvicorn.error level=WARNING at=x:7" in said
    assert "198" not in said


def test_a_flood_of_one_event_is_counted_and_not_written(capfd):
    for _ in range(100):
        log.tell(log.LogEvent.CLERK_BUSY)
    assert capfd.readouterr().err.count("clerk_busy") == 1


async def test_the_thanks_page_is_the_same_for_everyone(client):
    one, other = await client.sign_up(), await client.sign_up(email="bob@example.org")
    assert (one.status, one.headers, one.body) == (other.status, other.headers, other.body)


async def test_health_says_whether_the_clerk_answers(front, client):
    assert (await client.get("/troth/healthz")).text == "ok 1\n"
    front._line.refusal = ClerkGone("The server is too busy right now.")
    answer = await client.get("/troth/healthz")
    assert answer.status == 503 and "the intake does not answer" in answer.text


async def test_the_list_of_revoked_licences_is_for_every_program(client, tmp_path):
    missing = await client.get("/troth/licences/revoked.json")
    assert missing.status == 404
    revocations(tmp_path).parent.mkdir()
    revocations(tmp_path).write_bytes(b'{"signed": ""}')
    answer = await client.get("/troth/licences/revoked.json")
    assert (answer.status, answer.text) == (200, '{"signed": ""}')
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"
    assert (await client.post("/troth/licences/revoked.json", {})).status == 405
