"""`troth held`: the page Held mail, for scripts. Shows no personal data."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site, print_json
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.office import held as service
else:
    service = lazy("troth.office.held")

held = typer.Typer(no_args_is_help=True, help="Held emails and exports: list, release or discard them.")

Ident = Annotated[UUID, typer.Argument(metavar="ID", help="The ID, as `troth held list` prints it.")]


@held.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List what is held: ID, type, when, for whom (a random ID), and why."""
    open_site(site)
    rows = service.rows(SHELL)
    if as_json:
        print_json(
            [
                {
                    "id": str(row.id),
                    "kind": row.title,
                    "at": row.at.isoformat(),
                    "person": str(row.person) if row.person else None,
                    "reason": row.reason,
                    "categories": list(row.categories),
                }
                for row in rows
            ]
        )
        return
    for row in rows:
        recipient = f"{'to' if row.mail else 'of'} {row.person or 'an operator'}"
        sys.stdout.write(f"{row.id}  {row.at:%Y-%m-%d %H:%M}  {row.title}  {recipient}  {row.why}\n")
    if not rows:
        sys.stdout.write("Nothing is held.\n")


@held.command("release")
def release(ident: Ident, site: SiteOption = Path()) -> None:
    """Send a held email or export as it is. Exit code 1 if it is not held."""
    open_site(site)
    _say(service.let_go(ident))


@held.command("drop")
def drop(ident: Ident, site: SiteOption = Path()) -> None:
    """Discard a held email or export: it is never sent. Exit code 1 if it is not held."""
    open_site(site)
    _say(service.drop(ident))


def _say(outcome: str) -> None:
    if not outcome:
        sys.stderr.write("Nothing with this ID is held.\n")
        raise typer.Exit(1)
    sys.stdout.write(outcome + "\n")
