"""`troth clock`: show whether the clock is trusted, and confirm that it is right."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from troth.core import clock as clocks
    from troth.core import clock_jumps
    from troth.supervisor import act_as_user
else:
    act_as_user = lazy("troth.supervisor.act_as_user")
    clock_jumps = lazy("troth.core.clock_jumps")
    clocks = lazy("troth.core.clock")

clock = typer.Typer(no_args_is_help=True, help="Check that the clock is trusted, before old data is removed.")


@clock.command("show")
def show(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show whether the clock is trusted. Exit code 1 if it jumped: until then nothing old is removed."""
    jump = clock_jumps.doubted(Site(site.resolve()).data)
    if as_json:
        print_json({"believed": jump is None, "why": clock_jumps.words(jump) if jump else ""})
    else:
        sys.stdout.write(f"{clock_jumps.words(jump)}\n{clock_jumps.MEND}\n" if jump else "The clock is trusted.\n")
    raise typer.Exit(int(jump is not None))


@clock.command("accept")
def accept(site: SiteOption = Path()) -> None:
    """Confirm that the clock is right: what is older than its retention period is then removed for good."""
    folder = Site(site.resolve())
    act_as_user.become_owner(folder)
    clock_jumps.accept(folder.data)
    sys.stdout.write(f"The clock is now trusted: {clocks.now():%Y-%m-%d %H:%M} UTC.\n")
