"""Whether a policy's text may stand: it says what the code does, all of it, and nothing that nothing keeps.

What is `bad` cannot be published. What is `warn` is for a person to judge: a net of words has wide meshes, and catches
what is harmless, too. May touch: definitions and settings.
"""

import difflib
import re
from collections.abc import Iterator

from troth.core.config.sections import Config
from troth.policy import data_map, privacy_notice, promises
from troth.policy.problem import Problem
from troth.policy.promise import Registry
from troth.policy.promises import PROMISES
from troth.policy.text import PLACE, PLACES, Block, Policy


def judge(text: Policy, config: Config) -> list[Problem]:
    """What is wrong with this text for the site as it is set; what is bad comes first."""
    said = [row.until for row in data_map.lifetimes(config)] + [row.until for row in data_map.kept(config)]
    known = {each for one in said for each in _durations(one)}
    backed = {promise for promise in PROMISES.ids if promises.breaches_seen(promise)}
    found = check(text, PROMISES, backed, data_map.undeclared(config), known)
    return [*found, *privacy_notice.lacking(text, config)]


def check(
    policy: Policy, registry: Registry, backed: set[str], undeclared: list[str], durations: set[int] | None = None
) -> list[Problem]:
    """The same against a registry. `backed`: the promises for which a breach is known to be seen; `undeclared`: what is
    collected and not in the data map; `durations`: those that the tables name, None where they are not to be compared.
    """
    found = [
        *_unreadable(policy),
        *_unknown(policy, registry),
        *_missing(policy, registry),
        *_unbacked(policy, registry, backed),
    ]
    found += [*_twice(policy), *_contradictions(policy), *_unbound(policy), *_places(policy), *_marks(policy)]
    found += _other_durations(policy, durations) if durations is not None else ()
    for what in undeclared:
        mend = "Declare it in src/troth/policy/data_map.py: why, how long, who gets it."
        found.append(Problem("bad", 0, f"{what} is collected, and the data map does not say so.", mend))
    return sorted(found, key=lambda problem: (problem.level != "bad", problem.line))


# -- promises ---------------------------------------------------------------------------------------------------------


def _unreadable(policy: Policy) -> Iterator[Problem]:
    """Marks that look like a promise's and are none: visitors would read them."""
    for block in policy.blocks:
        for found in re.finditer(r"\{\s*promise\b", block.text):
            mend = "Write [the sentence]{promise=its.id}: no spaces in the braces, none inside another."
            yield Problem("bad", block.lines[found.start()], "A promise’s mark here cannot be read.", mend)


def _unknown(policy: Policy, registry: Registry) -> Iterator[Problem]:
    for span in policy.spans:
        if span.promise not in registry:
            close = difflib.get_close_matches(span.promise, registry.ids, 1, cutoff=0.8)
            mend = f"Did you mean {close[0]}?" if close else f"There are: {', '.join(registry.ids)}."
            what = f"Nothing keeps the promise “{_short(span.promise)}”: the code does not know it."
            yield Problem("bad", span.line, what, mend)
        elif not re.search(r"\w", span.text):
            yield Problem("bad", span.line, f"The promise {span.promise} has no words.", "Write the sentence.")


def _missing(policy: Policy, registry: Registry) -> Iterator[Problem]:
    for promise in registry:
        if promise.id not in policy.promises:
            mend = f"Write a sentence and bind it: [{promise.means}]{{promise={promise.id}}}"
            yield Problem("bad", 0, f"The code makes the promise {promise.id}, and the text does not say so.", mend)


def _unbacked(policy: Policy, registry: Registry, backed: set[str]) -> Iterator[Problem]:
    for span in policy.spans:
        if span.promise in registry and span.promise not in backed:
            mend = "Write a mutant that turns its proof red; until then it is only words."
            yield Problem("bad", span.line, f"No breach of {span.promise} is known to be seen.", mend)


def _twice(policy: Policy) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for span in policy.spans:
        if span.promise in first:
            what = f"{span.promise} is promised in line {first[span.promise]} already."
            yield Problem("warn", span.line, what, "See that both say the same, or say it once.")
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
"""Words that say the opposite of a promise, unless they are denied. It points; a person judges."""
_OPPOSITES = [(one, re.compile(words, re.IGNORECASE)) for one, several in _AGAINST.items() for words in several]
_DENIED = re.compile(r"\b(not|never|no|nobody|none|without|neither|nor|\w+n[’']t|nothing|cannot)\b", re.IGNORECASE)
_CLAIM = re.compile(
    r"\b(never|always|under no circumstances|guarantee[ds]?|ensure[ds]?|100 ?%|completely|fully secure|military|"
    r"bank-grade|anonym\w+|only ever|no one|nobody|we (do|will|shall|would|can) (not|never)|we (don|won|can)[’']t|"
    r"we (promise|vow|pledge)|(is|are|stays?) (always )?(safe|secure|private|confidential))\b",
    re.IGNORECASE,
)


