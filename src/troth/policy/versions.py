"""The policy's versions: what is in force, what was, and how a text becomes the policy. Never changed, never removed.

May touch: `policy.md` (reading) and the database.
"""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from troth.core.errors import TrothError
from troth.core.site import Site
from troth.policy import data_map, lint
from troth.policy import text as policy
from troth.policy.models import PolicyVersion
from troth.policy.problem import Problem
from troth.policy.text import Policy, PolicyError

LONGEST_SAID = 500
FIRST = "The first version."


class NotPublished(TrothError):
    """A text cannot become the policy. `problems`: all that is bad in it."""

    def __init__(self, what: str, *, mend: str, problems: list[Problem] | None = None) -> None:
        super().__init__(what, mend=mend)
        self.problems = problems or []


@dataclass(frozen=True, slots=True)
class Draft:
    """What lies in `policy.md`, beside what is in force."""

    text: Policy | None
    trouble: str
    """Why it cannot be read, with the mend; empty where it can."""
    problems: tuple[Problem, ...]
    version: PolicyVersion | None
    """What is in force."""
    edited: bool
    """The text is not the one in force."""
    other_tables: bool
    """The program makes other tables than when this version was published."""

    @property
    def bad(self) -> bool:
        """Whether it cannot be published as it is."""
        return self.text is None or any(one.level == "bad" for one in self.problems)

    @property
    def waits(self) -> bool:
        """Whether there is something to publish."""
        return self.edited or self.other_tables


def draft(path: Path | None = None) -> Draft:
    """What lies in `policy.md` now, judged. `path`: read it there; by default where a fenced process may."""
    version = PolicyVersion.objects.order_by("-number").first()
    tables = data_map.tables(settings.TROTH_CONFIG)
    try:
        text = policy.read(path or _where())
    except PolicyError as error:
        trouble = f"{error} {error.mend}".replace(settings.TROTH_SITE.policy_copy.name, "policy.md")
        return Draft(None, trouble, (), version, edited=version is not None, other_tables=False)
    return Draft(
        text=text,
        trouble="",
        problems=tuple(lint.judge(text, settings.TROTH_CONFIG)),
        version=version,
        edited=version is None or version.digest != text.digest,
        other_tables=version is not None and version.tables != tables,
    )


def _where() -> Path:
    site: Site = settings.TROTH_SITE
    return site.policy_copy if site.policy_copy.exists() else site.policy


def publish(text: Policy, said: str, by: str) -> PolicyVersion:
    """Make this text the policy in force: a new version, unless it is the one in force with the same tables.

    `said`: what changed, in words; nothing is published without. Raises `NotPublished`.
    """
    bad = [one for one in lint.judge(text, settings.TROTH_CONFIG) if one.level == "bad"]
    if bad:
        what = f"policy.md cannot be published. {bad[0].place}: {bad[0].what}"
        raise NotPublished(what, mend="`troth policy check` says everything that is wrong.", problems=bad)
    said = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
    if not said:
        raise NotPublished("Nothing is published without a word.", mend="Say what changed, for those who read it.")
    if len(said) > LONGEST_SAID:
        raise NotPublished(f"That has {len(said)} characters.", mend=f"Say what changed in {LONGEST_SAID}.")
    return _written(text, said, by)


def _written(text: Policy, said: str, by: str) -> PolicyVersion:
    tables = data_map.tables(settings.TROTH_CONFIG)
    try:
        with transaction.atomic():
            newest = PolicyVersion.objects.order_by("-number").first()
            if newest is not None and (newest.digest, newest.tables) == (text.digest, tables):
                return newest
            number = newest.number + 1 if newest else 1
            made = PolicyVersion(number=number, text=text.text, digest=text.digest, tables=tables, said=said, by=by)
            made.link = made.linked()
            made.save(force_insert=True)
            return made
    except IntegrityError:
        raise NotPublished(
            "Somebody else published at this moment.", mend="Look at what they said, then again."
        ) from None


def in_force() -> PolicyVersion | None:
    """The version that visitors read; the first one is published by itself, where it may be."""
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is not None:
        return newest
    found = draft()
    return None if found.text is None or found.bad else publish(found.text, FIRST, "worker")
