"""Information that people must get when they give their details (GDPR, article 13): a notice for the policy, and a
check of what a text lacks. A duty is met by a placeholder or certain words; as that can miss and mistake, it only
warns."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from troth.core.config.sections import Config
from troth.policy.problem import PolicyProblem
from troth.policy.text import PLACE, Policy

NOTICE = "legal_notice"
"""The placeholder for the whole notice."""
_RIGHTS = (
    "You have the right to access, correct or delete your data, to restrict or object to its use, and to data "
    "portability: {{ rights }}, or write to {{ contact }}."
)


@dataclass(frozen=True, slots=True)
class Duty:
    """One required piece of information."""

    article: str
    """Paragraph and letter of article 13."""
    topic: str
    line: str
    """A sentence for it, used in the notice and suggested for a text."""
    words: str
    """A pattern of words that mention it."""
    place: str = NOTICE
    """Another placeholder for it."""


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
        "Legal basis (GDPR, Article 6): for the newsletter, your consent; for replies, your request; for running this "
        "site and keeping evidence of your consent, our legitimate interests.",
        r"\blegal (?:basis|bases|grounds?)\b|\barticle 6\b|\bart\. ?6\b",
    ),
    Duty("(1)(e)", "who receives it", "{{ who_receives_it }}", r"\b(?:recipient|processor)s?\b", "who_receives_it"),
    Duty(
        "(1)(f)",
        "whether it is transferred outside the European Economic Area",
        "{{ transfers }}",
        r"\bthird countr|\boutside (?:of )?the (?:e\.?u|e\.?e\.?a|european)|\btransfers?\b",
        "transfers",
    ),
    Duty("(2)(a)", "how long it is kept", "{{ how_long }}", r"\bretention\b|\bhow long\b", "how_long"),
    Duty("(2)(b)", "the right of access", _RIGHTS, r"\baccess\b|\bsee (?:what|your)\b"),
    Duty("(2)(b)", "the right to correction", _RIGHTS, r"\bcorrect|\brectif"),
    Duty("(2)(b)", "the right to deletion", _RIGHTS, r"\beras|\bdelet"),
    Duty("(2)(b)", "the right to restrict its use", _RIGHTS, r"\brestrict"),
    Duty("(2)(b)", "the right to data portability", _RIGHTS, r"\bportab|\btake (?:it|them|your data) along\b"),
    Duty("(2)(b)", "the right to object", _RIGHTS, r"\bobject(?:ion|s)?\b"),
    Duty(
        "(2)(c)",
        "that consent can be withdrawn",
        "You can withdraw your consent at any time; what was done before stays lawful.",
        r"\bwithdraw",
    ),
    Duty(
        "(2)(d)",
        "the right to complain to an authority",
        "You can complain to {{ authority }}.",
        r"\bcomplain|\bsupervisory authorit",
        "authority",
    ),
    Duty(
        "(2)(e)",
        "whether people must provide their data, and what happens if they do not",
        "You are not required to give us any data; without an address we can’t write to you.",
        r"\bneed not (?:give|provide)\b|\bnot (?:required|obliged)\b|\bvoluntar",
    ),
    Duty(
        "(2)(f)",
        "whether decisions about them are automated",
        "We make no automated decisions about you.",
        r"\bautomat\w+\b|\bprofiling\b",
    ),
)
"""All that article 13 requires, except for the data protection officer, whom not every site has."""
_TABLES = ("who_receives_it", "how_long")


def notice(fill: Mapping[str, str]) -> str:
    """Return the notice without the tables as collapsed HTML. `fill`: HTML of the placeholders in it."""
    lines = dict.fromkeys(duty.line for duty in DUTIES if duty.place not in _TABLES)
    items = "".join(f"<li>{PLACE.sub(lambda match: fill[match[1]], escape(line, quote=False))}</li>" for line in lines)
    return f"<details><summary>Controller, legal basis and your rights</summary><div><ul>{items}</ul></div></details>"


def lacking(policy: Policy, config: Config) -> list[PolicyProblem]:
    """Return what this text does not tell people, each with a sentence to add."""
    text = " ".join(block.text for block in policy.blocks)
    places = {match[1] for match in PLACE.finditer(text)}
    if NOTICE in places:
        places |= {duty.place for duty in DUTIES if duty.place not in _TABLES} | {"officer"}
    return [*_unsaid(PLACE.sub(" ", text), places), *_unset(places, config)]


def _unsaid(words: str, places: set[str]) -> Iterator[PolicyProblem]:
    for duty in DUTIES:
        if duty.place not in places and not re.search(duty.words, words, re.IGNORECASE):
            problem = f"The text does not state {duty.topic} (GDPR, article 13{duty.article})."
            notice_hint = (
                "" if duty.place in _TABLES else f" Or add a paragraph with the whole notice: {{{{ {NOTICE} }}}}"
            )
            yield PolicyProblem("warn", 0, problem, f"Add a line: {duty.line}{notice_hint}")


def _unset(places: set[str], config: Config) -> Iterator[PolicyProblem]:
    """Yield placeholders without a setting, and settings that the text does not show."""
    controller = config.controller
    if "controller" in places and not controller.address:
        problem = "The controller’s postal address is missing (GDPR, article 13(1)(a))."
        yield PolicyProblem(
            "warn", 0, problem, 'Under [controller] in troth.toml: address = "1 Example Row, 12345 Exampleton"'
        )
    if "transfers" in places and not controller.transfers:
        problem = "It does not state whether data leaves the European Economic Area (GDPR, article 13(1)(f))."
        mend = 'Under [controller] in troth.toml: transfers = "All recipients are in the European Economic Area."'
        yield PolicyProblem("warn", 0, problem, mend)
    if controller.data_protection_officer and "officer" not in places:
        problem = "It does not name the data protection officer (GDPR, article 13(1)(b))."
        yield PolicyProblem("warn", 0, problem, "Add a line: {{ officer }}")
