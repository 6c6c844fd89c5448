"""The policy as visitors get it: published in versions, each with its date and digest, and beside each sentence how the
promise stands. The worker makes it and the front shows it; where the worker is silent the front shows the older form.

May touch: `policy.md` (reading) and the database.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any

from django.conf import settings
from django.db import transaction

from troth.ground import clock
from troth.ground.config import Config
from troth.ground.promise import Control, Promise, State, joined
from troth.promises import datamap, policy
from troth.promises.models import PolicyVersion, ProofRun
from troth.promises.policy import Policy, PolicyError
from troth.promises.registry import PROMISES

SCHEMA = "privacy-promises/1"
"""Which form of the JSON this is; docs/promises-schema.json describes it."""
FRESH = timedelta(days=1)
"""How long a proof stands for today."""
_WORDS = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.UNPROVEN: "Not proven",
    State.STALE: "Not verified since",
}


@dataclass(frozen=True, slots=True)
class Page:
    """What the front is given. `fresh` holds until `until`; afterwards `stale` tells the truth."""

    fresh: str
    stale: str
    fresh_json: str
    stale_json: str
    until_ms: int
    digest: str


def publish(text: Policy, said: str) -> PolicyVersion:
    """Make this text the policy in force: a new version, unless it is the one in force already."""
    with transaction.atomic():
        newest = PolicyVersion.objects.order_by("-number").first()
        if newest is not None and newest.digest == text.digest:
            return newest
        number = newest.number + 1 if newest else 1
        return PolicyVersion.objects.create(number=number, text=text.text, digest=text.digest, said=said)


def in_force() -> PolicyVersion | None:
    """The version that visitors read; the first one is published by itself, where it may be."""
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is not None:
        return newest
    try:
        text = policy.read(settings.TROTH_SITE.policy)
    except PolicyError:
        return None
    problems = policy.check(text, PROMISES, set(), datamap.undeclared(settings.TROTH_CONFIG))
    return None if any(one.level == "bad" for one in problems) else publish(text, "The first version.")


def last_results() -> tuple[dict[str, dict[str, Any]], datetime | None]:
    """The newest verdict on each proof, by proof id with the time it was found; and when the last run ended."""
    found: dict[str, dict[str, Any]] = {}
    ended: datetime | None = None
    since = clock.now() - timedelta(days=30)
    for run in ProofRun.objects.filter(ended_at__gt=since).order_by("ended_at"):
        ended = run.ended_at
        for proofs in run.results.values():
            for proof, told in proofs.items():
                found[proof] = {**told, "at": run.ended_at}
    return found, ended


def page() -> Page | None:
    """The page for the front; None while no version is in force."""
    version = in_force()
    if version is None:
        return None
    found, ended = last_results()
    text, config = policy.parse(version.text), settings.TROTH_CONFIG
    made = {stale: _render(text, version, found, ended, config, stale=stale) for stale in (False, True)}
    told = {stale: _as_json(version, found, ended, config, stale=stale) for stale in (False, True)}
    until = (ended + FRESH) if ended else datetime.fromtimestamp(0, UTC)
    return Page(made[False], made[True], told[False], told[True], int(until.timestamp() * 1000), version.digest)


def states(found: Mapping[str, Mapping[str, Any]], *, stale: bool) -> dict[str, State]:
    """How each promise stands, from its proofs' newest verdicts."""
    return {promise.id: _state(promise, found, stale=stale) for promise in PROMISES}


def _state(promise: Promise, found: Mapping[str, Mapping[str, Any]], *, stale: bool) -> State:
    verdicts = [State(found[proof.id]["state"]) if proof.id in found else State.UNPROVEN for proof in promise.proofs]
    state = joined(verdicts)
    return State.STALE if stale and state is State.KEPT else state


# -- HTML -------------------------------------------------------------------------------------------------------------


def _render(
    text: Policy,
    version: PolicyVersion,
    found: Mapping[str, Mapping[str, Any]],
    ended: datetime | None,
    config: Config,
    *,
    stale: bool,
) -> str:
    stands = states(found, stale=stale)
    fill = {
        "vendor": policy.plain(config.site.name),
        "contact": policy.plain(config.mail.sender),
        "what_is_collected": datamap.collected_table(config),
        "who_receives_it": datamap.receivers_table(config),
        "how_long": datamap.lifetimes_table(config),
        "doors": datamap.receivers_table(config),
    }

    def decorate(promise: str) -> tuple[str, str]:
        state = stands.get(promise, State.UNPROVEN)
        return f'<span class="promise {state}">', f"{_unfolding(promise, state, found, ended)}</span>"

    foot = (
        f'<p class="version">Version {version.number}, in force since {version.published_at:%-d %B %Y}. '
        f"Its digest is <code>{version.digest}</code>.</p>"
    )
    shown = policy.html(text, decorate, fill)
    below = f'<section class="notes"><h2>How each promise is kept and tried</h2>{notes(found, stale=stale)}</section>'
    return _banner(stands, ended, stale=stale) + shown + below + foot


