"""Canaries: invented people whose details must never come out. Made by `prove` alone, new each time, of many shapes.

They go in as ordinary people do: an entry is sealed with the site's public key, opened with the private one, and filed
by the newsletter's own code; only the mail that this would cause is taken back in the same transaction. No other code
can tell them from people: no flag, no list that names them, no pattern. May touch: database and key store, through the
keeper; `keys/people/proving`, where the ids of those stand that a proof which was killed has left behind.
"""

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction

from troth.gate.models import Delivery
from troth.ground import clock
from troth.ground.entry import came
from troth.ground.epochs import epoch_of
from troth.ground.personal import Company, EmailAddress, PersonName, PostalAddress, Telephone
from troth.letters import services
from troth.letters.entry import Signup
from troth.letters.models import Request
from troth.vault.keeper import keeper, read_site_id
from troth.vault.seal import OpeningKey, SealingKey, read_head

_SYLLABLES = (
    "ba be bo da de do el en fa fi ga ge ha he in jo ka ke la le li lo ma me mi mo na ne ni no or pa pe ra re ri ro sa "
    "se si so ta te ti to un va ve vi wa we za ze zo"
).split()
_ENDS = ("n", "r", "s", "l", "th", "rd", "nsen", "ski", "ova", "ez", "", "", "")
_TLDS = ("com", "net", "org", "de", "fr", "info", "io", "co.uk", "eu")


@dataclass(frozen=True, slots=True)
class Canary:
    """One invented person. Its details are personal values like anybody's."""

    person: uuid.UUID
    email: EmailAddress
    name: PersonName
    telephone: Telephone
    address: PostalAddress
    company: Company


@dataclass(frozen=True, slots=True, repr=False)
class _Invented:
    email: str
    name: str
    telephone: str
    address: str
    company: str


def _word(draw: random.Random, least: int = 2, most: int = 4) -> str:
    return "".join(draw.choice(_SYLLABLES) for _ in range(draw.randint(least, most)))


def invent(draw: random.Random) -> _Invented:
    """Details of nobody. Long enough that chance does not make them twice, of shapes that people's have."""
    first, last = _word(draw, 2, 3), _word(draw, 2, 4) + draw.choice(_ENDS)
    local = draw.choice(
        (
            f"{first}.{last}",
            f"{first[0]}.{last}{draw.randint(10, 99)}",
            f"{last}_{first}",
            f"{first}{draw.randint(1000, 9999)}x{_word(draw, 1, 2)}",
        )
    )
    domain = f"{_word(draw, 4, 6)}{draw.choice(('', '-', '')) or ''}{_word(draw, 1, 2)}.{draw.choice(_TLDS)}"
    middle = draw.choice(("", "", f" {_word(draw, 1, 2).capitalize()}", f" {draw.choice('ABDEGKLMR')}."))
    name = f"{first.capitalize()}{middle} {last.capitalize()}"
    number = "".join(draw.choice("0123456789") for _ in range(8))
    telephone = draw.choice(
        (f"+49 30 {number[:4]} {number[4:]}", f"+44 20 {number[:4]} {number[4:]}", f"+1 415 {number[:3]} {number[3:7]}")
    )
    street = f"{_word(draw, 3, 4).capitalize()} {draw.choice(('Street', 'Road', 'Lane'))} {draw.randint(2, 299)}"
    return _Invented(
        local + "@" + domain,
        name,
        telephone,
        f"{street}\n{number[:5]} {_word(draw, 3, 4).capitalize()}",
        f"{_word(draw, 3, 4).capitalize()} Ltd",
    )


@contextmanager
def planted(count: int) -> Iterator[list[Canary]]:
    """So many canaries, and none of them afterwards. Those that an earlier proof left behind go first."""
    waiting = settings.TROTH_SITE.people_keys / "proving"
    take_out(waiting)
    draw = random.Random(secrets.randbits(128))  # noqa: S311 - shapes of names, no key
    made: list[Canary] = []
    try:
        for _ in range(count):
            made.append(_plant(invent(draw), waiting))
        yield made
    finally:
        take_out(waiting)


def _plant(invented: _Invented, waiting: Path) -> Canary:
    email, name = EmailAddress(invented.email), PersonName(invented.name)
    telephone, address, company = (
        Telephone(invented.telephone),
        PostalAddress(invented.address),
        Company(invented.company),
    )
    entry = Signup(
        email=email, wording=bytes(32), name=name, telephone=telephone, postal_address=address, company=company
    )
    site, site_id, epoch = settings.TROTH_SITE, read_site_id(settings.TROTH_SITE), epoch_of(clock.now())
    opening = OpeningKey(site_id, epoch, (site.seal_keys / f"{epoch}.key").read_bytes())
    envelope = SealingKey(site_id, epoch, opening.public).seal(entry)
    brought = came(read_head(envelope).entry_id, opening.open(envelope, Signup))
    with transaction.atomic():
        services.file_signups([brought])
        request = Request.objects.select_related("subscription").get(entry_id=brought.entry_id)
        person = request.subscription.person_id
        Delivery.objects.filter(about=request.id).delete()  # nobody is mailed for a proof
        with waiting.open("ab") as file:  # before the commit: what is killed now is found again
            file.write(person.bytes)
    return Canary(person, email, name, telephone, address, company)


def take_out(waiting: Path) -> int:
    """Erase whoever stands in the file; returns how many. They leave no suppression mark: nobody asked to be erased."""
    try:
        data = waiting.read_bytes()
    except FileNotFoundError:
        return 0
    ids = [uuid.UUID(bytes=data[start : start + 16]) for start in range(0, len(data) // 16 * 16, 16)]
    gone = keeper().erase(ids)
    keeper().tidy()
    waiting.unlink()
    return gone


def texts(canary: Canary) -> list[str]:
    """What is looked for, of one canary: whole details, and the parts of the name that stand for it."""
    from troth.vault.revealing import texts_of  # the vault alone turns details into text

    return texts_of([canary.email, canary.name, canary.telephone, canary.address, canary.company])
