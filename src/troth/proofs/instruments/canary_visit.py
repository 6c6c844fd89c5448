"""A canary uses the running front as any visitor would: it signs up, confirms, and writes a message, so that records,
log and files of the running processes can be examined. Everything that its browser sends is marked. It is restricted,
so nobody gets mail. May touch: the site's own front; the database through the keeper."""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from troth.contact.models import Message
from troth.core import clock
from troth.core.purpose import Category, Reason
from troth.core.signed_links import Act
from troth.gate.loopback.front_client import FrontAnswer
from troth.newsletter.models import Request, Subscription
from troth.proofs.context import Scene
from troth.proofs.instruments import form_parser, invented_cards
from troth.proofs.instruments.canaries import CanaryPerson, calling
from troth.vault import ledger, signing_keys
from troth.vault.keeper import keeper
from troth.vault.models import Record, WorkerState
from troth.vault.records import CONSENT, DETAILS, MESSAGE, Content

_FILED_SECONDS = 8.0
_BEAT = timedelta(seconds=60)


@dataclass(slots=True, repr=False)
class CanaryCall:
    """The result of the canary's visit."""

    canary: CanaryPerson
    marks: tuple[str, ...]
    """What the visitor's browser sent by itself; none of it may be stored."""
    cards: tuple[str, ...] = ()
    """The card numbers that were part of the message."""
    trouble: str = ""
    """Why the visit could not be made, if so. Shown to people."""
    ledger_before: int = 0
    requested: tuple[Category, ...] = ()
    """Details that the form asked for, and got."""
    details: list[Content] = field(default_factory=list)
    consents: list[Content] = field(default_factory=list)
    messages: list[Content] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    """Headers of the responses to its forms."""
    opened: list[int] = field(default_factory=list)
    """Status of its links' pages, which it only opened."""
    before_opening: tuple[object, ...] = ()
    after_opening: tuple[object, ...] = ()
    """Its subscription before it opened the links to leave and to the preferences, and later."""
    pressed_ms: int = 0
    """When it pressed the button to confirm, having opened that link before."""


class _NotTried(Exception):
    """The visit could not be made; says why."""


def called(scene: Scene) -> CanaryCall:
    """Return this run's visit, making it on the first call."""
    if "called" not in scene.shared:
        scene.shared["called"] = _call(scene)
    call = scene.shared["called"]
    assert isinstance(call, CanaryCall)
    return call


def _call(scene: Scene) -> CanaryCall:
    marks = tuple(f"{secrets.token_hex(5)}{kind}" for kind in ("agent", "from", "asked", "cookie"))
    call = CanaryCall(scene.caller, marks, ledger_before=ledger.head()[0])
    try:
        _require_worker()
        with calling(call.canary) as filed:
            _sign_up(scene, call)
            call.before_opening = subscription(call.canary)
            _open_links(scene, call)
            if scene.config.contact.enabled:
                _write(scene, call)  # filed after what opening a link would have brought
            filed.append(True)
        call.after_opening = subscription(call.canary)
        _open(call)
    except _NotTried as why:
        call.trouble = str(why)
    except OSError:
        call.trouble = "The public server does not respond."
    return call


def _require_worker() -> None:
    state = WorkerState.objects.filter(id=1).first()
    if state is None or state.beat_at < clock.now() - _BEAT:
        raise _NotTried("The worker is not running, so submissions are not being processed.")


def _browser(call: CanaryCall) -> dict[str, str]:
    agent, came_from, _, cookie = call.marks
    return {
        "User-Agent": f"Mozilla/5.0 (X11; Linux x86_64) {agent}/1.0",
        "Referer": f"https://example.org/{came_from}",
        "Cookie": f"visitor={cookie}",
        "Accept-Language": "en",
    }


def _sign_up(scene: Scene, call: CanaryCall) -> None:
    call.requested = tuple(scene.config.newsletter.fields)
    requests = Request.with_canaries.filter(subscription__person=call.canary.person).exclude(id=call.canary.request)
    _fill_in(
        scene, call, "/newsletter", [(category.value, _detail(call.canary, category)) for category in call.requested]
    )
    request = _until(lambda: requests.filter(state=Request.State.OPEN).first())
    link = signing_keys.signer().sign(Act.CONFIRM, request.id, request.expires_at)
    call.opened.append(scene.front.get(f"/confirm/{link}", _browser(call)).status)
    call.pressed_ms = int(clock.now().timestamp() * 1000)
    _taken(scene.front.post(f"/confirm/{link}", [], _browser(call)))
    _until(lambda: requests.filter(state=Request.State.CONFIRMED).first())