def _banner(stands: Mapping[str, State], ended: datetime | None, *, stale: bool) -> str:
    broken = sum(1 for state in stands.values() if state is State.BROKEN)
    if broken:
        words = "One promise is" if broken == 1 else f"{broken} promises are"
        return f'<p class="standing broken" role="status"><strong>{words} broken at present.</strong> See below.</p>'
    if ended is None:
        return (
            '<p class="standing stale" role="status"><strong>Not tried yet.</strong> The first trial is under way.</p>'
        )
    if stale:
        since = f"{ended:%-d %B %Y, %H:%M} UTC"
        return f'<p class="standing stale" role="status"><strong>Not verified since {since}.</strong></p>'
    kept = sum(1 for state in stands.values() if state is State.KEPT)
    words = f"{kept} of {len(stands)} promises tried and kept"
    return f'<p class="standing kept" role="status"><strong>{words}</strong>, last at {ended:%-d %B %Y, %H:%M} UTC.</p>'


def _unfolding(promise_id: str, state: State, found: Mapping[str, Mapping[str, Any]], ended: datetime | None) -> str:
    """The mark behind a sentence, which unfolds to how it is kept and tried. Inline, so that it may stand in a
    paragraph: a checkbox's label needs no script."""
    if promise_id not in PROMISES:
        return ""
    since = f" {ended:%-d %b, %H:%M} UTC" if ended and state in {State.KEPT, State.STALE} else ""
    return (
        f' <a class="mark {state}" href="#{escape(promise_id)}"><span class="sign" aria-hidden="true"></span>'
        f"{_WORDS[state]}{since}</a>"
    )


def notes(found: Mapping[str, Mapping[str, Any]], *, stale: bool) -> str:
    """What each mark leads to: how the promise is kept, how it was tried, what would have been seen."""
    stands = states(found, stale=stale)
    return "".join(_note(promise, stands[promise.id], found) for promise in PROMISES)


def _note(promise: Promise, state: State, found: Mapping[str, Mapping[str, Any]]) -> str:
    controls = "".join(_control(one) for one in promise.controls)
    proofs = "".join(_proof(proof, found.get(proof.id)) for proof in promise.proofs)
    sign = '<span class="sign" aria-hidden="true"></span>'
    mark = f'<span class="mark {state}">{sign}{_WORDS[state].removesuffix(" since")}</span>'
    return (
        f'<details class="note"><summary>{mark} {escape(promise.means)}</summary><div id="{promise.id}">'
        f"<h3>How it is kept</h3><ul>{controls}</ul><h3>How it was tried</h3><ul>{proofs}</ul>"
        f"<h3>Look for yourself</h3><p>{escape(promise.yourself)}</p></div></details>"
    )


def _control(control: Control) -> str:
    return f"<li>{escape(_capital(control.what))} <code>{escape(control.where)}</code></li>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _proof(proof: Any, told: Mapping[str, Any] | None) -> str:
    if told is None:
        return f"<li>{escape(proof.tried)} <em>Not tried yet.</em> It would see: {escape(proof.sees)}</li>"
    when = f"{told['at']:%-d %B %Y, %H:%M} UTC"
    return (
        f'<li>{escape(proof.tried)} <span class="found">{when}: {escape(told["detail"])}</span> '
        f"It would have seen: {escape(proof.sees)}</li>"
    )


# -- JSON -------------------------------------------------------------------------------------------------------------


def _as_json(
    version: PolicyVersion,
    found: Mapping[str, Mapping[str, Any]],
    ended: datetime | None,
    config: Config,
    *,
    stale: bool,
) -> str:
    stands = states(found, stale=stale)
    told = {
        "schema": SCHEMA,
        "controller": config.site.name,
        "policy": {
            "version": version.number,
            "in_force_since": version.published_at.isoformat(),
            "sha256": version.digest,
        },
        "verified_at": ended.isoformat() if ended else None,
        "promises": [
            {
                "id": promise.id,
                "means": promise.means,
                "state": stands[promise.id].value,
                "proofs": [_proof_json(proof.id, found.get(proof.id)) for proof in promise.proofs],
            }
            for promise in PROMISES
        ],
        "receivers": [{"who": who, "what_for": why} for who, why, _ in datamap.receivers(config)],
    }
    return json.dumps(told, ensure_ascii=False, indent=1)


def _proof_json(proof: str, told: Mapping[str, Any] | None) -> dict[str, Any]:
    if told is None:
        return {"id": proof, "state": State.UNPROVEN.value}
    return {"id": proof, "state": told["state"], "detail": told["detail"], "at": told["at"].isoformat()}
