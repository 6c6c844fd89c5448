"""Proofs of P1: the policy that visitors read is the one that was published, and its tables and marks are true.

May touch: the own front; the database; `data/policy-seen`, where each version's digest stands since it was first seen.
"""

import json
import re
from collections import Counter
from html import unescape
from pathlib import Path

from troth.core import clock
from troth.core.disk import write_synced
from troth.policy import data_map, text
from troth.policy.models import PolicyVersion
from troth.policy.promise import State, Verdict
from troth.proofs.context import Scene

_SEEN = "policy-seen"


def page_is_the_policy(scene: Scene) -> Verdict:
    """The page that the front serves names the version that was published last. What lies in `policy.md` is a draft."""
    answer = scene.front.get("/privacy")
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is None:
        return Verdict.unproven("No version was published yet.")
    if answer.status >= 500 or answer.status == 429:
        return Verdict.unproven(f"The policy’s page answered {answer.status}.")
    if answer.status != 200:
        return Verdict.broken(f"The policy’s page answered {answer.status}.")
    if newest.digest not in answer.text:
        return Verdict.broken("The page shows another version than the one that was published last.")
    told = scene.front.get(_JSON)
    if told.status != 200 or _sha(told.body) != newest.digest:
        return Verdict.broken("What is told to programs is another version than the page.")
    return Verdict.kept(f"The page shows version {newest.number}, the one that was published last.")


def _sha(body: bytes) -> str:
    try:
        return str(json.loads(body)["policy"]["sha256"])
    except (ValueError, KeyError, TypeError):
        return ""


def page_says_every_sentence(scene: Scene) -> Verdict:
    """Every sentence of the version in force stands in the page that the front serves, word for word and in order."""
    newest = PolicyVersion.objects.order_by("-number").first()
    answer = scene.front.get("/privacy")
    if newest is None or answer.status != 200:
        return Verdict.unproven(f"The policy’s page answered {answer.status}.")
    shown, at = _words(answer.text), 0
    pieces = text.own_words(newest.text)
    for number, piece in enumerate(pieces, 1):
        found = shown.find(piece, at)
        if found < 0:
            return Verdict.broken(f"The {number}. piece of the policy does not stand in the page.")
        at = found + len(piece)
    return Verdict.kept(f"All {len(pieces)} pieces of the policy stand in the page, word for word.")


def _words(markup: str) -> str:
    text = re.sub(r"<(script|style|head)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", text)).split())


_MARK = re.compile(r'<span class="mark ([a-z]+)"><span class="sign" aria-hidden="true"></span>([^<]*)</span>')
_MEANS = {
    State.KEPT: "Kept",
    State.BROKEN: "Broken",
    State.UNPROVEN: "Not proven",
    State.STALE: "Not verified",
}
"""What a mark must say. Written down here once more, so that the page's own words cannot be changed unnoticed."""


def marks_say_what_was_found(scene: Scene) -> Verdict:
    """The code that makes the page, ours and the one for the vendor's own, was given promises in every state: each mark
    said that state. What is laid ready for after a day without trials says "kept" of nothing. The marks in the pages
    that the front serves say what is told to programs."""
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is None:
        return Verdict.unproven("No version was published yet.")
    if wrong := _made_wrongly(newest):
        return Verdict.broken(wrong)
    before, page, embedded, after = (scene.front.get(path) for path in (_JSON, "/privacy", "/privacy?embed", _JSON))
    if {one.status for one in (before, page, embedded, after)} != {200} or before.body != after.body:
        return Verdict.unproven("The policy’s page could not be compared with what is told to programs.")
    told = _states(after.text)
    for one in (page, embedded):
        if told != Counter(state for state, word in _MARK.findall(one.text) if word == _MEANS[State(state)]):
            return Verdict.broken("The page’s marks are not what is told to programs.")
    return Verdict.kept(f"{told.total()} marks in the page, and as many in the vendor’s, say what was found.")


