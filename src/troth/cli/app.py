"""The command line. It parses words and prints answers; what a command does lives in the module it calls.

Everything heavy is imported inside the command that needs it: `troth --help` is there at once. An error of ours is one
red sentence and the mend; any other is a traceback without the values of variables, which could be somebody's details.
"""

import sys
from collections.abc import Callable
from typing import Any

import typer

from troth.cli.audience import audience
from troth.cli.backup import backup, recovery, restore, upgrade
from troth.cli.clock import clock
from troth.cli.failed_items import aside
from troth.cli.held import held
from troth.cli.inspect import doctor, prove, retention, status
from troth.cli.operators import operator
from troth.cli.output import stderr
from troth.cli.people import people, receipt
from troth.cli.people_lists import import_, list_
from troth.cli.policy import policy
from troth.cli.site import demo, embed, init, proxy, sandbox, serve, systemd
from troth.cli.tokens import token
from troth.core.errors import TrothError

app = typer.Typer(
    name="troth",
    help="One back end for a software vendor's website that keeps its privacy policy by its shape.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)
people.command("import")(import_)
people.command("list")(list_)
audience.add_typer(token, name="token")

PANELS: dict[str, tuple[Callable[..., Any], ...]] = {
    "Begin": (demo, init, embed),
    "Serve": (serve, proxy, systemd, sandbox),
    "Keep": (backup, restore, upgrade, retention),
    "Look and mend": (doctor, status, prove),
}
GROUPS: dict[str, dict[str, typer.Typer]] = {
    "Operators": {"operator": operator},
    "People": {"people": people, "receipt": receipt},
    "Statistics": {"audience": audience},
    "Keep": {"recovery-key": recovery},
    "Look and mend": {"aside": aside, "clock": clock, "held": held, "policy": policy},
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for panel, groups in GROUPS.items():
    for name, group in groups.items():
        app.add_typer(group, name=name, rich_help_panel=panel)


@app.command(rich_help_panel="Look and mend")
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    sys.stdout.write(f"troth {installed('troth')}\n")


def main(run: Callable[[], Any] = app) -> None:
    """Run the command line: the entry point of `troth`."""
    try:
        run()
    except TrothError as error:
        _say_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; there is nobody to tell
        sys.exit(1)


def _say_error(error: TrothError) -> None:
    out = stderr()
    out.print(str(error), style="bold red", markup=False, highlight=False, soft_wrap=True)
    if error.mend:
        out.print(error.mend, markup=False, highlight=False, soft_wrap=True)
