"""What is laid ready behind a mailed link is looked through with its mail, and held without a word to whoever asked."""

import asyncio
import base64
import email
import re
from datetime import timedelta
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings as site_settings

from tests.conftest import both
from tests.gate.relays import Handler, relay, settings
from tests.people.people import ADDRESS, answered, drain, signed_up, signup
from troth.core import clock
from troth.core.personal import EmailAddress
from troth.core.purpose import Category
from troth.core.signed_links import Act
from troth.core.site_files import answer_paths
from troth.gate import mailer, outbox
from troth.gate.mailer import HeldMail, Post, Sent
from troth.gate.models import Delivery
from troth.rights import requests, services
from troth.rights.entry import MAIL, RightsAsked, RightsUsed
from troth.rights.models import RightsRequest
from troth.vault import signing_keys
from troth.worker.composers import COMPOSERS

BEA = "bb77@example.org"


@pytest.fixture
def told_of_bea(site):
    """Whoever lives at ADDRESS wrote and was answered with Bea's address; Bea is stored."""
    signed_up(site, signup(BEA, "Bea Byron"))
    signed_up(site)
    answered(site, ADDRESS, "Whom do I ask?", f"Ask {BEA}.")
    Delivery.objects.all().delete()  # the answer itself is another matter


def send_all():
    """Send what is due to a real relay; what became of each, and what arrived."""
    handler = Handler()

    async def send(jobs):
        with relay(handler) as port:
            async with Post(settings(port), leaks=mailer.leaks(site_settings.TROTH_CONFIG)) as post:
                return [(job, await post.send(job.mail, released=job.released)) for job in jobs]

    done = asyncio.run(send(outbox.claim(10, COMPOSERS)))
    outbox.record_all(done)
    return [outcome for _, outcome in done], [content for _, _, content in handler.mails]


def opened(site, content):
    """What the answer says that lies ready behind the link in this mail."""
    url = re.search(r"http\S+/privacy/me/\S+#\S{43}", email.message_from_bytes(content).get_payload()[0].get_payload())
    key = base64.urlsafe_b64decode(url.group().rpartition("#")[2] + "=")
    blob = answer_paths.path(site.public, RightsRequest.objects.get().id, answer_paths.mark_of(key)).read_bytes()
    return AESGCM(key).decrypt(blob[:12], blob[12:], b"troth answer v1").decode()


@both
def test_the_link_is_held_where_what_lies_behind_it_carries_somebody_else(site, told_of_bea):
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    assert send_all() == ([HeldMail("leak", (Category.EMAIL,))], [])
    row = Delivery.objects.get()
    assert (row.kind, row.state, row.tripped) == ("rights", "held", "email")


def test_let_go_late_the_link_still_works_as_long_as_any(site, told_of_bea):
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    send_all()
    long_ago = clock.now() - timedelta(days=12)
    RightsRequest.objects.update(expires_at=long_ago)
    requests.remove_over()
    assert outbox.let_go(Delivery.objects.get().id)
    outcomes, (content,) = send_all()
    assert outcomes == [Sent()]
    assert BEA in opened(site, content)
    left = RightsRequest.objects.get().expires_at - clock.now()
    assert timedelta(hours=requests.HOURS - 1) < left <= timedelta(hours=requests.HOURS)


def test_a_request_that_nothing_waits_for_goes_as_before(site, told_of_bea):
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    send_all()
    RightsRequest.objects.update(expires_at=clock.now() - timedelta(days=12))
    outbox.drop(Delivery.objects.get().id)
    requests.remove_over()
    assert not RightsRequest.objects.exists()


def test_the_export_by_mail_is_held_as_well(site, told_of_bea):
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    request = RightsRequest.objects.get()
    Delivery.objects.all().delete()
    link = signing_keys.signer().sign(Act.RIGHTS, request.id, request.expires_at)
    site.submit(RightsUsed(link, MAIL))
    drain()
    assert send_all() == ([HeldMail("leak", (Category.EMAIL,))], [])


@pytest.mark.parametrize("probe", [BEA, "nobody@example.org"])
@pytest.mark.parametrize("disguise", [str.encode, lambda text: sha256(text.encode()).hexdigest().encode()])
def test_asking_after_writing_of_somebody_tells_not_whether_they_are_stored(site, probe, disguise):
    """Whoever writes an address, plain or hashed, and asks for their own export: it comes, stored or not."""
    signed_up(site, signup(BEA, "Bea Byron"))
    answered(site, ADDRESS, disguise(probe).decode(), "Thank you.")
    Delivery.objects.all().delete()
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    outcomes, (content,) = send_all()
    assert outcomes == [Sent()]
    assert disguise(probe).decode() in opened(site, content)


def test_the_record_of_the_wrong_person_is_held(site, monkeypatch):
    wrong = signed_up(site, signup(BEA, "Bea Byron"))
    signed_up(site)
    site.submit(RightsAsked(EmailAddress(ADDRESS)))
    drain()
    right = services.export
    monkeypatch.setattr(services, "export", lambda _person, actor, **more: right(wrong.id, actor, **more))
    Delivery.objects.exclude(kind="rights").delete()
    outcomes, arrived = send_all()
    assert outcomes == [HeldMail("leak", (Category.EMAIL,))] and arrived == []
