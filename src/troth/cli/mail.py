"""`troth mail check`: look up the DNS records by which email from this site is taken for genuine."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json, say_marked, site_settings
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from troth.gate.sender_dns import main as sender_dns
else:
    sender_dns = lazy("troth.gate.sender_dns.main")

mail = typer.Typer(no_args_is_help=True, help="Check the DNS records of the sender’s domain.")
_SIGNS = {"ok": "[green]✓[/]", "wrong": "[bold red]✗[/]"}


@mail.command("check")
def check(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Look up SPF, DKIM and DMARC now, and print the record to publish. Exit code 1 if one is missing or wrong."""
    config, place = site_settings(site), Site(site.resolve())
    checks = sender_dns.look_up(place, config)
    sender_dns.keep(place, config, checks)
    if as_json:
        fields = ("kind", "state", "what", "mend", "name", "value")
        print_json([{name: getattr(row, name) for name in fields} for row in checks])
    else:
        for row in checks:
            say_marked(_SIGNS.get(row.state, "[yellow]![/]"), row.what, f"{row.mend}\n{row.record}".strip())
    raise typer.Exit(int(any(row.state == "wrong" for row in checks)))
