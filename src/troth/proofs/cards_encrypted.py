"""Proofs of B1: a buyer's card number and details are encrypted as they cross the internet. May touch: the site's own
front; the database, through the keeper; the port of the proofs' own relay, to which our client for the card company is
led."""

import contextlib
import email
import email.policy
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from troth.core.errors import TrothError
from troth.core.purpose import Purpose
from troth.core.rooms import rooms
from troth.core.text.card_numbers import find
from troth.gate import doors
from troth.gate.card_company import transport
from troth.gate.loopback import mail_relay, tls_server
from troth.gate.loopback.front_client import FrontAnswer
from troth.gate.loopback.mail_relay import SendAttempt
from troth.policy.promise import Verdict
from troth.proofs.context import Scene, proof
from troth.proofs.instruments import canary_order, form_parser, shop_window
from troth.proofs.instruments.encodings import forms
from troth.shop import company

_HALF_A_YEAR = 15_552_000
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_MOST_PEOPLE = 4
_ALERT = "shop_alert"
"""The shop's only email to operators: it names nobody, and is sampled by `shared.mails`."""


# -- our own pages ----------------------------------------------------------------------------------------------------


@proof("encrypted.pages")
def plain_http_is_refused(scene: Scene) -> Verdict:
    """Check that what carries a buyer (links to pay, forms, the card company's notices) is refused over plain HTTP, or
    sent to https, and that a site at https has browsers use nothing else (RFC 6797)."""
    usual = scene.front.get("/privacy/me")
    if usual.status != 200:
        return Verdict.unproven(f"The public server returned status {usual.status}.")
    refused = 0
    for name, answer in _over_plain_http(scene):
        if answer.status in (404, 429) or answer.status >= 500:
            continue  # not there, or not answered: no breach, and nothing shown
        if not _is_refusal(answer):
            return Verdict.broken(f"{name} was served over an unencrypted connection ({answer.status}).")
        refused += 1
    if not refused:
        return Verdict.unproven("None of the pages answered over plain HTTP.")
    https = urlsplit(scene.config.site.url).scheme == "https"
    if not https and not shop_window.is_here(scene.config.site.url):
        return Verdict.broken("The site’s address in the settings does not begin with https://.")
    if https and (lax := _lax_pages(scene)):
        return Verdict.broken(f"The page {lax} lets browsers come back without encryption (no HSTS).")
    words = "browsers are told to use https only" if https else "the site’s own address is on this machine only"
    return Verdict.kept(f"{refused} pages and addresses refused an unencrypted connection; {words}.")


def _over_plain_http(scene: Scene) -> Iterator[tuple[str, FrontAnswer]]:
    """Request as the web server passes on a visitor from the internet who came without encryption."""
    front = scene.front.elsewhere()
    plain = {"X-Forwarded-For": "2001:db8:b1::1", "X-Forwarded-Proto": "http"}
    own_forms = ["/newsletter", "/privacy/me", *(["/contact"] if scene.config.contact.enabled else [])]
    to_pay = [link.path for link in shop_window.prices(scene)]
    products = [path for path in shop_window.pages(scene) if path != shop_window.THANKS]
    for path in (*products, *to_pay, *own_forms):
        yield f"The page {path}", front.get(path, plain)
    for path in own_forms:
        yield f"The form at {path}", front.send(path, b"email=", {**_FORM, **plain})
    if name := company.notice_path():
        signed = {"Content-Type": "application/json", "Stripe-Signature": f"t=1,v1={0:064}"}
        yield "The address for the card company’s notices", front.send(f"/notices/{name}", b"{}", {**signed, **plain})


def _is_refusal(answer: FrontAnswer) -> bool:
    if answer.status in (301, 307, 308):
        return answer.headers.get("location", "").startswith("https://")
    return answer.status in (403, 426)


def _lax_pages(scene: Scene) -> str:
    """Return the first page without a lasting `Strict-Transport-Security`; empty if there is none."""
    for path in ("/privacy", "/privacy/me", *shop_window.pages(scene)):
        value = scene.front.get(path).headers.get("strict-transport-security", "")
        age = re.search(r"max-age=\"?(\d{1,12})", value)
        if age is None or int(age[1]) < _HALF_A_YEAR:
            return path
    return ""


# -- where buyers and forms are led ------------------------------------------------------------------------------------


@proof("encrypted.links")
def links_lead_to_encrypted_pages(scene: Scene) -> Verdict:
    """Check that every link to pay leads to the declared card company by https, and every form on a page of the
    vendor's to our own address by https. A stand-in on this machine may do without, as in the demo."""
    followed, local = 0, False
    for link in shop_window.prices(scene):
        answer = scene.front.get(link.path)
        if answer.status in (404, 429) or answer.status >= 500:
            continue  # not published yet, or not answered
        target = answer.headers.get("location", "")
        if not shop_window.is_company_page(scene, target):
            return Verdict.broken(f"{link.path} does not lead to the card company by https ({answer.status}).")
        followed, local = followed + 1, local or shop_window.is_here(target)
    if shop_window.prices(scene) and not followed:
        return Verdict.unproven("What is on sale is not published yet.")
    for path in ("/newsletter?embed", *(["/contact?embed"] if scene.config.contact.enabled else [])):
        for target in form_parser.targets(scene.front.get(path).text):
            if not target.startswith(f"{scene.config.site.url}/"):
                return Verdict.broken(f"The form at {path}, for the vendor’s pages, is sent to another address.")
    if not followed:
        return Verdict.kept("Nothing is on sale at the moment, so no link leads to the card company.")
    words = "at an address of this machine (a stand-in)" if local else "by https"
    return Verdict.kept(f"{followed} links to pay lead to the card company, {words}, and nowhere else.")