def _sentences(policy: Policy) -> Iterator[tuple[Block, int, str]]:
    """Each sentence with its block and where it begins there."""
    for block in policy.blocks:
        for found in re.finditer(r"[^.!?]+[.!?]*", block.text):
            yield block, found.start(), found[0]


def _contradictions(policy: Policy) -> Iterator[Problem]:
    """Sentences that say the opposite of a promise that the text makes."""
    for block, begin, sentence in _sentences(policy):
        for promise, against in _OPPOSITES:
            found = against.search(sentence)
            if found and promise in policy.promises and not _DENIED.search(sentence[: found.end()]):
                what = f"“{_short(found[0])}” says the opposite of {promise}."
                yield Problem("bad", block.lines[begin + found.start()], what, "Take out the one that is not true.")


def _unbound(policy: Policy) -> Iterator[Problem]:
    """Words that promise something outside of every promise."""
    for block in policy.blocks:
        for found in _CLAIM.finditer(block.text):
            if not block.bound[found.start()]:
                what = f"“{_around(block.text, found.start())}” is a promise, and nothing stands behind it."
                mend = "Bind the sentence to a promise, or say it more modestly."
                yield Problem("warn", block.lines[found.start()], what, mend)


_DURATION = re.compile(r"\b(\d[\d,]*|one|two|three|six|twelve)[ -](hour|day|week|month|year)s?\b", re.IGNORECASE)
_NUMBERS = {"one": 1, "two": 2, "three": 3, "six": 6, "twelve": 12}
_HOURS = {"hour": 1, "day": 24, "week": 7 * 24, "month": 365 * 2, "year": 365 * 24}


def _durations(text: str) -> set[int]:
    """Each length of time that a text names, in hours."""
    return {_hours(found) for found in _DURATION.finditer(text)}


def _hours(found: re.Match[str]) -> int:
    count = _NUMBERS.get(found[1].lower()) or int(found[1].replace(",", "")[:9])
    return count * _HOURS[found[2].lower()]


def _other_durations(policy: Policy, durations: set[int]) -> Iterator[Problem]:
    """Lengths of time that the text names and the tables do not."""
    for block in policy.blocks:
        for found in _DURATION.finditer(block.text):
            if _hours(found) not in durations:
                what = f"The text says “{found[0]}”; the tables, which the program makes, name no such time."
                mend = "Leave it to {{ how_long }}, or change the setting."
                yield Problem("warn", block.lines[found.start()], what, mend)


def _short(text: str, most: int = 60) -> str:
    """A few words, on one line, without signs that a terminal obeys."""
    words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    return words if len(words) <= most else words[:most].rsplit(" ", 1)[0] + " …"


def _around(text: str, at: int) -> str:
    """The words that begin a few before this place."""
    begin = max(text.rfind(sign, 0, at) for sign in ".!?:;") + 1
    rest = re.match(r"[^.!?]*[.!?]?", text[max(begin, at - 30) :].lstrip(" “”’"))
    return _short(rest[0]) if rest else ""


# -- form -------------------------------------------------------------------------------------------------------------


def _places(policy: Policy) -> Iterator[Problem]:
    for block in policy.blocks:
        for found in PLACE.finditer(block.text):
            if found[1] not in PLACES:
                what = f"{{{{ {found[1]} }}}} is filled in by nothing."
                yield Problem("bad", block.lines[found.start()], what, f"There are: {', '.join(PLACES)}.")
    said = {found[1] for block in policy.blocks for found in PLACE.finditer(block.text)}
    for place in ("what_is_collected", "what_is_counted", "who_receives_it", "how_long", "contact"):
        if place not in said:
            mend = f"Put {{{{ {place} }}}} alone into a paragraph." if place != "contact" else "Put {{ contact }} in."
            yield Problem("bad", 0, f"The text does not say {_LACKS[place]}.", mend)


_LACKS = {
    "what_is_collected": "what is collected",
    "what_is_counted": "what is counted of visits",
    "who_receives_it": "who receives it",
    "how_long": "how long it is kept",
    "contact": "whom to write to",
}


_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufffd]")


def _marks(policy: Policy) -> Iterator[Problem]:
    """Signs that are not seen and turn what is read; HTML, which is shown as text, and was meant otherwise."""
    for number, line in enumerate(policy.text.split("\n"), 1):
        unseen = _UNSEEN.search(line)
        if unseen:
            what = f"A sign stands here that nobody sees (U+{ord(unseen[0]):04X})."
            yield Problem("bad", number, what, "Take it out: it can make a sentence read otherwise than it is.")
    for block in policy.blocks:
        found = re.search(r"</?[a-zA-Z][^<>]*>", block.text)
        if found:
            what = f"“{_short(found[0], 30)}” is shown as it stands: HTML does nothing here."
            yield Problem("warn", block.lines[found.start()], what, "Write Markdown.")
