"""Commands that make a site and serve it: demo, init, embed, serve, proxy, systemd, sandbox."""

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli.backup import say_recovery
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import plain, say_next, site_settings, stderr, stdout

if TYPE_CHECKING:
    from troth.operate.create_site import Made


class Server(StrEnum):
    """Web servers that `troth proxy` writes for."""

    NGINX = "nginx"
    CADDY = "caddy"


class Role(StrEnum):
    """Processes whose fence can be tried."""

    FRONT = "front"
    CLERK = "clerk"
    WORKER = "worker"
    OFFICE = "office"


def demo(
    port_base: Annotated[int, typer.Option(metavar="N", help="The first of five ports.")] = 8700,
    as_json: JsonOption = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the site's folder where it is.")] = False,
    days: Annotated[int, typer.Option(metavar="N", help="Days of generated visits; 0: none.")] = 90,
) -> None:
    """Try it: a sample vendor's website, Troth behind it, a mail company, all on this machine."""
    from troth.demo.run import main as run_demo

    raise typer.Exit(run_demo(port_base=port_base, json=as_json, keep=keep, days=days))


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
    name: Annotated[str, typer.Option(help="Your name, as visitors read it.")] = "Example Software",
    url: Annotated[
        str, typer.Option(help="Where visitors will reach Troth, such as https://www.example.com/troth.")
    ] = "http://localhost:8080",
) -> None:
    """Make a site: its settings, its keys, its folders; and say what to do next."""
    from troth.operate import create_site

    _say_made(create_site.init(folder, name=name, url=url))


class Embedded(StrEnum):
    """What a vendor can have on a page."""

    NEWSLETTER = "newsletter"
    CONTACT = "contact"
    STATISTICS = "statistics"


def embed(
    part: Annotated[
        Embedded, typer.Argument(metavar="[newsletter|contact|statistics]", help="A form, or what counts visits.")
    ] = Embedded.NEWSLETTER,
    site: SiteOption = Path(),
    back: Annotated[str, typer.Option(metavar="URL", help="Where a form returns to, one of `return_urls`.")] = "",
) -> None:
    """Print a form, or what counts visits, as HTML for a page of your own."""
    from troth.operate import embed

    settings = site_settings(site)
    if part is Embedded.STATISTICS:
        sys.stdout.write(embed.statistics(settings))
        return
    made = embed.contact if part is Embedded.CONTACT else embed.newsletter
    sys.stdout.write(made(settings, back or None))


def serve(
    site: SiteOption = Path(),
    one_user: Annotated[
        bool, typer.Option("--one-user", help="Started by root: do not give each process a user of its own.")
    ] = False,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Make the users, set owners and modes, and start nothing.")
    ] = False,
) -> None:
    """Run the site until SIGTERM or Ctrl-C."""
    if prepare:
        from troth.supervisor import supervisor

        return supervisor.prepare_only(site)
    # A fresh interpreter in this process: what lies behind this command line has no business in the supervisor.
    options = ["--one-user"] if one_user else []
    os.execv(sys.executable, [sys.executable, "-P", "-m", "troth.supervisor", str(site), *options])  # noqa: S606


def proxy(server: Annotated[Server, typer.Argument(metavar="nginx|caddy")], site: SiteOption = Path()) -> None:
    """Print your web server's part of the configuration."""
    from troth.operate import proxy_config as proxies

    settings = site_settings(site)
    sys.stdout.write(proxies.render(server.value, settings))
    if not proxies.trusted(settings):
        mend = 'Write trusted_proxies = ["127.0.0.1", "::1"] under \\[front].'
        stderr().print(f"[yellow]The front trusts no web server yet.[/] {mend}", soft_wrap=True)


def systemd(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Write the files there; print them, if left out.")
    ] = None,
    site: SiteOption = Path(),
) -> None:
    """Write systemd's units for this site: hardened, with nightly backups and a log that ends."""
    from troth.operate import systemd as units

    files = units.units(site, site_settings(site))
    if folder is None:
        sys.stdout.write("\n".join(f"# ---- {name}\n{text}" for name, text in files.items()))
        return
    for path in units.write(folder, files):
        stdout().print(f"[green]✓[/] {plain(str(path))}", highlight=False, soft_wrap=True)
    say_next("As root:", units.steps(folder.resolve(), site_settings(site)))


def sandbox(
    role: Annotated[Role, typer.Argument(metavar="front|clerk|worker|office")],
    command: Annotated[
        list[str] | None, typer.Argument(metavar="[-- COMMAND...]", help="A shell, if left out.")
    ] = None,
    site: SiteOption = Path(),
) -> None:
    """Run a program behind the fence of one of the processes, to see what it cannot do."""
    from troth.supervisor.sandbox_shell import main as run_inside

    raise typer.Exit(run_inside(site, role.value, command or []))


def _say_made(made: "Made") -> None:
    out = stdout()
    out.print(f"[green]✓[/] A new site is in [bold]{plain(str(made.root))}[/].\n")
    say_recovery(made.recovery, made.root)
    out.print("What to do next:\n")
    for number, step in enumerate(made.steps, 1):
        out.print(f"[bold]{number}.[/] {plain(step.what)}", highlight=False, soft_wrap=True)
        for line in step.lines:
            out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)