def subscription(canary: CanaryPerson) -> tuple[object, ...]:
    """Return where a canary stands on the list: state, pause, topics, and steps of its consent."""
    row = Subscription.with_canaries.get(person=canary.person)
    consents = Record.with_canaries.filter(person=canary.person, kind=CONSENT).count()
    return row.state, row.paused_until, row.left_at, row.topics.count(), consents


def _links(canary: CanaryPerson) -> tuple[str, str]:
    """Return where a canary unsubscribes, and where its preferences are."""
    row, signer = Subscription.with_canaries.get(person=canary.person), signing_keys.signer()
    return f"/unsubscribe/{signer.sign(Act.UNSUBSCRIBE, row.id)}", f"/preferences/{signer.sign_topics(row.id, 0)}"


def _open_links(scene: Scene, call: CanaryCall) -> None:
    """Open the links that each campaign carries, as a mail program or its virus scanner does."""
    call.opened += [scene.front.get(path, _browser(call)).status for path in _links(call.canary)]


def leaves(scene: Scene, call: CanaryCall) -> bool:
    """Unsubscribe the canary as a mail program does with one click (RFC 8058); return whether it left the list within
    some seconds. Raises `TimeoutError` if the public server does not take it."""
    path, _ = _links(call.canary)
    with calling(call.canary) as filed:
        answer = scene.front.post(path, [("List-Unsubscribe", "One-Click")], _browser(call))
        if answer.status != 303:
            raise TimeoutError
        until = time.monotonic() + _FILED_SECONDS
        while subscription(call.canary)[0] != Subscription.State.LEFT:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        filed.append(True)
    return True


def _write(scene: Scene, call: CanaryCall) -> None:
    cards_text, cards = invented_cards.text_with_all_brands()
    call.cards = tuple(cards)
    scene.cards.extend(cards)
    fields = [(category.value, _detail(call.canary, category)) for category in scene.config.contact.fields]
    text = f"{call.canary.invented.message}\n\nIf it helps, until next year.\n\n{cards_text}"
    _fill_in(scene, call, "/contact", [*fields, ("message", text)])
    _until(lambda: Message.with_canaries.filter(thread__person=call.canary.person).first())


def _fill_in(scene: Scene, call: CanaryCall, path: str, typed_in: list[tuple[str, str]]) -> None:
    """Fetch the form, do what a browser does, submit it."""
    form = scene.front.get(f"{path}?{call.marks[2]}=1", _browser(call))
    if form.status != 200:
        raise _NotTried(f"The form at {path} returned status {form.status}.")
    ours = {field.name: field.value for field in form_parser.fields(form.text) if field.name in {"wording", "ticket"}}
    work = scene.front.work()
    sent = [*typed_in, *((name, value) for name, value in ours.items() if name == "wording" or not work)]
    answer = scene.front.post(path, [*sent, ("altcha", work)] if work else sent, _browser(call))
    call.headers += answer.headers.items()
    _taken(answer)


def _taken(answer: FrontAnswer) -> None:
    if answer.status == 429:
        raise _NotTried("The public server accepts no more forms from this address for now (rate limit).")
    if answer.status != 303:
        raise _NotTried(f"The public server did not accept a test person’s form ({answer.status}).")


def _detail(canary: CanaryPerson, category: Category) -> str:
    typed: str = getattr(canary.invented, category.value)
    return typed


def _until[T](look: Callable[[], T | None]) -> T:
    until = time.monotonic() + _FILED_SECONDS
    while (result := look()) is None:
        if time.monotonic() > until:
            raise _NotTried(f"The worker did not process a test person’s form within {_FILED_SECONDS:.0f} seconds.")
        time.sleep(0.02)
    return result


def _open(call: CanaryCall) -> None:
    call.details = _records(call.canary, Reason.SHOW_PERSON, DETAILS)
    call.consents = _records(call.canary, Reason.SHOW_CONSENT, CONSENT)
    call.messages = _records(call.canary, Reason.READ_MESSAGES, MESSAGE)


def _records(canary: CanaryPerson, reason: Reason, kind: str) -> list[Content]:
    opened = keeper().open_records(reason, actor=ledger.PROOF, person_ids=[canary.person], kind=kind)
    return opened.get(canary.person, [])
