"""What the front's tests share: keys, a published site, a fake clerk, and a client that speaks ASGI."""

import asyncio
import base64
import json
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import urlencode

import altcha
import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from troth.clerk import protocol
from troth.contact.entry import ContactMessage
from troth.core import clock
from troth.core.epochs import epoch_of
from troth.core.purpose import BASIC
from troth.core.signed_links import LinkSigner
from troth.front.forms.labels import wording
from troth.front.published import ContactForm, NewsletterForm, Published, write
from troth.newsletter.entry import LinkUsed, Signup
from troth.supervisor.brief import Brief, pack
from troth.supervisor.day_key import fresh
from troth.vault.envelope import OpeningKey

CONSENT = "Send me the newsletter. I can leave at any time with one click."
BACK = "https://www.example.com/news.html"
CONTACT_BACK = "https://www.example.com/contact.html"
WORDING = wording(CONSENT)


class Keys:
    """The site's keys, private halves and all."""

    def __init__(self):
        self.site = uuid.uuid4()
        self.epoch = epoch_of(clock.now())
        self.opening = OpeningKey(self.site, self.epoch, OpeningKey.generate())
        signing = Ed25519PrivateKey.generate()
        self.verifying = signing.public_key().public_bytes_raw()
        self.signer = LinkSigner(self.site, 1, signing)

    def sign_up(self, envelope):
        return self.opening.open(envelope, Signup)

    def message(self, envelope):
        return self.opening.open(envelope, ContactMessage)

    def link_used(self, envelope):
        return self.opening.open(envelope, LinkUsed)


def make_published(keys, **changes):
    form = {
        "title": "Newsletter",
        "intro": "News.",
        "consent": CONSENT,
        "fields": list(BASIC),
        "required": ["email"],
    }
    form |= {"back": [BACK]} | changes.pop("form", {})
    contact = {
        "title": "Write to us", "intro": "A person reads it.", "fields": list(BASIC), "required": ["email"],
        "back": [CONTACT_BACK], "keep_days": 365,
    } | changes.pop("contact", {})  # fmt: skip
    facts = {
        "generation": 1, "site_id": keys.site.bytes, "site_name": "Example <Software>", "prefix": "/troth",
        "url": "https://www.example.com/troth", "privacy_url": "https://www.example.com/privacy", "accent": "#2f5d50",
        "epoch": keys.epoch, "sealing_key": keys.opening.public, "link_keys": {1: keys.verifying},
        "form": msgspec.convert(form, NewsletterForm),
        "contact": msgspec.convert(contact, ContactForm) if contact.pop("enabled", True) else None,
        "burst": 1000, "wait_seconds": 8,
    }  # fmt: skip
    return Published(**(facts | changes))


class Fake:
    """A clerk's line that keeps what it is handed, or raises what it is told to."""

    def __init__(self):
        self.frames, self.spent, self.refusal = [], set(), None

    async def hand(self, kind, body, *, once=None, until=0):
        from troth.front.channels.clerk_client import AlreadySpent

        await asyncio.sleep(0)
        if self.refusal:
            raise self.refusal
        if once in self.spent:
            raise AlreadySpent("This form was sent before.")
        self.spent |= {once} - {None}
        self.frames.append((kind, body, once, until))

    async def ping(self):
        if self.refusal:
            raise self.refusal


@dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def hidden(self, name):
        """The value of a hidden field."""
        found = re.search(rf'name="{name}" value="([^"]*)"', self.text)
        return found and found[1]


@dataclass
class Client:
    """Speaks to the application as uvicorn would."""

    app: object
    peer: str = "127.0.0.1"
    headers: dict = field(default_factory=dict)

    async def ask(self, method, path, body=b"", chunks=None, **headers):
        sent = {"host": "evil.example", **self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        path, _, query = path.partition("?")
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": path, "raw_path": path.encode(), "query_string": query.encode(), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
            "client": (self.peer, 4711), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        incoming = [{"type": "http.request", "body": part, "more_body": True} for part in (chunks or [body])]
        incoming[-1]["more_body"] = False
        outgoing = []

        async def receive():
            return incoming.pop(0) if incoming else await asyncio.Event().wait()

        async def send(message):
            outgoing.append(message)

        await self.app(scope, receive, send)
        head = {name.decode(): value.decode() for name, value in outgoing[0]["headers"]}
        return Answer(outgoing[0]["status"], head, b"".join(m.get("body", b"") for m in outgoing[1:]))

    async def get(self, path, **headers):
        return await self.ask("GET", path, **headers)

    async def post(self, path, fields=None, body=b"", **headers):
        if fields is not None:
            body = urlencode(fields).encode()
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
        return await self.ask("POST", path, body, content_length=str(len(body)), **headers)

    async def sign_up(self, path="/troth/newsletter", **fields):
        headers = fields.pop("headers", {})
        return await self.post(path, {"email": "ada@example.org", "wording": WORDING, **fields}, **headers)

    async def write(self, path="/troth/contact", **fields):
        headers = fields.pop("headers", {})
        return await self.post(path, {"email": "ada@example.org", "message": "Hello.", **fields}, **headers)


def solved(challenge):
    """The payload that a browser would send for `challenge` (JSON as served)."""
    made = altcha.Challenge.from_dict(challenge)
    solution = altcha.solve_challenge(made)
    told = {"challenge": challenge, "solution": {"counter": solution.counter, "derivedKey": solution.derived_key}}
    return base64.b64encode(json.dumps(told).encode()).decode()


class Serving:
    """The whole process on a loopback port, unfenced, with this test as its clerk."""

    def __init__(self, folder, keys, **changes):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        write(folder, make_published(keys, url=f"http://127.0.0.1:{self.port}/troth", **changes))
        self.clerk, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.clerk.settimeout(10)
        order, giver = os.pipe()
        self.ready, teller = os.pipe()
        brief = Brief(
            role="front", public=str(folder), listener=self.listener.fileno(), clerk=theirs.fileno(), ready=teller,
            secrets={"altcha": "11" * 32, "buckets": "22" * 32, "day": bytes(fresh(datetime.now(UTC).date())).hex()},
        )  # fmt: skip
        os.write(giver, pack(brief))
        os.close(giver)
        code = "import sys; from troth.supervisor.brief import receive; from troth.front.main import run; "
        code += "run(receive(int(sys.argv[1])))"
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code, str(order)],
            pass_fds=[order, self.listener.fileno(), theirs.fileno(), teller],
            stderr=subprocess.PIPE,
        )
        for descriptor in (order, teller):
            os.close(descriptor)
        theirs.close()

    def __enter__(self):
        assert os.read(self.ready, 1) == b"1", self.process.stderr.read().decode()
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)
        for thing in (self.process.stderr, self.listener, self.clerk):
            thing.close()
        os.close(self.ready)

    def acknowledge(self):
        """Take the next frame off the line and say that it is synced."""
        submission = protocol.parse(self.clerk.recv(protocol.MAX_PACKET))
        self.clerk.send(protocol.answer(submission.number, protocol.SYNCED))
        return submission

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=30)

    def raw(self, data):
        """Send bytes, return all that comes back until the front closes."""
        with self.connect() as line:
            line.sendall(data)
            return everything(line)

    def stop(self):
        """SIGTERM; the exit code and all that was said on standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=20)
        return self.process.returncode, said.decode()


def everything(line):
    got = b""
    try:
        while part := line.recv(65536):
            got += part
    except ConnectionResetError:
        pass
    return got
