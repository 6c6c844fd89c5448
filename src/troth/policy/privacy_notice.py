"""What people must be told when they give their details (GDPR, article 13): as a notice that the policy unfolds, and
what of it a policy's text lacks.

A duty is met by a place in double braces, or by words: a net with wide meshes, so it warns and never refuses. Whether
what is said is true and enough for this site is for the operator to judge. Touches nothing.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from troth.core.config.sections import Config
from troth.policy.problem import Problem
from troth.policy.text import PLACE, Policy

NOTICE = "legal_notice"
"""The place that says all of it."""
_RIGHTS = (
    "You have the right to access your data, to have it corrected, deleted or its use restricted, to take it along, "
    "and to object to its use: {{ rights }}, or write to {{ contact }}."
)


@dataclass(frozen=True, slots=True)
class Duty:
    """One thing to be told."""

    article: str
    """Of article 13: paragraph and letter."""
    what: str
    line: str
    """A line that says it, in the notice and to be put into a text."""
    words: str
    """What it is called where it is said in words (a pattern)."""
    place: str = NOTICE
    """Another place in the text that says it."""


DUTIES = (
    Duty(
        "(1)(a)",
        "who is responsible, and where they are",
        "{{ controller }} is responsible for your data. {{ officer }}",
        r"\bcontroller\b|\bresponsible (?:for|under)\b",
        "controller",
    ),
    Duty(
        "(1)(c) and (d)",
        "the legal basis, and the interests where it rests on them",
        "Legal basis (GDPR, Article 6): for the newsletter, your consent; for an answer, what you asked for; for "
        "running this site and being able to show that you agreed, our legitimate interest in both.",
        r"\blegal (?:basis|bases|grounds?)\b|\barticle 6\b|\bart\. ?6\b",
    ),
    Duty("(1)(e)", "who receives it", "{{ who_receives_it }}", r"\b(?:recipient|processor)s?\b", "who_receives_it"),
    Duty(
        "(1)(f)",
        "whether it goes to a country outside of the European Economic Area",
        "{{ transfers }}",
        r"\bthird countr|\boutside (?:of )?the (?:e\.?u|e\.?e\.?a|european)|\btransfers?\b",
        "transfers",
    ),
    Duty("(2)(a)", "how long it is kept", "{{ how_long }}", r"\bretention\b|\bhow long\b", "how_long"),
    Duty("(2)(b)", "the right to see it", _RIGHTS, r"\baccess\b|\bsee (?:what|your)\b"),
    Duty("(2)(b)", "the right to have it corrected", _RIGHTS, r"\bcorrect|\brectif"),
    Duty("(2)(b)", "the right to have it erased", _RIGHTS, r"\beras|\bdelet"),
    Duty("(2)(b)", "the right to restrict its use", _RIGHTS, r"\brestrict"),
    Duty("(2)(b)", "the right to take it along", _RIGHTS, r"\bportab|\btake (?:it|them|your data) along\b"),
    Duty("(2)(b)", "the right to object", _RIGHTS, r"\bobject(?:ion|s)?\b"),
    Duty(
        "(2)(c)",
        "that consent can be withdrawn",
        "You can withdraw your consent at any time; what was done before stays lawful.",
        r"\bwithdraw",
    ),
    Duty(
        "(2)(d)",
        "that people may complain to an authority",
        "You can complain to {{ authority }}.",
        r"\bcomplain|\bsupervisory authorit",
        "authority",
    ),
    Duty(
        "(2)(e)",
        "whether people must give their data, and what follows if they do not",
        "You need not give us anything; without an address we can’t write to you.",
        r"\bneed not (?:give|provide)\b|\bnot (?:required|obliged)\b|\bvoluntar",
    ),
    Duty(
        "(2)(f)",
        "whether a machine alone decides about them",
        "No decision about you is automated.",
        r"\bautomat\w+\b|\bprofiling\b",
    ),
)
"""Everything that article 13 asks for, but for the data-protection officer, whom not everybody has."""
_TABLES = ("who_receives_it", "how_long")


def notice(fill: Mapping[str, str]) -> str:
    """All of it but the tables, folded away, as HTML. `fill`: HTML for the places in it."""
    lines = dict.fromkeys(duty.line for duty in DUTIES if duty.place not in _TABLES)
    said = "".join(f"<li>{PLACE.sub(lambda found: fill[found[1]], escape(line, quote=False))}</li>" for line in lines)
    return f"<details><summary>Who is responsible, and your rights</summary><div><ul>{said}</ul></div></details>"


def lacking(policy: Policy, config: Config) -> list[Problem]:
    """What people are not told by this text on this site, each with the line to add."""
    text = " ".join(block.text for block in policy.blocks)
    places = {found[1] for found in PLACE.finditer(text)}
    if NOTICE in places:
        places |= {duty.place for duty in DUTIES if duty.place not in _TABLES} | {"officer"}
    return [*_unsaid(PLACE.sub(" ", text), places), *_unset(places, config)]


def _unsaid(words: str, places: set[str]) -> Iterator[Problem]:
    for duty in DUTIES:
        if duty.place not in places and not re.search(duty.words, words, re.IGNORECASE):
            what = f"The text does not say {duty.what} (GDPR, article 13{duty.article})."
            whole = "" if duty.place in _TABLES else f" Or a paragraph that says all of article 13: {{{{ {NOTICE} }}}}"
            yield Problem("warn", 0, what, f"Add a line: {duty.line}{whole}")


def _unset(places: set[str], config: Config) -> Iterator[Problem]:
    """Places in the text for which the settings have nothing to say, and settings that the text does not show."""
    told = config.controller
    if "controller" in places and not told.address:
        what = "Whoever is responsible has no postal address in it (GDPR, article 13(1)(a))."
        yield Problem("warn", 0, what, 'Under [controller] in troth.toml: address = "1 Example Row, 12345 Exampleton"')
    if "transfers" in places and not told.transfers:
        what = "It does not say whether data goes outside of the European Economic Area (GDPR, article 13(1)(f))."
        mend = 'Under [controller] in troth.toml: transfers = "Whoever receives it is in the European Economic Area."'
        yield Problem("warn", 0, what, mend)
    if told.data_protection_officer and "officer" not in places:
        what = "It does not name the data-protection officer (GDPR, article 13(1)(b))."
        yield Problem("warn", 0, what, "Add a line: {{ officer }}")
