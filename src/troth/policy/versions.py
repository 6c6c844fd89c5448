"""The policy's versions: the one in force, earlier ones, and publishing. Versions are never changed or removed. May
touch: `policy.md` (reading) and the database."""

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import IntegrityError, transaction

from troth.core.errors import TrothError
from troth.core.site import Site
from troth.core.text.card_numbers import mask
from troth.policy import data_map, lint
from troth.policy import text as policy
from troth.policy.models import PolicyVersion
from troth.policy.problem import PolicyProblem
from troth.policy.text import Policy, PolicyError

LONGEST_SAID = 500
FIRST = "The first version."


class NotPublished(TrothError):
    """A text cannot be published. `problems`: all that must be fixed first."""

    def __init__(self, error: str, *, mend: str, problems: list[PolicyProblem] | None = None) -> None:
        super().__init__(error, mend=mend)
        self.problems = problems or []


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """The text in `policy.md`, compared with the version in force."""

    text: Policy | None
    trouble: str
    """Why it cannot be read, with the fix; empty if it can."""
    problems: tuple[PolicyProblem, ...]
    version: PolicyVersion | None
    """The version in force."""
    edited: bool
    """Whether the text differs from the version in force."""
    other_tables: bool
    """Whether the tables have changed since this version was published."""

    @property
    def bad(self) -> bool:
        """Whether it cannot be published as it is."""
        return self.text is None or any(problem.level == "bad" for problem in self.problems)

    @property
    def waits(self) -> bool:
        """Whether there is something to publish."""
        return self.edited or self.other_tables


def draft(path: Path | None = None) -> PolicyDraft:
    """Read and check `policy.md`. `path`: where; by default the copy that a sandboxed process may read."""
    version = PolicyVersion.objects.order_by("-number").first()
    tables = data_map.tables(settings.TROTH_CONFIG)
    try:
        text = policy.read(path or _where())
    except PolicyError as error:
        trouble = f"{error} {error.mend}".replace(settings.TROTH_SITE.policy_copy.name, "policy.md")
        return PolicyDraft(None, trouble, (), version, edited=version is not None, other_tables=False)
    return PolicyDraft(
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


def publish(text: Policy, change: str, by: str) -> PolicyVersion:
    """Publish this text as a new version, unless it is in force with the same tables. `change`: what changed, for
    visitors; required. Raises `NotPublished`."""
    problems = [problem for problem in lint.judge(text, settings.TROTH_CONFIG) if problem.level == "bad"]
    if problems:
        error = f"policy.md cannot be published. {problems[0].place}: {problems[0].what}"
        raise NotPublished(error, mend="`troth policy check` lists all problems.", problems=problems)
    change = mask(" ".join("".join(sign if sign.isprintable() else " " for sign in change).split()))  # B2
    if not change:
        raise NotPublished("Say what changed.", mend="Visitors read this sentence next to the version.")
    if len(change) > LONGEST_SAID:
        raise NotPublished(f"This has {len(change)} characters.", mend=f"Use at most {LONGEST_SAID} characters.")
    return _saved(text, change, by)


def _saved(text: Policy, change: str, by: str) -> PolicyVersion:
    tables = data_map.tables(settings.TROTH_CONFIG)
    try:
        with transaction.atomic():
            newest = PolicyVersion.objects.order_by("-number").first()
            if newest is not None and (newest.digest, newest.tables) == (text.digest, tables):
                return newest
            number = newest.number + 1 if newest else 1
            version = PolicyVersion(
                number=number, text=text.text, digest=text.digest, tables=tables, said=change, by=by
            )
            version.link = version.linked()
            version.save(force_insert=True)
            return version
    except IntegrityError:
        raise NotPublished(
            "Somebody else published at the same time.", mend="Review their version, then try again."
        ) from None


def in_force() -> PolicyVersion | None:
    """Return the version in force. Without one, publish `policy.md` as the first, if it has no problems."""
    newest = PolicyVersion.objects.order_by("-number").first()
    if newest is not None:
        return newest
    first = draft()
    return None if first.text is None or first.bad else publish(first.text, FIRST, "worker")