def _made_wrongly(newest: PolicyVersion) -> str:
    """What is wrong with the pages as the code makes them, if anything is."""
    from troth.policy import promises, publish, status  # they know this proof

    proofs = [proof.id for promise in promises.PROMISES for proof in promise.proofs]
    for state in (State.KEPT, State.BROKEN, State.UNPROVEN):
        made = publish.made(newest, {name: status.Found(state, "", clock.now()) for name in proofs})
        pages = [(made.fresh, state), (made.fresh_embed, state)]
        if state is State.KEPT:
            pages += [(made.stale, State.STALE), (made.stale_embed, State.STALE)]
            if State.KEPT in _states(made.stale_json):
                return "What is told to programs after a day without trials still says “kept”."
        for page, wanted in pages:
            if set(_MARK.findall(page)) != {(wanted.value, _MEANS[wanted])}:
                return f"Of a promise that is {wanted.value} a page says something else."
    return ""


def _states(for_programs: str) -> Counter[str]:
    """How often each state is told to programs: of promises, and of proofs."""
    promises = json.loads(for_programs)["promises"]
    return Counter([one["state"] for one in promises] + [proof["state"] for one in promises for proof in one["proofs"]])


_JSON = "/.well-known/privacy-promises.json"


def versions_are_whole(scene: Scene) -> Verdict:
    """Every version that was ever published is still there, and is the text that it was when a proof first saw it."""
    versions = list(PolicyVersion.objects.order_by("number"))
    if [one.number for one in versions] != list(range(1, len(versions) + 1)):
        return Verdict.broken("A version of the policy is missing.")
    altered = [one.number for one in versions if not one.is_whole()]
    if altered:
        return Verdict.broken(f"Version {altered[0]} is not the text that it was.")
    path = scene.site.data / _SEEN
    seen, now = _read_seen(path), {str(one.number): one.digest for one in versions}
    other = [number for number, digest in seen.items() if now.get(number) != digest]
    if other:
        return Verdict.broken(f"Version {other[0]} is not the text that an earlier trial saw.")
    if seen != now:
        fresh = path.with_name(f".{_SEEN}.new")  # replaced: root may have made the old one
        write_synced(fresh, json.dumps(now).encode())
        fresh.replace(path)
    count = "One version is" if len(versions) == 1 else f"{len(versions)} versions are"
    return Verdict.kept(f"{count} kept, each as it was.")


def _read_seen(path: Path) -> dict[str, str]:
    try:
        return {str(number): str(digest) for number, digest in json.loads(path.read_bytes()).items()}
    except (FileNotFoundError, ValueError, AttributeError):
        return {}


def tables_are_the_codes(scene: Scene) -> Verdict:
    """The tables in the page are those that the code's own data map makes now."""
    answer = scene.front.get("/privacy")
    if answer.status != 200:
        return Verdict.unproven(f"The policy’s page answered {answer.status}.")
    makers = (data_map.collected_table, data_map.receivers_table, data_map.lifetimes_table)
    missing = sum(1 for make in makers if make(scene.config) not in answer.text)
    if missing:
        return Verdict.broken(f"{missing} tables in the page are not what the code does.")
    return Verdict.kept("What is collected, who receives it and how long it stays: the page says what the code does.")


def nothing_is_over_its_time(_scene: Scene) -> Verdict:
    """Nothing that is kept for a time is older than that, by a day at most."""
    from troth.policy import retention  # it knows every room, and the registry that is read for it

    found = retention.report()
    if any(one.doubted for one in found):
        return Verdict.unproven("The clock leapt: nothing is removed by its time until it is believed again.")
    late = [one for one in found if one.late]
    if late:
        return Verdict.broken(f"Over its time: {late[0].line()} {late[0].mend}")
    return Verdict.kept(f"{len(found)} kinds of thing are kept for a time; of none is the oldest over it.")
