"""`troth audience token`: what the office's page of tokens does, for scripts."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json

token = typer.Typer(no_args_is_help=True, help="Tokens by which programs read the statistics: add, list, end.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="What it is for: “monthly spreadsheet”.")]


def _open(site: Path) -> None:
    from troth.operate import site_session

    site_session.in_site(site)


@token.command("add")
def add(name: Name, site: SiteOption = Path()) -> None:
    """Make a token and print it, for the only time: its digest alone is kept."""
    _open(site)
    from troth.audience.api import tokens as service

    sys.stdout.write(service.add(name) + "\n")


@token.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the tokens that work: what each is for, since when, and the day it was last used."""
    _open(site)
    from troth.audience.api import tokens as service

    found = service.list_all()
    if as_json:
        told = [
            {
                "name": one.name,
                "made": one.made_at.isoformat(timespec="seconds"),
                "used_on": one.used_on.isoformat() if one.used_on else None,
            }
            for one in found
        ]
        print_json(told)
        return
    for one in found:
        used = f"used on {one.used_on:%Y-%m-%d}" if one.used_on else "never used"
        sys.stdout.write(f"{one.made_at:%Y-%m-%d}  {used:20}  {one.name}\n")
    if not found:
        sys.stdout.write("There is no token.\n")


@token.command("end")
def end(name: Name, site: SiteOption = Path()) -> None:
    """End a token: the next question with it is refused."""
    _open(site)
    from troth.audience.api import tokens as service

    service.end(name)
    sys.stdout.write(f"Ended: {name}.\n")