# -- what we connect to ------------------------------------------------------------------------------------------------


@proof("encrypted.doors")
def connections_are_encrypted(scene: Scene) -> Verdict:
    """Check that every declared destination beyond this machine is encrypted, and that our client for the card company,
    led to a server of this proof, talks to nobody but the owner of a valid certificate, by TLS 1.2 or later."""
    open_doors = [
        door.name
        for door in doors.declared(scene.config)
        if not door.is_local and door.encryption not in ("tls", "starttls")
    ]
    if open_doors:
        return Verdict.broken(f"A connection is not encrypted: {', '.join(open_doors)}.")
    with contextlib.ExitStack() as stack:
        listening = scene.listener or stack.enter_context(mail_relay.listener())
        server = tls_server.TlsServer(listening)
        right = _connected(server, server.right)
        wrong = {
            "another server’s": _connected(server, server.of_another),
            "an unknown authority’s": _connected(server, server.of_a_stranger),
        }
    results = [result for result in (right, *wrong.values()) if result is not None]
    if right is None or len(results) < len(wrong) + 1:
        return Verdict.unproven("The client for the card company did not connect to the test server.")
    if not right.encrypted or not right.is_modern:
        how = "without encryption" if not right.encrypted else "with a version of TLS before 1.2"
        return Verdict.broken(f"The client for the card company connects {how}.")
    for whose_certificate, result in wrong.items():
        if result is not None and result.was_trusted:
            return Verdict.broken(f"The client for the card company accepted {whose_certificate} certificate.")
    if not right.was_trusted:
        return Verdict.unproven("The client for the card company refused a valid certificate, too.")
    return Verdict.kept(
        "Every connection beyond this machine is encrypted; the client for the card company refused wrong certificates "
        "and every version of TLS before 1.2."
    )


def _connected(server: tls_server.TlsServer, identity: bytes) -> tls_server.SeenHandshake | None:
    """Have the client ask a server with this certificate; return what the server saw."""
    place = tls_server.HOST, server.port
    door = doors.Door(doors.CARD_COMPANY, "a proof", Purpose.ADMINISTRATION, frozenset(), *place, "tls")
    refused = contextlib.suppress(transport.NoConnection, TrothError)
    with server.serving(identity) as results, tls_server.trusted(server.roots), refused:
        transport.DoorClient(door, 5.0).request("GET", f"https://{place[0]}:{place[1]}/v1/events", {}, None)
    return results[0] if results else None


# -- mails -------------------------------------------------------------------------------------------------------------


@proof("encrypted.mails")
def mails_have_no_detail_of_a_buyer(scene: Scene) -> Verdict:
    """Check that the shop's emails, which others may carry on without encryption, have no detail of the buyer but the
    address that they go to, and nothing of the card."""
    sent = [
        (kind.name, canary, mail)
        for canary in scene.canaries[:_MOST_PEOPLE]
        for kind, mail in canary_order.samples(canary)
    ]
    to_buyers = {kind.name for room in rooms() if room.name == "shop" for kind in room.mails} - {_ALERT}
    unexamined = to_buyers - {kind for kind, _, _ in sent}
    if unexamined:
        return Verdict.unproven(f"Of these kinds of email, none could be examined: {', '.join(sorted(unexamined))}.")
    attempts = mail_relay.send([mail for _, _, mail in sent], scene.site, scene.config, scene.listener, anyway=True)
    for (kind, canary, _), attempt in zip(sent, attempts, strict=True):
        details = [*forms(canary.texts(email=False)), *(word.encode() for word in canary_order.CARD_WORDS)]
        if fault := _mail_fault(attempt, details):
            return Verdict.broken(f"An email ({kind}) to a test buyer {fault}.")
    return Verdict.kept(
        f"{len(sent)} emails ({', '.join(dict.fromkeys(kind for kind, _, _ in sent))}) to test buyers contain no name, "
        "address, telephone number, company or card."
    )


def _mail_fault(attempt: SendAttempt, details: list[bytes]) -> str:
    """Return what is wrong with an email as it was sent; empty if nothing is."""
    for received in attempt.received:
        message = email.message_from_bytes(received.content, policy=email.policy.SMTP)
        parts = [part for part in message.walk() if not part.is_multipart()]
        if any(part.get_filename() or part.get_content_maintype() != "text" for part in parts):
            return "has an attachment"
        heads = [f"{name}: {value}".encode() for name, value in message.items() if name.lower() not in _UNREAD]
        bodies = [part.get_content().encode() for part in parts]
        texts = [*heads, *bodies, *(b" ".join(body.split()) for body in bodies)]
        if any(detail in text for text in texts for detail in details):
            return "contains a detail of theirs, or of their card"
        if any(find(text.decode("utf-8", "replace")) for text in texts):
            return "contains a card number"
    return ""


_UNREAD = frozenset({"to", "dkim-signature", "message-id", "date"})
"""The address itself, and headers that are digits and letters at random."""
