"""Proofs of P1: visitors read the policy that was published, and its tables and marks are true. May touch: the site's
own front; the database; `data/policy-seen`, with each version's digest since it was first seen."""

import json
import re
from collections import Counter
from html import unescape
from pathlib import Path

from troth.core import clock
from troth.core.disk import write_synced
from troth.policy import data_map, promises, publish, retention, status, text
from troth.policy.models import PolicyVersion
from troth.policy.promise import State, Verdict
from troth.proofs.context import Scene, proof

_SEEN = "policy-seen"


@proof("policy.page")
def page_is_latest_version(scene: Scene) -> Verdict:
    """Check that the page and the JSON document are of the version published last. `policy.md` is a draft."""
    answer = scene.front.get("/privacy")
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is None:
        return Verdict.unproven("No version has been published yet.")
    if answer.status >= 500 or answer.status == 429:
        return Verdict.unproven(f"The policy page returned status {answer.status}.")
    if answer.status != 200:
        return Verdict.broken(f"The policy page returned status {answer.status}.")
    if newest.digest not in answer.text:
        return Verdict.broken("The page does not show the version published last.")
    published = scene.front.get(_JSON)
    if published.status != 200 or _digest_of(published.body) != newest.digest:
        return Verdict.broken("The JSON document is of a different version than the page.")
    return Verdict.kept(f"The page shows version {newest.number}, the latest published.")


def _digest_of(body: bytes) -> str:
    try:
        return str(json.loads(body)["policy"]["sha256"])
    except (ValueError, KeyError, TypeError):
        return ""


@proof("policy.words")
def page_has_every_sentence(scene: Scene) -> Verdict:
    """Check that every sentence of the current version is on the page, word for word and in order."""
    newest = PolicyVersion.objects.order_by("-number").first()
    answer = scene.front.get("/privacy")
    if newest is None or answer.status != 200:
        return Verdict.unproven(f"The policy page returned status {answer.status}.")
    page_words, at = _words(answer.text), 0
    pieces = text.own_words(newest.text)
    for number, piece in enumerate(pieces, 1):
        position = page_words.find(piece, at)
        if position < 0:
            return Verdict.broken(f"Passage {number} of the policy is missing from the page.")
        at = position + len(piece)
    return Verdict.kept(f"All {len(pieces)} passages of the policy are on the page, word for word.")


def _words(markup: str) -> str:
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


_MARK = re.compile(r'<span class="mark ([a-z]+)"><span class="sign" aria-hidden="true"></span>([^<]*)</span>')
_WORDS_OF = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.UNPROVEN: "Not proven",
    State.STALE: "Not verified",
}
"""What each mark must say. Repeated here on purpose, so that a change of the page's wording is noticed."""


@proof("policy.marks")
def marks_match_results(scene: Scene) -> Verdict:
    """Check that the code that makes the pages marks every state correctly, that the pages prepared for a day without a
    run say "kept" of nothing, and that the served pages agree with the JSON document."""
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is None:
        return Verdict.unproven("No version has been published yet.")
    if wrong := _render_fault(newest):
        return Verdict.broken(wrong)
    before, page, embedded, after = (scene.front.get(path) for path in (_JSON, "/privacy", "/privacy?embed", _JSON))
    if {reply.status for reply in (before, page, embedded, after)} != {200} or before.body != after.body:
        return Verdict.unproven("The policy page could not be compared with the JSON document.")
    published = _states(after.text)
    for reply in (page, embedded):
        if published != Counter(state for state, word in _MARK.findall(reply.text) if word == _WORDS_OF[State(state)]):
            return Verdict.broken("The marks on the page differ from the states in the JSON document.")
    return Verdict.kept(
        f"{published.total()} marks on the page, and as many on the embedded page, show the actual results."
    )


def _render_fault(newest: PolicyVersion) -> str:
    """Return what is wrong with the pages as the code makes them; empty if nothing is."""
    proofs = [proof.id for promise in promises.PROMISES for proof in promise.proofs]
    for state in (State.KEPT, State.BROKEN, State.UNPROVEN):
        pages_made = publish.made(newest, {name: status.LastResult(state, "", clock.now()) for name in proofs})
        pages = [(pages_made.fresh, state), (pages_made.fresh_embed, state)]
        if state is State.KEPT:
            pages += [(pages_made.stale, State.STALE), (pages_made.stale_embed, State.STALE)]
            if State.KEPT in _states(pages_made.stale_json):
                return "After a day without a run, the JSON document still says “kept”."
        for page, expected in pages:
            if set(_MARK.findall(page)) != {(expected.value, _WORDS_OF[expected])}:
                return f"A page shows a promise that is {expected.value} as something else."
    return ""


def _states(for_programs: str) -> Counter[str]:
    """Count the states in the JSON document, of promises and proofs."""
    promises = json.loads(for_programs)["promises"]
    return Counter(
        [promise["state"] for promise in promises]
        + [proof["state"] for promise in promises for proof in promise["proofs"]]
    )


_JSON = "/.well-known/privacy-promises.json"


@proof("policy.versions")
def versions_are_unchanged(scene: Scene) -> Verdict:
    """Check that every published version still exists, with the text that a proof first saw."""
    versions = list(PolicyVersion.objects.order_by("number"))
    if [version.number for version in versions] != list(range(1, len(versions) + 1)):
        return Verdict.broken("A version of the policy is missing.")
    altered = [version.number for version in versions if not version.is_whole()]
    if altered:
        return Verdict.broken(f"The text of version {altered[0]} was changed.")
    path = scene.site.data / _SEEN
    seen_digests, now = _read_seen(path), {str(version.number): version.digest for version in versions}
    changed = [number for number, digest in seen_digests.items() if now.get(number) != digest]
    if changed:
        return Verdict.broken(f"The text of version {changed[0]} differs from what an earlier run saw.")
    if seen_digests != now:
        fresh = path.with_name(f".{_SEEN}.new")  # replaced: root may have made the old one
        write_synced(fresh, json.dumps(now).encode())
        fresh.replace(path)
    count = "One version is kept," if len(versions) == 1 else f"{len(versions)} versions are kept, all"
    return Verdict.kept(f"{count} unchanged.")


def _read_seen(path: Path) -> dict[str, str]:
    try:
        return {str(number): str(digest) for number, digest in json.loads(path.read_bytes()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


@proof("policy.tables")
def tables_match_data_map(scene: Scene) -> Verdict:
    """Check that the tables on the page are those that the data map makes now."""
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.unproven(f"The policy page returned status {answer.status}.")
    makers = (data_map.collected_table, data_map.receivers_table, data_map.lifetimes_table)
    missing = sum(1 for make in makers if make(scene.config) not in answer.text)
    if missing:
        return Verdict.broken(f"{missing} tables on the page do not match what the program does.")
    return Verdict.kept(
        "The tables of what is collected, who receives it and how long it is kept match what the program does."
    )


@proof("policy.times")
def retention_is_kept(_scene: Scene) -> Verdict:
    """Check that nothing is kept longer than its retention period, with a day's grace."""
    retained = retention.report()
    if any(category.doubted for category in retained):
        return Verdict.unproven("The clock jumped; nothing is deleted on schedule until it is trusted again.")
    late = [category for category in retained if category.late]
    if late:
        return Verdict.broken(f"Kept too long: {late[0].line()} {late[0].mend}")
    return Verdict.kept(f"{len(retained)} kinds of data have a retention period; none has been kept longer.")
