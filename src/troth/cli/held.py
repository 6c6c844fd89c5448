"""`troth held`: what the office's page of what was held back does, for scripts. Opens nobody's details."""

import sys
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json

held = typer.Typer(no_args_is_help=True, help="Mails and exports that were held: list them, let one go or drop it.")

Ident = Annotated[UUID, typer.Argument(metavar="ID", help="The id, as `troth held list` prints it.")]


def _open(site: Path) -> None:
    from troth.operate import site_session

    site_session.in_site(site)


@held.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List what is held: id, kind, when, for whom by opaque id, and why."""
    _open(site)
    from troth.office import held as service

    rows = service.rows("shell")
    if as_json:
        told = [
            {
                "id": str(row.id),
                "kind": row.kind,
                "at": row.at.isoformat(),
                "person": str(row.person) if row.person else None,
                "reason": row.reason,
                "categories": list(row.categories),
            }
            for row in rows
        ]
        print_json(told)
        return
    for row in rows:
        to = f"{'to' if row.mail else 'of'} {row.person or 'an operator'}"
        sys.stdout.write(f"{row.id}  {row.at:%Y-%m-%d %H:%M}  {row.kind}  {to}  {row.why}\n")
    if not rows:
        sys.stdout.write("Nothing is held.\n")


@held.command("release")
def release(ident: Ident, site: SiteOption = Path()) -> None:
    """Let one leave as it is. Exit code 1: it is not held."""
    _open(site)
    from troth.office import held as service

    _say(service.let_go(ident))


@held.command("drop")
def drop(ident: Ident, site: SiteOption = Path()) -> None:
    """See that one never leaves. Exit code 1: it is not held."""
    _open(site)
    from troth.office import held as service

    _say(service.drop(ident))


def _say(words: str) -> None:
    if not words:
        sys.stderr.write("Nothing by that id is held.\n")
        raise typer.Exit(1)
    sys.stdout.write(words + "\n")
