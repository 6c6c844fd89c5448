"""Checks of a policy's text: it states what the code does, all of it, and makes no promise that nothing keeps. `bad`
problems prevent publication; `warn` problems, found by patterns of words, are for a person to judge."""

import difflib
import re
from collections.abc import Collection, Iterator

from troth.core.config.sections import Config
from troth.policy import data_map, privacy_notice, promises
from troth.policy.problem import PolicyProblem
from troth.policy.promise import Registry
from troth.policy.promises import PROMISES
from troth.policy.text import PLACE, PLACES, Block, Policy


def judge(text: Policy, config: Config) -> list[PolicyProblem]:
    """Return the problems of this text with the site's settings, `bad` ones first."""
    periods = [row.until for row in data_map.lifetimes(config)] + [row.until for row in data_map.kept(config)]
    durations = {duration for period in periods for duration in _durations(period)}
    backed = {promise for promise in PROMISES.ids if promises.breaches_seen(promise)}
    not_made = {promise.id for promise in PROMISES if not promise.is_made_by(config)}
    problems = check(text, PROMISES, backed, data_map.undeclared(config), durations, not_made)
    return [*problems, *privacy_notice.lacking(text, config)]


def check(
    policy: Policy,
    registry: Registry,
    backed: set[str],
    undeclared: list[str],
    durations: set[int] | None = None,
    not_made: Collection[str] = (),
) -> list[PolicyProblem]:
    """Return the problems against a registry, `bad` ones first.

    `backed`: promises of which a breach is known to be detected. `undeclared`: what is collected and not in the data
    map. `durations`: in hours, those in the tables; None skips their comparison. `not_made`: promises that a site with
    these settings does not make.
    """
    problems = [
        *_unreadable(policy),
        *_unknown(policy, registry),
        *_missing(policy, registry, not_made),
        *_out_of_place(policy, registry, not_made),
        *_unbacked(policy, registry, backed),
    ]
    problems += [*_twice(policy), *_contradictions(policy), *_unbound(policy), *_places(policy), *_marks(policy)]
    problems += _other_durations(policy, durations) if durations is not None else ()
    for name in undeclared:
        mend = "Declare it in src/troth/policy/data_map.py: why, how long, who gets it."
        problems.append(PolicyProblem("bad", 0, f"{name} is collected but not in the data map.", mend))
    return sorted(problems, key=lambda problem: (problem.level != "bad", problem.line))


# -- promises ---------------------------------------------------------------------------------------------------------


def _unreadable(policy: Policy) -> Iterator[PolicyProblem]:
    """Yield malformed promise marks, which visitors would read as text."""
    for block in policy.blocks:
        for match in re.finditer(r"\{\s*promise\b", block.text):
            mend = "Write [the sentence]{promise=its.id}, without spaces in the braces and without nesting."
            yield PolicyProblem("bad", block.lines[match.start()], "Malformed promise mark.", mend)


def _unknown(policy: Policy, registry: Registry) -> Iterator[PolicyProblem]:
    for span in policy.spans:
        if span.promise not in registry:
            close = difflib.get_close_matches(span.promise, registry.ids, 1, cutoff=0.8)
            mend = f"Did you mean {close[0]}?" if close else f"Known promises: {', '.join(registry.ids)}."
            problem = f"Unknown promise “{_short(span.promise)}”: no code keeps it."
            yield PolicyProblem("bad", span.line, problem, mend)
        elif not re.search(r"\w", span.text):
            yield PolicyProblem("bad", span.line, f"The promise {span.promise} has no text.", "Write the sentence.")


def _missing(policy: Policy, registry: Registry, not_made: Collection[str]) -> Iterator[PolicyProblem]:
    for promise in registry:
        if promise.id not in policy.promises and promise.id not in not_made:
            mend = f"Add a sentence and bind it: [{promise.means}]{{promise={promise.id}}}"
            yield PolicyProblem("bad", 0, f"The promise {promise.id} is missing from the text.", mend)


