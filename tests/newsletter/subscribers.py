"""Subscribers, made as visitors make them: by the form and the links."""

import hashlib

from troth.core import ids
from troth.core.entry import Came, came
from troth.core.personal import EmailAddress, PersonName
from troth.core.signed_links import Act
from troth.newsletter import services
from troth.newsletter.entry import LinkUsed, Signup
from troth.newsletter.models import Request, Subscription
from troth.vault import signing_keys

WORDING = hashlib.sha256(b"yes").digest()


def subscribe(address, *, name=None, confirm=True):
    """Sign somebody up, and have them confirm; returns the person's id."""
    entry = came(
        ids.new_id(), Signup(email=EmailAddress(address), wording=WORDING, name=PersonName(name) if name else None)
    )
    services.file_signups([entry])
    request = Request.objects.get(entry_id=entry.entry_id)
    if confirm:
        _press(Act.CONFIRM, signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at))
    return request.subscription.person_id


def leave(person, *, at=None):
    """Have somebody unsubscribe."""
    _press(Act.UNSUBSCRIBE, signing_keys.signer().sign(Act.UNSUBSCRIBE, Subscription.objects.get(person=person).id), at)


def _press(act, link, at=None):
    use = came(ids.new_id(), LinkUsed(int(act), link))
    services.use_links([use if at is None else Came(use.entry_id, use.entry, at)])
