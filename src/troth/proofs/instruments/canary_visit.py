"""A canary calls at the running front as any visitor does: it signs up, confirms, and writes a message.

So the front, the clerk and the worker that run just now have had its details in their hands, and what they kept of it
can be looked at: what was filed, what they logged, what lies about. Everything that the browser tells along is marked.
The canary is frozen, so nobody is mailed; the operators' notice waits until it is gone.

May touch: the own front; the database through the keeper.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from troth.contact.models import Message
from troth.core import clock
from troth.core.purpose import Category, Reason
from troth.core.signed_links import Act
from troth.gate.loopback.front_client import Answer
from troth.newsletter.models import Request
from troth.proofs.context import Scene
from troth.proofs.instruments import form_parser, invented_cards
from troth.proofs.instruments.canaries import Canary, calling
from troth.vault import ledger, signing_keys
from troth.vault.keeper import keeper
from troth.vault.models import WorkerState
from troth.vault.records import CONSENT, DETAILS, MESSAGE, Content

_FILED_SECONDS = 8.0
_BEAT = timedelta(seconds=60)


@dataclass(slots=True, repr=False)
class Called:
    """What came of the call."""

    canary: Canary
    marks: tuple[str, ...]
    """What the visitor's browser told along: nothing of it may be kept."""
    card: str = ""
    """A card number that was written into the message."""
    trouble: str = ""
    """Why it could not be tried, if so: in our own words."""
    ledger_before: int = 0
    asked: tuple[Category, ...] = ()
    """Which details the form asked for, and got."""
    details: list[Content] = field(default_factory=list)
    consents: list[Content] = field(default_factory=list)
    messages: list[Content] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Of the answers to its forms."""


class _NotTried(Exception):
    """Says why, in our own words."""


def called(scene: Scene) -> Called:
    """The call of this run; made when it is first asked for."""
    if "called" not in scene.seen:
        scene.seen["called"] = _call(scene)
    found = scene.seen["called"]
    assert isinstance(found, Called)
    return found


def _call(scene: Scene) -> Called:
    marks = tuple(f"{secrets.token_hex(5)}{kind}" for kind in ("agent", "from", "asked", "cookie"))
    told = Called(scene.caller, marks, ledger_before=ledger.head()[0])
    try:
        _worker_lives()
        with calling(told.canary) as filed:
            _sign_up(scene, told)
            if scene.config.contact.enabled:
                _write(scene, told)
            filed.append(True)
        _open(told)
    except _NotTried as why:
        told.trouble = str(why)
    except OSError:
        told.trouble = "The front does not answer."
    return told


def _worker_lives() -> None:
    state = WorkerState.objects.filter(id=1).first()
    if state is None or state.beat_at < clock.now() - _BEAT:
        raise _NotTried("The worker is silent: what comes in is not filed just now.")


def _browser(told: Called) -> dict[str, str]:
    agent, came_from, _, cookie = told.marks
    return {
        "User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) {agent}/1.0",
        "Referer": f"https://example.org/{came_from}",
        "Cookie": f"visitor={cookie}",
        "Accept-Language": "en",
    }


def _sign_up(scene: Scene, told: Called) -> None:
    told.asked = tuple(scene.config.newsletter.fields)
    requests = Request.with_canaries.filter(subscription__person=told.canary.person).exclude(id=told.canary.request)
    _fill_in(scene, told, "/newsletter", [(one.value, _detail(told.canary, one)) for one in told.asked])
    request = _until(lambda: requests.filter(state=Request.State.OPEN).first())
    link = signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at)
    _taken(scene.front.post(f"/confirm/{link}", [], _browser(told)))
    _until(lambda: requests.filter(state=Request.State.CONFIRMED).first())


def _write(scene: Scene, told: Called) -> None:
    told.card = invented_cards.new_number()
    scene.cards.append(told.card)
    fields = [(one.value, _detail(told.canary, one)) for one in scene.config.contact.fields]
    text = f"{told.canary.invented.message}\n\nIf it helps, my card is {told.card}, until next year."
    _fill_in(scene, told, "/contact", [*fields, ("message", text)])
    _until(lambda: Message.with_canaries.filter(thread__person=told.canary.person).first())


def _fill_in(scene: Scene, told: Called, path: str, typed_in: list[tuple[str, str]]) -> None:
    """Fetch the form, do what the browser does, send it."""
    shown = scene.front.get(f"{path}?{told.marks[2]}=1", _browser(told))
    if shown.status != 200:
        raise _NotTried(f"The form at {path} answered {shown.status}.")
    ours = {one.name: one.value for one in form_parser.fields(shown.text) if one.name in {"wording", "ticket"}}
    work = scene.front.work()
    sent = [*typed_in, *((name, value) for name, value in ours.items() if name == "wording" or not work)]
    answer = scene.front.post(path, [*sent, ("altcha", work)] if work else sent, _browser(told))
    told.headers += answer.headers.items()
    _taken(answer)


def _taken(answer: Answer) -> None:
    if answer.status == 429:
        raise _NotTried("The front takes no form from here just now: too many came.")
    if answer.status != 303:
        raise _NotTried(f"The front did not take the form of an invented person ({answer.status}).")


def _detail(canary: Canary, category: Category) -> str:
    found = {
        Category.EMAIL: canary.invented.email,
        Category.NAME: canary.invented.name,
        Category.TELEPHONE: canary.invented.telephone,
        Category.POSTAL_ADDRESS: canary.invented.address,
        Category.COMPANY: canary.invented.company,
    }
    return found[category]


def _until[T](look: Callable[[], T | None]) -> T:
    until = time.monotonic() + _FILED_SECONDS
    while (found := look()) is None:
        if time.monotonic() > until:
            raise _NotTried(f"The worker did not file an invented person within {_FILED_SECONDS:.0f} seconds.")
        time.sleep(0.02)
    return found


def _open(told: Called) -> None:
    told.details = _records(told.canary, Reason.SHOW_PERSON, DETAILS)
    told.consents = _records(told.canary, Reason.SHOW_CONSENT, CONSENT)
    told.messages = _records(told.canary, Reason.READ_MESSAGES, MESSAGE)


def _records(canary: Canary, reason: Reason, kind: str) -> list[Content]:
    opened = keeper().open_records(reason, actor=ledger.PROOF, person_ids=[canary.person], kind=kind)
    return opened.get(canary.person, [])
