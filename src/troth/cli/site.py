"""`troth demo`, `init`, `embed`, `serve`, `proxy`, `systemd` and `sandbox`: create a site and run it."""

import os
import sys
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.backup import say_recovery
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import plain, say_next, site_settings, stderr, stdout
from troth.core.errors import TrothError
from troth.core.lazy import lazy
from troth.core.site import Site
from troth.supervisor.roles import SERVING

if TYPE_CHECKING:
    from troth.demo import run as demonstration
    from troth.operate import create_site
    from troth.operate import embed as embedding
    from troth.operate import proxy_config as proxies
    from troth.operate import systemd as units
    from troth.shop import buttons
    from troth.supervisor import sandbox_shell, supervisor
else:
    create_site = lazy("troth.operate.create_site")
    demonstration = lazy("troth.demo.run")
    buttons = lazy("troth.shop.buttons")
    embedding = lazy("troth.operate.embed")
    proxies = lazy("troth.operate.proxy_config")
    sandbox_shell = lazy("troth.supervisor.sandbox_shell")
    supervisor = lazy("troth.supervisor.supervisor")
    units = lazy("troth.operate.systemd")


class Server(StrEnum):
    """Web servers that `troth proxy` supports."""

    NGINX = "nginx"
    CADDY = "caddy"


def demo(
    port_base: Annotated[int, typer.Option(metavar="N", help="The first of six ports.")] = 8700,
    as_json: JsonOption = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the site's folder afterwards.")] = False,
    days: Annotated[int, typer.Option(metavar="N", help="Days of generated visits; 0: none.")] = 90,
) -> None:
    """Try Troth: a sample vendor's website with Troth and a local test mail server, all on this machine."""
    raise typer.Exit(demonstration.main(port_base=port_base, json=as_json, keep=keep, days=days))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    name: Annotated[str, typer.Option(help="Your name, as visitors read it.")] = "Example Software",
    url: Annotated[
        str, typer.Option(help="Where visitors will reach Troth, such as https://www.example.com/troth.")
    ] = "http://localhost:8080",
) -> None:
    """Create a site: settings, keys and folders. Prints what to do next."""
    _say_created(create_site.init(folder, name=name, url=url))


class Embedded(StrEnum):
    """What a vendor can put into a page."""

    NEWSLETTER = "newsletter"
    CONTACT = "contact"
    STATISTICS = "statistics"
    BUY = "buy"
    PRICES = "prices"


def embed(
    part: Annotated[
        Embedded,
        typer.Argument(
            metavar="[newsletter|contact|statistics|buy|prices]",
            help="A form, the statistics script, a link to buy, or a table of prices.",
        ),
    ] = Embedded.NEWSLETTER,
    site: SiteOption = Path(),
    back: Annotated[str, typer.Option(metavar="URL", help="Where the form returns to: one of `return_urls`.")] = "",
    of: Annotated[
        str, typer.Option(metavar="PRODUCT", help="For `prices`: plainbook. For `buy`: plainbook/single/EUR.")
    ] = "",
    language: Annotated[
        str, typer.Option(metavar="TAG", help="The newsletter's consent sentence in this language.")
    ] = "",
) -> None:
    """Print HTML for your own pages: a form, the statistics script, a link to buy, or a table of prices."""
    settings = site_settings(site)
    if part in (Embedded.BUY, Embedded.PRICES):
        make = buttons.product_button if part is Embedded.BUY else buttons.pricing_table
        sys.stdout.write(make(settings, embedding.published_shop(Site(site).public), of))
        return
    if part is Embedded.STATISTICS:
        sys.stdout.write(embedding.statistics(settings))
        return
    if part is Embedded.CONTACT:
        sys.stdout.write(embedding.contact(settings, back or None))
    else:
        topics = embedding.offered_topics(Site(site).public)
        sys.stdout.write(embedding.newsletter(settings, back or None, topics, language))


def serve(
    site: SiteOption = Path(),
    one_user: Annotated[
        bool, typer.Option("--one-user", help="Started as root: run all processes as root, not each as its own user.")
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Create the users, set owners and permissions, and start nothing.")
    ] = False,
) -> None:
    """Run the site until SIGTERM or Ctrl-C."""
    if prepare:
        return supervisor.prepare_only(site)
    with suppress(TrothError):  # the supervisor reports it
        site_settings(site)  # warns of renamed settings
    # A fresh interpreter in this process: the command line's modules do not belong in the supervisor.
    options = ["--one-user"] if one_user else []
    os.execv(sys.executable, [sys.executable, "-P", "-m", "troth.supervisor", str(site), *options])  # noqa: S606


def proxy(server: Annotated[Server, typer.Argument(metavar="nginx|caddy")], site: SiteOption = Path()) -> None:
    """Print the configuration for your web server."""
    settings = site_settings(site)
    sys.stdout.write(proxies.render(server.value, settings))
    if not proxies.trusted(settings):
        mend = 'Write trusted_proxies = ["127.0.0.1", "::1"] under \\[front].'
        stderr().print(f"[yellow]Troth does not trust your web server yet.[/] {mend}", soft_wrap=True)


def systemd(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Where to write the files. Default: print them.")
    ] = None,
    site: SiteOption = Path(),
) -> None:
    """Write systemd units for this site: hardened, with nightly backups and a log of limited size."""
    files = units.units(site, site_settings(site))
    if folder is None:
        sys.stdout.write("\n".join(f"# ---- {name}\n{text}" for name, text in files.items()))
        return
    for path in units.write(folder, files):
        stdout().print(f"[green]✓[/] {plain(str(path))}", highlight=False, soft_wrap=True)
    say_next("As root:", units.steps(folder.resolve(), site_settings(site)))


def _known_role(role: str) -> str:
    if role not in SERVING:
        raise typer.BadParameter(f"{role!r} is not one of {', '.join(SERVING)}.")
    return role


def sandbox(
    role: Annotated[str, typer.Argument(metavar="|".join(SERVING), callback=_known_role)],
    command: Annotated[list[str] | None, typer.Argument(metavar="[-- COMMAND...]", help="Default: a shell.")] = None,
    site: SiteOption = Path(),
) -> None:
    """Run a program in the sandbox of one of the processes, to see what it cannot do."""
    raise typer.Exit(sandbox_shell.main(site, role, command or []))


def _say_created(created: "create_site.Created") -> None:
    out = stdout()
    out.print(f"[green]✓[/] Created a new site in [bold]{plain(str(created.root))}[/].\n")
    say_recovery(created.recovery, created.root)
    out.print("Next steps:\n")
    for number, step in enumerate(created.steps, 1):
        out.print(f"[bold]{number}.[/] {plain(step.what)}", highlight=False, soft_wrap=True)
        for line in step.lines:
            out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)
