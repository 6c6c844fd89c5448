"""`troth audience token`: the page API tokens, for scripts."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.audience.api import tokens as service
else:
    service = lazy("troth.audience.api.tokens")

token = typer.Typer(
    no_args_is_help=True, help="API tokens, by which programs read the statistics or send transactional email."
)

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for: “monthly spreadsheet”.")]


class TokenScope(StrEnum):
    """What a token gives access to."""

    STATISTICS = "statistics"
    MAIL = "mail"


@token.command("add")
def add(
    name: Name,
    scope: Annotated[TokenScope, typer.Option(help="What it may do.")] = TokenScope.STATISTICS,
    site: SiteOption = Path(),
) -> None:
    """Create a token and print it. It is shown once: only a hash is stored."""
    open_site(site)
    sys.stdout.write(service.add(name, service.Scope(scope.value)) + "\n")


@token.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the active tokens: when created, the day last used, what it may do, and name."""
    open_site(site)
    tokens = service.list_all()
    if as_json:
        print_json(
            [
                {
                    "name": token.name,
                    "scope": token.scope,
                    "made": token.made_at.isoformat(timespec="seconds"),
                    "used_on": token.used_on.isoformat() if token.used_on else None,
                }
                for token in tokens
            ]
        )
        return
    for row in tokens:
        used = f"used on {row.used_on:%Y-%m-%d}" if row.used_on else "never used"
        sys.stdout.write(f"{row.made_at:%Y-%m-%d}  {used:20}  {row.scope:10}  {row.name}\n")
    if not tokens:
        sys.stdout.write("There are no tokens.\n")


@token.command("revoke")
def revoke(name: Name, site: SiteOption = Path()) -> None:
    """Revoke a token: its next request is refused."""
    open_site(site)
    service.end(name)
    sys.stdout.write(f"Revoked: {name}.\n")
