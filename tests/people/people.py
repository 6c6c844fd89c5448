"""People for these tests: filed as intake files them."""

import hashlib
import uuid

from troth.contact import replies
from troth.contact.entry import ContactMessage
from troth.contact.models import Thread
from troth.core.personal import Company, EmailAddress, MessageText, PersonName, PostalAddress, Telephone
from troth.core.signed_links import Act
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import MailTemplate, Request, Subscription, Topic, TopicSubscription
from troth.newsletter.transactional import orders
from troth.vault import signing_keys
from troth.vault.keeper import keeper
from troth.vault.models import Person
from troth.worker.intake import Intake

WORDING = hashlib.sha256(b"yes").digest()
ADDRESS, NAME = "wilma.oddsworth@example.com", "Wilma Oddsworth-Quill"
TELEPHONE, POSTAL, COMPANY = "+49 30 90182099", "Lantern Lane 77\n10115 Berlin", "Oddsworth Lanterns"


def signup(address=ADDRESS, name=NAME, **more):
    return Signup(EmailAddress(address), PersonName(name), wording=WORDING, **more)


def whole_signup():
    """One with every detail."""
    return signup(telephone=Telephone(TELEPHONE), postal_address=PostalAddress(POSTAL), company=Company(COMPANY))


def drain(intake=None):
    intake = intake or Intake()
    while intake.turn().moved:
        pass
    intake.turn()


def confirm(site):
    """The newest request's link, used."""
    request = Request.objects.latest("created_at")
    link = signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at)
    site.submit(LinkUsed(int(Act.CONFIRM), link))
    drain()


def signed_up(site, entry=None) -> Person:
    """A person who signed up and confirmed."""
    entry = entry or whole_signup()
    site.submit(entry)
    drain()
    confirm(site)
    person = keeper().find("test", entry.email)
    return Person.objects.get(id=person)


def answered(site, address, text, reply):
    """Somebody wrote and was answered; returns their id."""
    site.submit(ContactMessage(EmailAddress(address), message=MessageText(text)))
    drain()
    thread = Thread.objects.get(person=keeper().find("test", EmailAddress(address)))
    replies.answer(thread.person_id, thread.id, MessageText(reply), last_seen=thread.messages.latest("filed_at").id)
    return thread.person_id


def with_a_topic(person):
    """They chose a topic."""
    topic = Topic.objects.create(name="Lanterns", number=1)
    TopicSubscription.objects.create(subscription=Subscription.objects.get(person=person), topic=topic)


def mailed_by_a_program(address):
    """A program had an email sent to them, with what it passed; its template is gone since."""
    template = MailTemplate.objects.create(name="order", subject="Your order", markdown="Order {{ data.number }}.")
    order = orders.Order(template="order", to=EmailAddress(address), data={"number": MessageText("4711")})
    orders.take(orders.Sender(uuid.uuid4(), b"trial"), order, actor="test")
    template.delete()
