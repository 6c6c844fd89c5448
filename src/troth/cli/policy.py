"""`troth policy`: check the privacy policy, publish it, show earlier versions. Exit code 1: the text has problems; each
is printed with its line and its fix."""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site, print_json
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from django import conf

    from troth.core.config import load
    from troth.operate import create_site
    from troth.policy import data_map, lint, models
    from troth.policy import diff as differences
    from troth.policy import text as texts
    from troth.policy import versions as service
    from troth.policy.problem import PolicyProblem
else:
    conf = lazy("django.conf")
    create_site = lazy("troth.operate.create_site")
    load = lazy("troth.core.config.load")
    data_map = lazy("troth.policy.data_map")
    differences = lazy("troth.policy.diff")
    lint = lazy("troth.policy.lint")
    models = lazy("troth.policy.models")
    service = lazy("troth.policy.versions")
    texts = lazy("troth.policy.text")

policy = typer.Typer(no_args_is_help=True, help="The privacy policy: check it, publish it, show what changed.")


def _open(site: Path) -> Path:
    """Point Django at the site and return the path of its policy."""
    open_site(site)
    return Site(site.resolve()).policy


@policy.command("check")
def check(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Check policy.md: list sentences that no control keeps, and processing that the policy does not mention."""
    path = _open(site)
    problems = lint.judge(texts.read(path), conf.settings.TROTH_CONFIG)
    if as_json:
        print_json([asdict(problem) for problem in problems])
    else:
        _say_problems(problems)
    raise typer.Exit(int(any(problem.level == "bad" for problem in problems)))


def _say_problems(problems: "Iterable[PolicyProblem]") -> None:
    empty = True
    for problem in problems:
        empty = False
        sign = "✗" if problem.level == "bad" else "!"
        sys.stdout.write(f"{sign} {problem.place}: {problem.what}\n  → {problem.mend}\n")
    if empty:
        sys.stdout.write("✓ policy.md describes what Troth does, and a control keeps each of its promises.\n")


@policy.command("publish")
def publish(
    changes: Annotated[
        str, typer.Option("--said", metavar="WORDS", help="What changed, in your own words. Default: asked for.")
    ] = "",
    site: SiteOption = Path(),
) -> None:
    """Publish policy.md as a new, dated version. Visitors see it within seconds; earlier versions are kept."""
    path = _open(site)
    draft = service.draft(path)
    if draft.text is None:
        raise TrothError(draft.trouble)
    if draft.version is not None and not draft.waits:
        sys.stdout.write(f"Nothing has changed: version {draft.version.number} is published.\n")
        return
    if not changes and not draft.bad:
        changes = _ask_what_changed(draft.version, draft.text.text)
    version = service.publish(draft.text, changes, SHELL)
    sys.stdout.write(f"Version {version.number} is published.\n")


def _ask_what_changed(version: "models.PolicyVersion | None", text: str) -> str:
    if not sys.stdin.isatty():
        raise TrothError(
            "Say what changed: readers see it next to the version.", mend='troth policy publish --said "…"'
        )
    if version is not None:
        _say_difference(version, text)
    return str(typer.prompt("What changed, in a sentence for readers", err=True))


def _say_difference(version: "models.PolicyVersion", text: str) -> None:
    new = differences.whole(text, data_map.tables(conf.settings.TROTH_CONFIG))
    for line in differences.between(differences.whole(version.text, version.tables), new):
        sys.stdout.write("".join(char if char.isprintable() else "\ufffd" for char in str(line)) + "\n")


@policy.command("diff")
def diff(site: SiteOption = Path()) -> None:
    """Show what publishing policy.md would change, including generated tables. Exit code 1 if anything would."""
    path = _open(site)
    draft = service.draft(path)
    if draft.text is None:
        raise TrothError(draft.trouble)
    if draft.version is None:
        sys.stdout.write("No policy is published yet.\n")
        raise typer.Exit(1)
    _say_difference(draft.version, draft.text.text)
    raise typer.Exit(int(draft.waits))


@policy.command("versions")
def versions(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the published versions: number, date, hash, what changed."""
    _open(site)
    rows = list(models.PolicyVersion.objects.order_by("-number"))
    if as_json:
        return print_json(
            [
                {
                    "number": row.number,
                    "at": row.published_at.isoformat(),
                    "sha256": row.digest,
                    "whole": row.is_whole(),
                    "said": row.said,
                    "by": row.by,
                }
                for row in rows
            ]
        )
    for row in rows:
        altered = "" if row.is_whole() else "  ALTERED SINCE"
        sys.stdout.write(
            f"{row.number:>4}  {row.published_at:%Y-%m-%d %H:%M}  {row.digest[:12]}  {row.said}{altered}\n"
        )
    if not rows:
        sys.stdout.write("No policy is published yet.\n")
    return None


@policy.command("show")
def show(
    number: Annotated[int, typer.Argument(metavar="[NUMBER]", help="Which version. Default: the current one.")] = 0,
    site: SiteOption = Path(),
) -> None:
    """Print the text of a version as it was published."""
    _open(site)
    rows = models.PolicyVersion.objects.order_by("-number")
    version = rows.filter(number=number).first() if number else rows.first()
    if version is None:
        raise TrothError("There is no such version.", mend="`troth policy versions` lists them.")
    sys.stdout.write(version.text if version.text.endswith("\n") else f"{version.text}\n")


@policy.command("new")
def new(site: SiteOption = Path()) -> None:
    """Write the sample policy to policy.md if there is none. Never overwrites."""
    place = Site(site.resolve())
    path = place.policy
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(create_site.policy_text(shop=_has_shop(place)))
    except FileExistsError:
        raise TrothError(f"{path.name} exists already.", mend="Move it away first.") from None
    except OSError:
        raise TrothError(f"{path} cannot be written.", mend="Name the site's folder with --site.") from None
    sys.stdout.write(f"Wrote {path}. Read it, then: troth policy publish\n")


def _has_shop(site: Site) -> bool:
    try:
        return load.load_config(site.config).shop.enabled
    except TrothError:
        return False  # what is wrong with the settings, `troth doctor` says
