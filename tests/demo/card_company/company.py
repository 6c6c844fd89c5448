"""The stand-in as a process, Stripe's own client that talks to it, and a receiver of its notices."""

import contextlib
import http.server
import json
import queue
import signal
import subprocess
import sys
import threading
import urllib.parse

import httpx
import requests
import stripe

VERSION = "2026-10-28.endive"
stripe.enable_telemetry = False


class Company:
    """A running stand-in."""

    def __init__(self, process):
        self.process = process
        facts = json.loads(process.stdout.readline())
        self.url, self.key = facts["url"], facts["secret_key"]
        self.web = httpx.Client(base_url=self.url, timeout=30, headers={"Authorization": f"Bearer {self.key}"})
        self._session = requests.Session()
        self._session.trust_env = False
        self.client = self.client_of(self.key)

    def client_of(self, key, **options):
        return stripe.StripeClient(
            key,
            stripe_version=options.pop("version", VERSION),
            base_addresses={"api": self.url},
            http_client=stripe.RequestsClient(session=self._session),
            **options,
        )

    def restricted(self, *permissions):
        return self.client_of(self.control("keys", permissions=permissions)["key"])

    def control(self, deed, /, **body):
        answer = self.web.post(f"/_control/{deed}", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def advance(self, seconds):
        self.control("clock", advance=seconds)
        return self.control("work")["done"]

    def fault(self, of, kind, **more):
        self.control("faults", of=of, kind=kind, **more)

    def deliveries(self):
        return self.web.get("/_control/deliveries").json()

    def price(self, amount=4900, currency="eur", **more):
        product = self.client.v1.products.create({"name": "Plainbook"})
        return self.client.v1.prices.create(
            {"product": product.id, "currency": currency, "unit_amount": amount, **more}
        )

    def session(self, price=None, **more):
        item = {"price": (price or self.price()).id, "quantity": 1}
        defaults = {"mode": "payment", "line_items": [item], "success_url": "https://shop.example.com/thanks"}
        return self.client.v1.checkout.sessions.create(defaults | more)

    def paid(self, method="success", **more):
        """A session that was paid by a named test card, asked for again."""
        session = self.session(**more)
        self.control("pay", session=session.id, method=method)
        return self.client.v1.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})

    def events(self, **more):
        return [event.type for event in self.client.v1.events.list({"limit": 100, **more}).data]


@contextlib.contextmanager
def running(*arguments):
    command = [sys.executable, "-W", "error", "-m", "troth.demo.card_company", "--port", "0", "--json"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        company = Company(process)
        with company.web:
            yield company
    finally:
        killed = process.poll() is not None  # by the test
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (-signal.SIGKILL if killed else 0, "", "")


class Receiver:
    """A webhook endpoint that keeps what it is told."""

    def __init__(self):
        self.notices = queue.Queue()
        self.statuses = []

    def next(self):
        return self.notices.get(timeout=30)

    def event(self, secret):
        body, signature = self.next()
        return stripe.Webhook.construct_event(body, signature, secret)


@contextlib.contextmanager
def receiving():
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            receiver.notices.put((body, self.headers["Stripe-Signature"]))  # first: the next one may come at once
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        receiver.url = f"http://localhost:{server.server_address[1]}/hook"
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def form(**fields):
    return urllib.parse.urlencode(fields)
