"""`troth doctor`, `status`, `prove` and `retention`: examine a site and print the result."""

import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, plain, print_json, say_marked, stdout
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.operate.doctor import examine as doctors
    from troth.policy import retention as periods
    from troth.proofs import run as proofs
    from troth.worker import status as statuses
else:
    doctors = lazy("troth.operate.doctor.examine")
    periods = lazy("troth.policy.retention")
    proofs = lazy("troth.proofs.run")
    statuses = lazy("troth.worker.status")


def doctor(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Diagnose problems and suggest fixes. Exit code 1 if something is wrong."""
    findings = doctors.examine(site)
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        signs = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[bold red]✗[/]"}
        for finding in findings:
            say_marked(signs[finding.level], finding.what, finding.mend)
    raise typer.Exit(doctors.verdict(findings))


def status(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show queues, counts, and whether the worker is running. Shows no personal data."""
    open_site(site)
    values = statuses.report()
    if as_json:
        return print_json(values)
    for name, value in values.items():
        sys.stdout.write(f"{name.replace('_', ' '):<20} {_in_words(value)}\n")
    return None


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, dict):
        value = ", ".join(f"{key} {_in_words(count)}" for key, count in value.items())
    elif isinstance(value, int):
        return f"{value:,}"
    return "—" if value in (None, "") else str(value)


def prove(
    site: SiteOption = Path(),
    light: Annotated[bool, typer.Option("--light", help="Only the quick checks, which also run every hour.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Test every promise of the policy against the running site. Exit code 0 only if all are kept."""
    open_site(site)
    if as_json:
        outcomes = proofs.run(light=light)
        print_json(proofs.as_json(outcomes))
    else:
        outcomes = proofs.run(light=light, say=lambda promise, proof: _say_proof(proof))
        kept_count = sum(1 for promise in outcomes if promise.state == "kept")
        stdout().print(f"{kept_count} of {len(outcomes)} promises kept.", highlight=False)
    raise typer.Exit(proofs.verdict(outcomes))


def _say_proof(proof: Any) -> None:
    signs = {"kept": "[green]✓[/]", "broken": "[bold red]✗[/]", "unproven": "[yellow]?[/]"}
    line = f"{signs[proof.state]} [bold]{proof.id}[/] {plain(proof.detail)} [dim]{proof.ms} ms[/]"
    stdout().print(line, highlight=False, soft_wrap=True)


def retention(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show how long each kind of data is kept, and the oldest of each. Exit code 1 if some is overdue."""
    open_site(site)
    rows = periods.report()
    if as_json:
        print_json([row.told() for row in rows])
    else:
        for row in rows:
            say_marked("[bold red]✗[/]" if row.late else "[green]✓[/]", row.line(), row.mend)
    raise typer.Exit(int(any(row.late for row in rows)))
