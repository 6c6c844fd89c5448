"""Compares what was acknowledged with what was filed and what was mailed. A process of its own: it opens the site.

    echo '{"accepted": [1, 2], "mails": {"<id@example.com>": 1}}' | TROTH_SITE=DIR python -m trial.compare

`accepted`: numbers of acknowledged forms, each from `p<number>@example.com`. `mails`: how often the relay took each
Message-ID. Prints one JSON line. A form counts as filed where the blind index finds its person, the person's box opens
with their own key and holds that address, and a request and a mail for it are there.
"""

import json
import os
import sys
from collections import Counter
from typing import Any

_CHUNK = 500


def main() -> None:
    """Read the job from stdin, print what was found."""
    os.environ["DJANGO_SETTINGS_MODULE"] = "troth.django_settings"
    import django

    django.setup()
    job = json.load(sys.stdin)
    found = {**_filed(job["accepted"]), **_mailed(job["mails"]), **_states()}
    print(json.dumps(found))


def _filed(accepted: list[int]) -> dict[str, Any]:
    missing, twice = list[int](), list[int]()
    for start in range(0, len(accepted), _CHUNK):
        some = accepted[start : start + _CHUNK]
        for number, requests in zip(some, _requests_of(some), strict=True):
            if requests == 0:
                missing.append(number)
            elif requests > 1:
                twice.append(number)
    return {
        "acknowledged": len(accepted),
        "acknowledged_not_filed": len(missing),
        "filed_twice": len(twice),
        "missing_numbers": missing[:20],
    }


def _requests_of(numbers: list[int]) -> list[int]:
    """How many requests, each with its mail, each form led to; 0 where the person cannot be found or opened."""
    from troth.core.personal import EmailAddress
    from troth.core.purpose import Purpose, Reason
    from troth.gate.models import Delivery
    from troth.newsletter.models import Request
    from troth.vault.blind_index import EMAIL
    from troth.vault.keeper import keeper
    from troth.vault.records import Details

    vault = keeper()
    addresses = [f"p{number}@example.com" for number in numbers]
    digests = [vault.index.digest(Purpose.ADMINISTRATION, EMAIL, EmailAddress(address)) for address in addresses]
    slots = vault.index.look_up(digests)
    people = {digest: vault.store.person(slot) for digest, slot in slots.items()}
    ids = [person for person in people.values() if person]
    mailed = Delivery.objects.filter(person__in=ids).values("about")
    rows = Request.objects.filter(subscription__person__in=ids, record__isnull=False, id__in=mailed)
    requests = Counter(rows.values_list("subscription__person", flat=True))
    opened = vault.open_records(Reason.FIND_PERSON, actor="worker", person_ids=ids)
    counts = []
    for digest, address in zip(digests, addresses, strict=True):
        person = people.get(digest)
        held = [one for one in opened.get(person, []) if isinstance(one, Details)] if person else []
        counts.append(requests[person] if [one.email.reveal() for one in held] == [address] else 0)
    return counts


def _mailed(mails: dict[str, int]) -> dict[str, Any]:
    """What the relay took more than once, and whether we knew that it might."""
    from troth.gate.models import Delivery

    twice = [message for message, times in mails.items() if times > 1]
    noticed, known = set[str](), set[str]()
    for start in range(0, len(mails), _CHUNK):
        some = list(mails)[start : start + _CHUNK]
        rows = Delivery.objects.filter(message_id__in=some).values_list("message_id", "maybe_twice")
        known.update(message for message, _ in rows)
        noticed.update(message for message, marked in rows if marked)
    sent = Delivery.objects.filter(state=Delivery.State.SENT).values_list("message_id", flat=True)
    return {
        "sent_but_not_received": sum(1 for message in sent.iterator() if message not in mails),
        "mails": sum(mails.values()),
        "doubled": len(twice),
        "doubled_unnoticed": sum(1 for message in twice if message not in noticed),
        "mails_of_nobody": len(mails) - len(known),
    }


def _states() -> dict[str, Any]:
    from django.conf import settings

    from troth.gate import outbox
    from troth.gate.models import Delivery
    from troth.newsletter.models import Request
    from troth.vault.models import AsideItem, Person
    from troth.worker.intake import position
    from troth.worker.spool_reader import waiting

    over = Delivery.objects.filter(state=Delivery.State.UNCERTAIN, next_at=None)
    return {
        "without_mail": Request.objects.exclude(id__in=Delivery.objects.values("about")).count(),
        "people": Person.objects.count(),
        "states": outbox.counts(),
        "left_uncertain": over.count(),
        "set_aside": AsideItem.objects.count(),
        "spool_bytes_waiting": waiting(settings.TROTH_SITE.spool, position())[0],
    }


if __name__ == "__main__":
    main()
