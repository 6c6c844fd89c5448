"""A campaign to canaries that nobody else sees: it exists only in a transaction that is rolled back.

Its emails are written by the newsletter's own code, as for any subscriber. May touch: the database, through the keeper;
the network on this machine alone, through the gate.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Max

from troth.core import clock
from troth.core.config.sections import Config
from troth.core.signed_links import Act
from troth.gate import outbox
from troth.gate.loopback import mail_relay
from troth.gate.message import Mail
from troth.newsletter.campaigns import sending
from troth.newsletter.campaigns.mails import CAMPAIGN, CAMPAIGN_TEST, compose_campaigns, compose_tests, content_of
from troth.newsletter.models import Campaign, CampaignTest, Subscription, Topic
from troth.proofs.context import Scene
from troth.proofs.instruments.canaries import CanaryPerson
from troth.proofs.instruments.output_capture import OutputCapture
from troth.vault import signing_keys

_IMAGE = "0123456789abcdef.png"
_ELSEWHERE = "https://example.org/notes"
_NAME = "trial"
"""The campaign's name in links to the site, the same for everybody."""
_TEXT = """\
# What is new for {{ name | you }}

For everybody at {{ company | your company }}: [the changes](SITE/changes), and [what others write](ELSEWHERE).

![A drawing](IMAGE)
"""
_OPERATOR = "operator@localhost.invalid"


@dataclass(frozen=True, slots=True, repr=False)
class CampaignSample:
    """One email of the campaign, and what alone it may lead to."""

    mail: Mail
    to: CanaryPerson | None
    """None for a test, which goes to an operator."""
    address: str
    """An operator's; empty for a canary."""
    image: str
    """The only picture in it."""
    links: frozenset[str]
    """All its links: those of the draft, the same for everybody, and the recipient's own two."""
    unsubscribe: str
    """The one with which the recipient leaves."""


def samples(scene: Scene, canaries: Sequence[CanaryPerson]) -> list[CampaignSample]:
    """Return the campaign's emails to these canaries, without those whom it is not written to, and a test of it."""
    draft, emails = _draft(scene.config), list[CampaignSample]()
    with _unseen():
        draft.save(force_insert=True)
        mails = _compose(scene, draft, canaries)
        subscriptions = dict(Subscription.with_canaries.filter(person__in=mails).values_list("person", "id"))
        for canary in canaries:
            if mail := mails.get(canary.person):
                emails.append(_sample(scene, mail, subscriptions[canary.person], canary))
        operator = get_user_model().objects.create(email=_OPERATOR, name="Trial")
        test = CampaignTest.objects.create(campaign=draft, operator=operator.pk)
        row = outbox.new(CAMPAIGN_TEST, test.id, None, _domain(scene))
        emails += [_sample(scene, mail, test.id) for mail in compose_tests([row]).values()]
    return emails


def _draft(config: Config, text: str = _TEXT) -> Campaign:
    site = config.site.url
    for word, address in (("SITE", site), ("ELSEWHERE", _ELSEWHERE), ("IMAGE", _image(site))):
        text = text.replace(word, address)
    draft = Campaign(subject="News for {{ first_name | you }}", markdown=text, link_name=_NAME, public=False)
    content_of(draft, config)  # rendered now, so that the transaction is short
    return draft


def _image(site: str) -> str:
    return f"{site}/images/{_IMAGE}"


def _domain(scene: Scene) -> str:
    return scene.config.mail.sender.rpartition("@")[2]


@contextmanager
def _unseen() -> Iterator[None]:
    """Undo everything that the block writes to the database."""
    with transaction.atomic():
        try:
            yield
        finally:
            transaction.set_rollback(True)


def _compose(scene: Scene, campaign: Campaign, canaries: Sequence[CanaryPerson]) -> dict[UUID, Mail]:
    """Return the campaign's emails by person."""
    rows = [outbox.new(CAMPAIGN, campaign.id, canary.person, _domain(scene)) for canary in canaries]
    mails = compose_campaigns(rows)
    return {row.person_id: mails[row.id] for row in rows if row.person_id and row.id in mails}


def _sample(scene: Scene, mail: Mail, subject: UUID, to: CanaryPerson | None = None) -> CampaignSample:
    site, signer = scene.config.site.url, signing_keys.signer()
    unsubscribe = f"{site}/unsubscribe/{signer.sign(Act.UNSUBSCRIBE, subject)}"
    preferences = f"{site}/preferences/{signer.sign_topics(subject, 0)}"
    links = {unsubscribe, preferences, _ELSEWHERE, f"{site}/changes?utm_campaign={_NAME}", _image(site)}
    return CampaignSample(mail, to, "" if to else _OPERATOR, _image(site), frozenset(links), unsubscribe)


def output(scene: Scene, canaries: Sequence[CanaryPerson]) -> str:
    """Return what this process prints and logs while the campaign is written and sent to a relay of its own."""
    capture = OutputCapture()
    with capture.listening():
        mails = [sample.mail for sample in samples(scene, canaries)]
        mail_relay.send(mails, scene.site, scene.config, scene.listener, anyway=True)
    return capture.text


def is_clear(scene: Scene, text: str) -> bool:
    """Return whether a campaign with this text would be sent, its words having been looked through."""
    return sending.looked_through(content_of(_draft(scene.config, text), scene.config)).clear


# -- whom it must not be written to -----------------------------------------------------------------------------------


def gets_it(
    scene: Scene, canary: CanaryPerson, change: Mapping[str, Any] | None = None, *, topic: bool = False
) -> bool:
    """Return whether the campaign is written to this canary once their subscription has `change`. `topic`: as a
    campaign on a topic that they did not choose."""
    draft = _draft(scene.config)
    with _unseen():
        if topic:
            number = (Topic.objects.aggregate(last=Max("number"))["last"] or 0) + 1
            draft.topic = Topic.objects.create(name=uuid4().hex, number=number, public=False)
        draft.save(force_insert=True)
        if change:
            Subscription.with_canaries.filter(person=canary.person).update(**change)
        return bool(_compose(scene, draft, [canary]))


def unwanted(scene: Scene, canary: CanaryPerson) -> Iterator[tuple[str, bool]]:
    """Yield, for each way not to want the campaign after its recipients were chosen, whether it is written anyway."""
    state, month = Subscription.State, timedelta(days=30)
    cases: dict[str, Callable[[], bool]] = {
        "had unsubscribed": lambda: gets_it(scene, canary, {"state": state.LEFT, "left_at": clock.now()}),
        "had paused their emails": lambda: gets_it(scene, canary, {"paused_until": clock.now() + month}),
        "had not confirmed": lambda: gets_it(scene, canary, {"state": state.WAITING, "confirmed_at": None}),
        "had not chosen its topic": lambda: gets_it(scene, canary, topic=True),
    }
    for words, is_written in cases.items():
        yield words, is_written()
