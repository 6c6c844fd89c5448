"""`troth retained`: what a law requires to be kept, by its number, for who may demand it. Every access is logged.
Prints personal data to the terminal. Exit code 1: nothing was found."""

import sys
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import SHELL, open_site
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.rights import export_documents, services
else:
    export_documents = lazy("troth.rights.export_documents")
    services = lazy("troth.rights.services")

retained = typer.Typer(no_args_is_help=True, help="Records that the law requires: show one, or keep it longer.")

Number = Annotated[str, typer.Argument(metavar="NUMBER", help="The record's own number, such as an invoice's.")]


def _nothing() -> typer.Exit:
    sys.stderr.write("No record has this number, or its last day is over.\n")
    return typer.Exit(1)


@retained.command("show")
def show(number: Number, site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Print a record that the law requires, for an authority or the person who may demand it. It is found although its
    person was deleted."""
    open_site(site)
    document = services.retained(number, SHELL)
    if document is None:
        raise _nothing()
    sys.stdout.write(export_documents.body(document.data if as_json else document.text).decode().rstrip("\n") + "\n")


@retained.command("keep")
def keep(
    number: Number,
    until: Annotated[
        datetime, typer.Option("--until", formats=["%Y-%m-%d"], metavar="DATE", help="The new last day, 2040-12-31.")
    ],
    site: SiteOption = Path(),
) -> None:
    """Keep a record that the law requires until a later day, as for a tax audit. It can't be kept shorter."""
    open_site(site)
    day = date(until.year, until.month, until.day)
    if not services.keep_longer(number, day, SHELL):
        raise _nothing()
    sys.stdout.write(f"It is kept until {day}.\n")
