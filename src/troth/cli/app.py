"""The command line. It parses arguments and prints results; the module that it calls does the work. Everything heavy is
imported when first used (`core.lazy`). An error of ours is one red sentence and its fix; any other is a traceback
without the values of variables, which could be personal data."""

import sys
from collections.abc import Callable
from importlib.metadata import version as installed_version
from typing import Any

import typer

from troth.cli.audience import audience
from troth.cli.backup import backup, recovery, restore, upgrade
from troth.cli.campaign import campaign
from troth.cli.clock import clock
from troth.cli.failed_items import failed
from troth.cli.held import held
from troth.cli.inspect import doctor, prove, retention, status
from troth.cli.licence import licence
from troth.cli.mail import mail
from troth.cli.operators import operator
from troth.cli.order import order, reconcile
from troth.cli.output import stderr
from troth.cli.people import people, receipt
from troth.cli.people_lists import import_, list_
from troth.cli.policy import policy
from troth.cli.product import product, shop
from troth.cli.retained import retained
from troth.cli.site import demo, embed, init, proxy, sandbox, serve, systemd
from troth.cli.tokens import token
from troth.core.errors import TrothError

app = typer.Typer(
    name="troth",
    help="Newsletter, contact inbox and cookie-free statistics for your website, with a tested privacy policy.",
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
    "Get started": (demo, init, embed),
    "Serve": (serve, proxy, systemd, sandbox),
    "Backup and upgrade": (backup, restore, upgrade),
    "Shop": (reconcile,),
    "Diagnose": (doctor, status, prove, retention),
}
GROUPS: dict[str, dict[str, typer.Typer]] = {
    "Team": {"operator": operator},
    "People and messages": {"people": people, "receipt": receipt, "retained": retained, "held": held},
    "Newsletter": {"campaign": campaign},
    "Shop": {"product": product, "order": order, "shop": shop},
    "Statistics": {"audience": audience},
    "Purchases": {"licence": licence},
    "Privacy policy": {"policy": policy},
    "Backup and upgrade": {"recovery-key": recovery},
    "Diagnose": {"failed": failed, "clock": clock, "mail": mail},
}
for panel, commands in PANELS.items():
    for command in commands:
        app.command(rich_help_panel=panel)(command)
for panel, groups in GROUPS.items():
    for name, group in groups.items():
        app.add_typer(group, name=name, rich_help_panel=panel)


@app.command(rich_help_panel="Diagnose")
def version() -> None:
    """Print the version."""
    sys.stdout.write(f"troth {installed_version('troth')}\n")


def main(run: Callable[[], Any] = app) -> None:
    """Run the command line: the entry point of `troth`."""
    try:
        run()
    except TrothError as error:
        _say_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output is gone, and so is ours of errors
        sys.exit(1)


def _say_error(error: TrothError) -> None:
    out = stderr()
    out.print(str(error), style="bold red", markup=False, highlight=False, soft_wrap=True)
    if error.mend:
        out.print(error.mend, markup=False, highlight=False, soft_wrap=True)
