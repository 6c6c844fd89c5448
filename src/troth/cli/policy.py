"""`troth policy`: write it, check it, publish it, look at what was. Parses words and prints answers.

Exit code 1: something is wrong with the text, and each line says what and how to mend it.
"""

import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core.errors import TrothError
from troth.core.site import Site

if TYPE_CHECKING:
    from troth.policy.models import PolicyVersion
    from troth.policy.problem import Problem

policy = typer.Typer(no_args_is_help=True, help="The privacy policy: check it, publish it, see what changed.")
SHELL = "shell"


def _open(site: Path) -> Path:
    """Point Django at the site; returns where its policy is."""
    from troth.operate import site_session

    site_session.in_site(site)
    return Site(site.resolve()).policy


@policy.command("check")
def check(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Say what is wrong with policy.md, by line: what nothing keeps, and what the code does and it does not say."""
    from django.conf import settings

    path = _open(site)
    from troth.policy import lint
    from troth.policy import text as texts

    found = lint.judge(texts.read(path), settings.TROTH_CONFIG)
    if as_json:
        print_json([asdict(problem) for problem in found])
    else:
        _say_problems(found)
    raise typer.Exit(int(any(problem.level == "bad" for problem in found)))


def _say_problems(found: "Iterable[Problem]") -> None:
    empty = True
    for problem in found:
        empty = False
        sign = "✗" if problem.level == "bad" else "!"
        sys.stdout.write(f"{sign} {problem.place}: {problem.what}\n  → {problem.mend}\n")
    if empty:
        sys.stdout.write("✓ policy.md says what the code does, and nothing that nothing keeps.\n")


@policy.command("publish")
def publish(
    said: Annotated[
        str, typer.Option("--said", metavar="WORDS", help="What changed, in your own words; asked for, if left out.")
    ] = "",
    site: SiteOption = Path(),
) -> None:
    """Make policy.md the policy in force: a new version, dated, kept. The worker shows it within seconds."""
    path = _open(site)
    from troth.policy import versions

    found = versions.draft(path)
    if found.text is None:
        raise TrothError(found.trouble)
    if found.version is not None and not found.waits:
        sys.stdout.write(f"Nothing has changed: version {found.version.number} is in force.\n")
        return
    if not said and not found.bad:
        said = _ask_what_changed(found.version, found.text.text)
    made = versions.publish(found.text, said, SHELL)
    sys.stdout.write(f"Version {made.number} is in force.\n")


def _ask_what_changed(version: "PolicyVersion | None", text: str) -> str:
    if not sys.stdin.isatty():
        raise TrothError("Say what changed: it stands beside the version.", mend='troth policy publish --said "…"')
    if version is not None:
        _say_difference(version, text)
    return str(typer.prompt("What changed, in a sentence for those who read it", err=True))


def _say_difference(version: "PolicyVersion", text: str) -> None:
    from django.conf import settings

    from troth.policy import data_map, diff

    new = diff.whole(text, data_map.tables(settings.TROTH_CONFIG))
    for line in diff.between(diff.whole(version.text, version.tables), new):
        sys.stdout.write("".join(sign if sign.isprintable() else "\ufffd" for sign in str(line)) + "\n")


@policy.command("diff")
def diff(site: SiteOption = Path()) -> None:
    """Show what would change if policy.md were published now, tables and all. Exit code 1 if anything would."""
    path = _open(site)
    from troth.policy import versions

    found = versions.draft(path)
    if found.text is None:
        raise TrothError(found.trouble)
    if found.version is None:
        sys.stdout.write("Nothing is published yet.\n")
        raise typer.Exit(1)
    _say_difference(found.version, found.text.text)
    raise typer.Exit(int(found.waits))


@policy.command("versions")
def versions(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List every version that was published: number, since when, digest, what changed."""
    _open(site)
    from troth.policy.models import PolicyVersion

    rows = list(PolicyVersion.objects.order_by("-number"))
    if as_json:
        return print_json(
            [
                {
                    "number": one.number,
                    "at": one.published_at.isoformat(),
                    "sha256": one.digest,
                    "whole": one.is_whole(),
                    "said": one.said,
                    "by": one.by,
                }
                for one in rows
            ]
        )
    for one in rows:
        changed = "" if one.is_whole() else "  ALTERED SINCE"
        sys.stdout.write(
            f"{one.number:>4}  {one.published_at:%Y-%m-%d %H:%M}  {one.digest[:12]}  {one.said}{changed}\n"
        )
    if not rows:
        sys.stdout.write("Nothing is published yet.\n")
    return None


@policy.command("show")
def show(
    number: Annotated[
        int, typer.Argument(metavar="[NUMBER]", help="Which version; the one in force, if left out.")
    ] = 0,
    site: SiteOption = Path(),
) -> None:
    """Print the text of a version as it was published."""
    _open(site)
    from troth.policy.models import PolicyVersion

    rows = PolicyVersion.objects.order_by("-number")
    found = rows.filter(number=number).first() if number else rows.first()
    if found is None:
        raise TrothError("There is no such version.", mend="`troth policy versions` lists them.")
    sys.stdout.write(found.text if found.text.endswith("\n") else f"{found.text}\n")


@policy.command("new")
def new(site: SiteOption = Path()) -> None:
    """Write the sample policy where there is no policy.md. Replaces nothing."""
    from troth.operate import create_site

    path = Site(site.resolve()).policy
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(create_site.policy_text())
    except FileExistsError:
        raise TrothError(f"There is a {path.name} already.", mend="Move it away first.") from None
    except OSError:
        raise TrothError(f"{path} cannot be written.", mend="Name the site's folder with --site.") from None
    sys.stdout.write(f"{path} is written. Read it, then: troth policy publish\n")