def _out_of_place(policy: Policy, registry: Registry, not_made: Collection[str]) -> Iterator[PolicyProblem]:
    """Yield promises that are tested only where a part of Troth is on, and it is off."""
    for span in policy.spans:
        if span.promise in not_made:
            section = registry[span.promise].section
            problem = f"{span.promise} is promised, but [{section}] is off, so nothing tests it."
            mend = f"Remove the sentence, or set enabled = true under [{section}]."
            yield PolicyProblem("bad", span.line, problem, mend)


def _unbacked(policy: Policy, registry: Registry, backed: set[str]) -> Iterator[PolicyProblem]:
    for span in policy.spans:
        if span.promise in registry and span.promise not in backed:
            mend = "Write a mutant that makes its proof fail. Until then nothing shows that the promise is kept."
            yield PolicyProblem("bad", span.line, f"No breach of {span.promise} is known to be detected.", mend)


def _twice(policy: Policy) -> Iterator[PolicyProblem]:
    first: dict[str, int] = {}
    for span in policy.spans:
        if span.promise in first:
            problem = f"{span.promise} is already promised in line {first[span.promise]}."
            yield PolicyProblem("warn", span.line, problem, "Check that both sentences agree, or remove one.")
        first.setdefault(span.promise, span.line)


# -- words ------------------------------------------------------------------------------------------------------------

_OTHERS = r"(partners?|third part(?:y|ies)|advertisers?|affiliates?|sponsors?|other companies|brokers?|anyone|others)"
_AGAINST = {
    "contact.not-shared": (
        rf"\b(?:shar|sell|sold|rent|trad|giv|pass|disclos|transfer|provid|hand|send)\w*\b[^;]{{0,60}}\b{_OTHERS}\b",
    ),
    "contact.purpose": (
        r"\b(?:us(?:e|es|ed|ing)|analy[sz]\w+)\b[^;]{0,50}\b(?:marketing|profil\w+|advertis\w+|training)\b",
    ),
    "contact.basic": (
        r"\b(?:collect|record|log|store|keep|track|gather|note)\w*\b[^;]{0,50}\b(?:location|ip address(?:es)?|"
        r"device|browsing|birthda\w+|gender|fingerprints?|behaviou?r)\b",
        r"\bus(?:e|es|ing)\b[^;]{0,30}\bcookies\b",
    ),
    "cards.not-kept": (
        r"\b(?:stor|keep|kept|sav|retain|record|log)\w*\b[^;]{0,40}\bcard numbers?\b",
        r"\bcard numbers?\b[^;]{0,20}\b(?:is|are) (?:stored|kept|saved|retained)\b",
    ),
    "policy.current": (r"\bchang\w+\b[^;]{0,60}\b(?:without (?:notice|notifying|telling)|at any time)\b",),
}
"""Patterns that contradict a promise unless they are negated."""
_OPPOSITES = [
    (promise, re.compile(pattern, re.IGNORECASE)) for promise, patterns in _AGAINST.items() for pattern in patterns
]
_DENIED = re.compile(r"\b(not|never|no|nobody|none|without|neither|nor|\w+n[’']t|nothing|cannot)\b", re.IGNORECASE)
_CLAIM = re.compile(
    r"\b(never|always|under no circumstances|guarantee[ds]?|ensure[ds]?|100 ?%|completely|fully secure|military|"
    r"bank-grade|anonym\w+|only ever|no one|nobody|we (do|will|shall|would|can) (not|never)|we (don|won|can)[’']t|"
    r"we (promise|vow|pledge)|(is|are|stays?) (always )?(safe|secure|private|confidential))\b",
    re.IGNORECASE,
)


def _sentences(policy: Policy) -> Iterator[tuple[Block, int, str]]:
    """Yield each sentence with its block and its start there."""
    for block in policy.blocks:
        for match in re.finditer(r"[^.!?]+[.!?]*", block.text):
            yield block, match.start(), match[0]


def _contradictions(policy: Policy) -> Iterator[PolicyProblem]:
    """Yield sentences that contradict a promise of the text."""
    for block, begin, sentence in _sentences(policy):
        for promise, against in _OPPOSITES:
            match = against.search(sentence)
            if match and promise in policy.promises and not _DENIED.search(sentence[: match.end()]):
                problem = f"“{_short(match[0])}” contradicts {promise}."
                yield PolicyProblem(
                    "bad", block.lines[begin + match.start()], problem, "Remove the one that is not true."
                )


