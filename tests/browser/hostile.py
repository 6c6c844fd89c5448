"""`python -m tests.browser.hostile`: into the site that TROTH_SITE names, every text that somebody else may bring, as
an attack on whoever reads it. One that worked would ask for `/stray`, or keep a saved reply that nobody wrote.
"""

import csv
import os
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")

ATTACKS = (
    "<b hx-get=/stray?0 hx-trigger=load>a</b><b hx-post=/stray?0 hx-trigger=load>b</b>",  # as it stays in a CSV file
    '<b hx-get="/stray?1" hx-trigger="load, every 1s">a</b>',
    '"><img src="/stray?2" hx-post="/inbox/saved-replies/" hx-vals=\'{"title":"x","text":"stray"}\' hx-trigger="load">',
    '<style>@import "/stray?3";*{background:url(/stray?3)}</style>',
    "' style='background:url(/stray?4)' data-hx-get='/stray?4' hx-trigger='load",
    '<iframe src="/stray?5"></iframe><form action="/stray?5"><button autofocus>',
    '<svg><image href="/stray?6" data-hx-get="/stray?6" hx-trigger="load"/></svg>',
    '</title></textarea></select><script src="/stray?7"></script>',
    '<hx-partial hx-target="body"><b hx-get="/stray?8" hx-trigger="load"></b></hx-partial>',
    "&lt;img src=/stray?9 hx-get=/stray?9 hx-trigger=load&gt;",
    '<meta http-equiv="refresh" content="0;url=/stray?10"><base href="/stray/">',
    '<b id="main" hx-swap-oob="true" hx-on:click="fetch(\'/stray?11\')" hx-get="/stray?11" hx-trigger="load">',
    '<body hx-boost:inherited="true" hx-vals="js:fetch(\'/stray?12\')"><a href="/stray?12" autofocus>',
)
SHORT = "<img src=/stray?s hx-get=/s>"
"""For what takes thirty letters."""
ALL = "\n".join(ATTACKS)
_HELD = 8
"""Mails and exports that wait for an owner."""


def people_file(path: Path) -> Path:
    """A CSV file of people whose every detail is one."""
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["email", "name", "postal_address", "company", "consent", "consent_date"])
        for number, attack in enumerate(ATTACKS):
            out.writerow([f"hostile-{number}@example.com", attack, f"{attack}\n{attack}", attack, attack, "2026-01-02"])
    return path


def main() -> None:
    """Write them down."""
    django.setup()
    from django.db import transaction

    with transaction.atomic():
        _statistics()
        _desk()
        _newsletter()


def _newsletter() -> None:
    """Topics and campaigns in every state; those that are under way go nowhere, since their emails wait for a day."""
    from troth.core import clock
    from troth.gate import bulk
    from troth.gate.models import Delivery
    from troth.newsletter import topics
    from troth.newsletter.campaigns import drafts
    from troth.newsletter.campaigns.mails import CAMPAIGN
    from troth.newsletter.models import Campaign
    from troth.vault.models import Person

    for attack in ATTACKS[:3]:
        topics.create(attack[:60], attack, public=True)
    later, people = clock.now() + timedelta(days=1), list(Person.objects.values_list("id", flat=True)[:_HELD])
    for number, state in enumerate(("draft", "draft", "draft", "draft", "scheduled", "sending", "paused", "sent")):
        made = drafts.create(subject=ATTACKS[number])
        text = ALL if number == 0 else "Hello {{ name | there }}."
        drafts.save(made.id, made.revision, preheader=ATTACKS[number], markdown=text, link_name="stray")
        due = later if state == "scheduled" else None
        begun = None if state in ("draft", "scheduled") else clock.now()
        Campaign.objects.filter(id=made.id).update(state=state, due_at=due, started_at=begun, problem=ATTACKS[0])
        if begun is None:
            continue
        bulk.add(CAMPAIGN, made.id, people, "example.com")
        rows = Delivery.objects.filter(about=made.id)
        rows.update(next_at=later)
        for person, became in zip(people, ("failed", "failed", "uncertain"), strict=False):
            rows.filter(person=person).update(state=became, reason=SHORT, next_at=None, done_at=clock.now())
        if state == "sent":
            rows.filter(state="queued").update(state="sent", next_at=None, done_at=clock.now())
        Campaign.objects.filter(id=made.id).update(audience=len(people))


def _statistics() -> None:
    from tests.audience import sample
    from troth.audience.counting.cells import Dim
    from troth.audience.queries import exclusions, site_time
    from troth.audience.queries.periods import Period

    some = dict.fromkeys(ATTACKS, 5)
    sample.PAGES = {**some, "/docs": 5}
    sample.SOURCES = {(attack, "link"): 5 for attack in ATTACKS} | {("javascript:fetch('/stray?13')", "link"): 5}
    sample.CAMPAIGNS = sample.BROWSERS = sample.LANGUAGES = sample.COUNTRIES = sample.SCREENS = some
    sample.SYSTEMS = {(attack, attack): 5 for attack in ATTACKS}
    sample.DROPPED = some
    sample.fill(site_time.now(), days=3, visits=40)
    exclusions.take_out(Dim.SOURCE, ATTACKS[0], Period(site_time.today() - timedelta(days=2), site_time.today()))


def _desk() -> None:
    from troth.audience.api import tokens
    from troth.audience.queries import annotations, site_time
    from troth.contact.models import Canned, Label
    from troth.core import clock
    from troth.gate.models import Cause, Delivery
    from troth.kit.roles import Role
    from troth.office import operators
    from troth.policy.models import ProofRun
    from troth.rights.models import HeldExport
    from troth.vault.models import Person

    Label.objects.create(name=SHORT)
    ProofRun.objects.create(light=True, ended_at=clock.now())
    for number, attack in enumerate(ATTACKS[:4]):
        Canned.objects.create(title=f"{number}{attack}"[:60], text=attack)
        annotations.add(site_time.today(), attack[: annotations.LONGEST])
        tokens.add(f"{number}{attack}"[: tokens.LONGEST_NAME])
        operators.add(attack[:100], f"operator-{number}@example.com", Role.ANALYST)
    # Each is held for the words of the next one: enough of them that alarms are left when one of these people is
    # erased, and one mail is sent and one dropped by itself.
    people = list(Person.objects.order_by("slot"))[:_HELD]
    for number, person in enumerate(people):
        cause = Cause.objects.create(person=people[number - 1], category="name", held=1)
        if number % 2:
            HeldExport.objects.create(person=person, asked_by="shell", reason="leak", tripped=SHORT).causes.add(cause)
        else:
            mail = Delivery.objects.create(kind="answer", about=person.id, person=person, state="held", reason="leak")
            mail.causes.add(cause)


if __name__ == "__main__":
    main()
