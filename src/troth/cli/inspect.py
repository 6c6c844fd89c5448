"""Commands that look at a site and say what they found: doctor, status, prove, retention."""

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import plain, print_json, say_marked, stdout, with_django


def doctor(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Say what is wrong with a site and how to mend it. Exit code 1 if something is bad."""
    from troth.operate.doctor import examine as doctors

    found = doctors.examine(site)
    if as_json:
        print_json([asdict(finding) for finding in found])
    else:
        signs = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[bold red]✗[/]"}
        for finding in found:
            say_marked(signs[finding.level], finding.what, finding.mend)
    raise typer.Exit(doctors.verdict(found))


def status(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show queues, counts, and whether the worker is alive. Opens nobody's details."""
    with_django(site)
    from troth.worker import status as statuses

    told = asdict(statuses.report())
    if as_json:
        return print_json(told)
    for name, value in told.items():
        sys.stdout.write(f"{name.replace('_', ' '):<20} {_word(value)}\n")
    return None


def _word(value: object) -> str:
    """A figure, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, dict):
        value = ", ".join(f"{key} {count:,}" for key, count in value.items())
    elif isinstance(value, int):
        return f"{value:,}"
    return "—" if value in (None, "") else str(value)


def prove(
    site: SiteOption = Path(),
    light: Annotated[bool, typer.Option("--light", help="Only what is tried every hour.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try every promise of the policy against the running site. Exit code 0 only if all are kept."""
    with_django(site)
    from troth.proofs import run as proofs

    if as_json:
        told = proofs.run(light=light)
        print_json(proofs.as_json(told))
    else:
        told = proofs.run(light=light, say=lambda promise, proof: _say_proof(proof))
        kept = sum(1 for one in told if one.state == "kept")
        stdout().print(f"{kept} of {len(told)} promises kept.", highlight=False)
    raise typer.Exit(proofs.verdict(told))


def _say_proof(proof: Any) -> None:
    signs = {"kept": "[green]✓[/]", "broken": "[bold red]✗[/]", "unproven": "[yellow]?[/]"}
    line = f"{signs[proof.state]} [bold]{proof.id}[/] {plain(proof.detail)} [dim]{proof.ms} ms[/]"
    stdout().print(line, highlight=False, soft_wrap=True)


def retention(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show how long each kind of thing is kept, and the oldest of each. Exit code 1 if one is over its time."""
    with_django(site)
    from troth.policy import retention as keeping

    found = keeping.report()
    if as_json:
        print_json([one.told() for one in found])
    else:
        for one in found:
            say_marked("[bold red]✗[/]" if one.late else "[green]✓[/]", one.line(), one.mend)
    raise typer.Exit(int(any(one.late for one in found)))