def _unbound(policy: Policy) -> Iterator[PolicyProblem]:
    """Yield sentences that sound like promises and are bound to none."""
    for block in policy.blocks:
        for match in _CLAIM.finditer(block.text):
            if not block.bound[match.start()]:
                problem = f"“{_around(block.text, match.start())}” sounds like a promise, but nothing keeps it."
                mend = "Bind the sentence to a promise, or claim less."
                yield PolicyProblem("warn", block.lines[match.start()], problem, mend)


_DURATION = re.compile(r"\b(\d[\d,]*|one|two|three|six|twelve)[ -](hour|day|week|month|year)s?\b", re.IGNORECASE)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "six": 6, "twelve": 12}
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24, "month": 365 * 2, "year": 365 * 24}


def _durations(text: str) -> set[int]:
    """Return each duration in a text, in hours."""
    return {_hours(match) for match in _DURATION.finditer(text)}


def _hours(match: re.Match[str]) -> int:
    count = _NUMBERS.get(match[1].lower()) or int(match[1].replace(",", "")[:9])
    return count * _HOURS[match[2].lower()]


def _other_durations(policy: Policy, durations: set[int]) -> Iterator[PolicyProblem]:
    """Yield durations in the text that are not in the tables."""
    for block in policy.blocks:
        for match in _DURATION.finditer(block.text):
            if _hours(match) not in durations:
                problem = f"The text says “{match[0]}”, which is not in the generated tables."
                mend = "Leave it to {{ how_long }}, or change the setting."
                yield PolicyProblem("warn", block.lines[match.start()], problem, mend)


def _short(text: str, most: int = 60) -> str:
    """Shorten a text to one line without control characters."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + " …"


def _around(text: str, at: int) -> str:
    """Return the words around this position."""
    begin = max(text.rfind(sign, 0, at) for sign in ".!?:;") + 1
    sentence = re.match(r"[^.!?]*[.!?]?", text[max(begin, at - 30) :].lstrip(" “”’"))
    return _short(sentence[0]) if sentence else ""


# -- form -------------------------------------------------------------------------------------------------------------


def _places(policy: Policy) -> Iterator[PolicyProblem]:
    for block in policy.blocks:
        for match in PLACE.finditer(block.text):
            if match[1] not in PLACES:
                problem = f"Unknown placeholder {{{{ {match[1]} }}}}."
                yield PolicyProblem(
                    "bad", block.lines[match.start()], problem, f"Known placeholders: {', '.join(PLACES)}."
                )
    used = {match[1] for block in policy.blocks for match in PLACE.finditer(block.text)}
    for place in ("what_is_collected", "what_is_counted", "who_receives_it", "how_long", "contact"):
        if place not in used:
            alone = "" if place == "contact" else " alone in a paragraph"
            yield PolicyProblem("bad", 0, f"The text does not state {_LACKS[place]}.", f"Add {{{{ {place} }}}}{alone}.")


_LACKS = {
    "what_is_collected": "what is collected",
    "what_is_counted": "what is counted",
    "who_receives_it": "who receives it",
    "how_long": "how long it is kept",
    "contact": "whom to contact",
}


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]")


def _marks(policy: Policy) -> Iterator[PolicyProblem]:
    """Yield invisible characters, which can change how a text reads, and HTML, which is shown as text."""
    for number, line in enumerate(policy.text.split("\n"), 1):
        unseen = _UNSEEN.search(line)
        if unseen:
            problem = f"Invisible character (U+{ord(unseen[0]):04X})."
            yield PolicyProblem("bad", number, problem, "Remove it: it can change how a sentence reads.")
    for block in policy.blocks:
        match = re.search(r"</?[a-zA-Z][^<>]*>", block.text)
        if match:
            problem = f"“{_short(match[0], 30)}” is shown as text: HTML has no effect here."
            yield PolicyProblem("warn", block.lines[match.start()], problem, "Use Markdown.")
