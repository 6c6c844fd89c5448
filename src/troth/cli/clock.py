"""`troth clock`: whether the clock is believed, and an operator's word that it is right."""

import sys
from pathlib import Path

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json

clock = typer.Typer(no_args_is_help=True, help="Whether the clock is believed before anything is removed by its time.")


@clock.command("show")
def show(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Say whether the clock is believed. Exit code 1 where it leapt, and nothing is removed by its time."""
    from troth.core import clock_jumps
    from troth.core.site import Site

    state = clock_jumps.doubted(Site(site.resolve()).data)
    if as_json:
        print_json({"believed": state is None, "why": clock_jumps.words(state) if state else ""})
    else:
        sys.stdout.write(f"{clock_jumps.words(state)}\n{clock_jumps.MEND}\n" if state else "The clock is believed.\n")
    raise typer.Exit(int(state is not None))


@clock.command("accept")
def accept(site: SiteOption = Path()) -> None:
    """Say that the clock is right as it is now: what is over its time by it is removed for good from now on."""
    from troth.core import clock as clocks
    from troth.core import clock_jumps
    from troth.core.site import Site
    from troth.supervisor import act_as_user

    here = Site(site.resolve())
    act_as_user.become_owner(here)
    clock_jumps.accept(here.data)
    sys.stdout.write(f"From now on the clock is believed: {clocks.now():%Y-%m-%d %H:%M} UTC.\n")
