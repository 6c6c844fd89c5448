"""The command line. It parses words and prints answers; what a command does lives in the module it calls.

Everything heavy is imported inside the command that needs it: `troth --help` is there at once. An error of ours is one
red sentence and the mend; any other is a traceback without the values of variables, which could be somebody's details.
"""

import json
import os
import shlex
import sys
from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from troth.cli import progress as bars
from troth.cli.audience import audience
from troth.cli.clock import clock
from troth.cli.failed_items import aside
from troth.cli.held import held
from troth.cli.options import JsonOption, SiteOption
from troth.cli.people import people, receipt
from troth.cli.people_lists import import_, list_
from troth.cli.policy import policy
from troth.cli.status import status
from troth.cli.tokens import token
from troth.core.errors import TrothError
from troth.core.text import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from troth.backup.recovery_key import RecoveryKey
    from troth.core.config.sections import Config
    from troth.operate.create_site import Made

_STATISTICS = "Statistics"
_START, _RUN, _KEEP, _PEOPLE, _VISITORS, _LOOK = "Begin", "Serve", "Keep", "Operators", "People", "Look and mend"

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
operator = typer.Typer(no_args_is_help=True, help="Add, list and remove those who may enter the office.")
app.add_typer(operator, name="operator", rich_help_panel=_PEOPLE)
people.command("import")(import_)
people.command("list")(list_)
app.add_typer(people, name="people", rich_help_panel=_VISITORS)
app.add_typer(receipt, name="receipt", rich_help_panel=_VISITORS)
audience.add_typer(token, name="token")
app.add_typer(audience, name="audience", rich_help_panel=_STATISTICS)


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


# -- begin ------------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_START)
def demo(
    port_base: Annotated[int, typer.Option(metavar="N", help="The first of five ports.")] = 8700,
    as_json: JsonOption = False,
    keep: Annotated[bool, typer.Option("--keep", help="Leave the site's folder where it is.")] = False,
    days: Annotated[int, typer.Option(metavar="N", help="Days of generated visits; 0: none.")] = 90,
) -> None:
    """Try it: a sample vendor's website, Troth behind it, a mail company, all on this machine."""
    from troth.demo.run import main as run_demo

    raise typer.Exit(run_demo(port_base=port_base, json=as_json, keep=keep, days=days))


@app.command(rich_help_panel=_START)
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


@app.command(rich_help_panel=_START)
def embed(
    part: Annotated[
        Embedded, typer.Argument(metavar="[newsletter|contact|statistics]", help="A form, or what counts visits.")
    ] = Embedded.NEWSLETTER,
    site: SiteOption = Path(),
    back: Annotated[str, typer.Option(metavar="URL", help="Where a form returns to, one of `back`.")] = "",
) -> None:
    """Print a form, or what counts visits, as HTML for a page of your own."""
    from troth.operate import embed

    settings = _settings(site)
    if part is Embedded.STATISTICS:
        sys.stdout.write(embed.statistics(settings))
        return
    made = embed.contact if part is Embedded.CONTACT else embed.newsletter
    sys.stdout.write(made(settings, back or None))


# -- serve ------------------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_RUN)
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


@app.command(rich_help_panel=_RUN)
def proxy(server: Annotated[Server, typer.Argument(metavar="nginx|caddy")], site: SiteOption = Path()) -> None:
    """Print your web server's part of the configuration."""
    from troth.operate import proxy_config as proxies

    settings = _settings(site)
    sys.stdout.write(proxies.render(server.value, settings))
    if not proxies.trusted(settings):
        mend = 'Write trusted_proxies = ["127.0.0.1", "::1"] under \\[front].'
        _stderr().print(f"[yellow]The front trusts no web server yet.[/] {mend}", soft_wrap=True)


@app.command(rich_help_panel=_RUN)
def systemd(
    folder: Annotated[
        Path | None, typer.Argument(metavar="[DIR]", help="Write the files there; print them, if left out.")
    ] = None,
    site: SiteOption = Path(),
) -> None:
    """Write systemd's units for this site: hardened, with nightly backups and a log that ends."""
    from troth.operate import systemd as units

    files = units.units(site, _settings(site))
    if folder is None:
        sys.stdout.write("\n".join(f"# ---- {name}\n{text}" for name, text in files.items()))
        return
    for path in units.write(folder, files):
        _stdout().print(f"[green]✓[/] {_plain(str(path))}", highlight=False, soft_wrap=True)
    _say_next("As root:", units.steps(folder.resolve(), _settings(site)))


@app.command(rich_help_panel=_RUN)
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


# -- backup -----------------------------------------------------------------------------------------------------------

recovery = typer.Typer(no_args_is_help=True, help="The key that opens backups, which you keep on paper.")
app.add_typer(recovery, name="recovery-key", rich_help_panel=_KEEP)
KeyFile = Annotated[
    Path | None,
    typer.Option("--recovery-key", metavar="FILE", help="A file with the recovery key; asked for, if left out."),
]


@app.command(rich_help_panel=_KEEP)
def backup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to; `folder` under \\[backup], if left out.")
    ] = None,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Back the site up while it serves: data and keys in two encrypted files, and old ones go."""
    from troth.backup import create

    with bars.progress(quiet=as_json) as progress:
        taken = create.backup(site, folder, progress=progress)
    if as_json:
        return _print_json(asdict(taken))
    from rich.filesize import decimal

    for path, size in zip(taken.files, taken.sizes, strict=True):
        _say_marked("[green]✓[/]", f"{path}  {decimal(size)}", "")
    if taken.doubted:
        _say_marked("[yellow]![/]", taken.doubted, "")
    if taken.expired:
        _say_marked("[green]✓[/]", f"{len(taken.expired)} older ones were over their time and are gone.", "")
    return None


@app.command(rich_help_panel=_KEEP)
def restore(
    sources: Annotated[list[Path], typer.Argument(metavar="DIR|FILES", help="The backups: a folder, or the files.")],
    to: Annotated[Path, typer.Option("--to", metavar="SITE", help="A new folder, or the site, stopped.")],
    recovery_key: KeyFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="The site has records of its own: the backup takes their place.")
    ] = False,
    moved: Annotated[
        bool,
        typer.Option("--moved", help="The site was stopped before this backup and has not run since: send what waits."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a site from its backups. Nobody erased returns, and nothing that had gone is sent again."""
    from troth.backup import restore as restoring

    key = _recovery_key(recovery_key)
    with bars.progress(quiet=as_json) as progress:
        told = restoring.restore(sources, to, key, restoring.Wish(replace, moved), progress=progress)
    if as_json:
        return _print_json(asdict(told))
    for sign, line, mend in restoring.report(told):
        _say_marked({"ok": "[green]✓[/]", "warn": "[yellow]![/]"}[sign], line, mend)
    _say_next("Look it over, then serve it:", [f"troth doctor {_at(to)}", f"troth serve {_at(to)}"])
    return None


@app.command(rich_help_panel=_KEEP)
def upgrade(
    site: SiteOption = Path(),
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Do not make a backup first.")] = False,
) -> None:
    """Bring the site to this version of Troth, with a backup first, and say what changed."""
    from troth.backup import upgrade as upgrades

    with bars.progress(quiet=False) as progress:
        done = upgrades.upgrade(site, backup_first=not no_backup, progress=progress)
    for line in upgrades.report(done):
        _stdout().print(line, markup=False, highlight=False, soft_wrap=True)


@app.command(rich_help_panel=_KEEP)
def retention(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show how long each kind of thing is kept, and the oldest of each. Exit code 1 if one is over its time."""
    _with_django(site)
    from troth.policy import retention as keeping

    found = keeping.report()
    if as_json:
        _print_json([one.told() for one in found])
    else:
        for one in found:
            _say_marked("[bold red]✗[/]" if one.late else "[green]✓[/]", one.line(), one.mend)
    raise typer.Exit(int(any(one.late for one in found)))


@recovery.command("new")
def recovery_new(site: SiteOption = Path()) -> None:
    """Make a new recovery key and show it once. Backups from before go on wanting the older one."""
    from troth.backup import recovery_key as keys
    from troth.core.site import Site

    _settings(site)
    _say_recovery(keys.replace(Site(site.resolve())).lines(), site.resolve())
    _stdout().print("Backups that were made before want the older key: keep it as long as you keep them.")


@recovery.command("check")
def recovery_check(site: SiteOption = Path(), recovery_key: KeyFile = None) -> None:
    """Type the recovery key in, to see whether what you wrote down opens this site's backups."""
    from troth.backup import recovery_key as keys
    from troth.backup.errors import WrongKey
    from troth.core.site import Site

    if _recovery_key(recovery_key).public() != keys.public_half(Site(site.resolve())):
        raise WrongKey("This is a recovery key, but not this site's present one.", mend="It may be an older one.")
    _stdout().print("It is right.")


# -- operators --------------------------------------------------------------------------------------------------------


class OperatorRole(StrEnum):
    """What an operator may do; `kit.roles` says it in full."""

    OWNER = "owner"
    CLERK = "clerk"
    ANALYST = "analyst"


_ROLE_HELP = "owner: everything; clerk: people and messages; analyst: counts, never a person."
Email = Annotated[str, typer.Argument(metavar="EMAIL", help="The operator's e-mail address.")]
RoleOption = Annotated[OperatorRole, typer.Option("--role", help=_ROLE_HELP)]
RoleArgument = Annotated[OperatorRole, typer.Argument(metavar="owner|clerk|analyst", help=_ROLE_HELP)]


@operator.command("add")
def operator_add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="How to greet them.")],
    email: Email,
    role: RoleOption = OperatorRole.OWNER,
    site: SiteOption = Path(),
) -> None:
    """Add an operator and print a link by which they choose a password. It works once, for 48 hours."""
    settings = _with_django(site)
    from troth.kit.roles import Role as Granted
    from troth.office import operators

    _say_link(settings, operators.add(name, email, Granted(role.value)))


@operator.command("role")
def operator_role(email: Email, role: RoleArgument, site: SiteOption = Path()) -> None:
    """Give an operator another role: owner, clerk or analyst."""
    _with_django(site)
    from troth.kit.roles import Role as Granted
    from troth.office import operators

    operators.set_role(email, Granted(role.value))
    _stdout().print("Done.")


@operator.command("list")
def operator_list(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List the operators."""
    _with_django(site)
    from troth.office import operators

    rows = [{"name": one.name, "email": one.email, "role": one.role} for one in operators.list_all()]
    if as_json:
        return _print_json(rows)
    for row in rows:
        _stdout().print(
            f"{row['name']}  <{row['email']}>  {row['role']}", markup=False, highlight=False, soft_wrap=True
        )
    if not rows:
        _stdout().print("There is no operator yet. Add one: troth operator add NAME EMAIL")
    return None


@operator.command("link")
def operator_link(
    email: Email,
    sign_in: Annotated[
        bool, typer.Option("--sign-in", help="A link that signs in at once, for 30 minutes, instead.")
    ] = False,
    site: SiteOption = Path(),
) -> None:
    """Print a new one-time link for an operator who lost their password or their authenticator."""
    settings = _with_django(site)
    from troth.office import operators

    _say_link(settings, operators.new_link(email, signs_in=sign_in))


@operator.command("remove")
def operator_remove(email: Email, site: SiteOption = Path()) -> None:
    """Remove an operator. Their sessions end at once."""
    _with_django(site)
    from troth.office import operators

    operators.remove(email)
    _stdout().print("Removed.")


# -- look and mend ----------------------------------------------------------------------------------------------------


@app.command(rich_help_panel=_LOOK)
def doctor(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Say what is wrong with a site and how to mend it. Exit code 1 if something is bad."""
    from troth.operate.doctor import examine as doctors

    found = doctors.examine(site)
    if as_json:
        _print_json([asdict(finding) for finding in found])
    else:
        signs = {"ok": "[green]✓[/]", "warn": "[yellow]![/]", "bad": "[bold red]✗[/]"}
        for finding in found:
            _say_marked(signs[finding.level], finding.what, finding.mend)
    raise typer.Exit(doctors.verdict(found))


app.command(rich_help_panel=_LOOK)(status)
for name, group in {"aside": aside, "clock": clock, "held": held}.items():
    app.add_typer(group, name=name, rich_help_panel=_LOOK)


@app.command(rich_help_panel=_LOOK)
def prove(
    site: SiteOption = Path(),
    light: Annotated[bool, typer.Option("--light", help="Only what is tried every hour.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Try every promise of the policy against the running site. Exit code 0 only if all are kept."""
    _with_django(site)
    from troth.proofs import run as proofs

    if as_json:
        told = proofs.run(light=light)
        _print_json(proofs.as_json(told))
    else:
        told = proofs.run(light=light, say=lambda promise, proof: _say_proof(proof))
        kept = sum(1 for one in told if one.state == "kept")
        _stdout().print(f"{kept} of {len(told)} promises kept.", highlight=False)
    raise typer.Exit(proofs.verdict(told))


def _say_proof(proof: Any) -> None:
    signs = {"kept": "[green]✓[/]", "broken": "[bold red]✗[/]", "unproven": "[yellow]?[/]"}
    line = f"{signs[proof.state]} [bold]{proof.id}[/] {_plain(proof.detail)} [dim]{proof.ms} ms[/]"
    _stdout().print(line, highlight=False, soft_wrap=True)


app.add_typer(policy, name="policy", rich_help_panel=_LOOK)


@app.command(rich_help_panel=_LOOK)
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as installed

    sys.stdout.write(f"troth {installed('troth')}\n")


# -- how it speaks ----------------------------------------------------------------------------------------------------


def _settings(site: Path) -> "Config":
    from troth.core.config import sections
    from troth.core.site import Site

    return sections.load(Site(site).config)


def _with_django(site: Path) -> "Config":
    """Point Django at the site and return its settings; its database must have been made by `troth serve`."""
    from troth.operate import site_session

    return site_session.in_site(site)


def _say_link(settings: "Config", path: str) -> None:
    _stderr().print("Open this link; it works once:")
    sys.stdout.write(f"{settings.office.url}{path}\n")


def _say_made(made: "Made") -> None:
    out = _stdout()
    out.print(f"[green]✓[/] A new site is in [bold]{_plain(str(made.root))}[/].\n")
    _say_recovery(made.recovery, made.root)
    out.print("What to do next:\n")
    for number, step in enumerate(made.steps, 1):
        out.print(f"[bold]{number}.[/] {_plain(step.what)}", highlight=False, soft_wrap=True)
        for line in step.lines:
            out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)


def _say_next(what: str, lines: list[str]) -> None:
    out = _stdout()
    out.print(f"\n{what}", markup=False, highlight=False)
    for line in lines:
        out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)


def _at(site: Path) -> str:
    return f"--site {shlex.quote(str(site.resolve()))}"


def _say_recovery(lines: tuple[str, str], site: Path) -> None:
    out = _stdout()
    out.print("[bold]The recovery key[/] opens your backups. It is shown this once and stored nowhere:\n")
    for line in lines:
        out.print(f"   {line}", style="bold cyan", markup=False, highlight=False, soft_wrap=True)
    out.print(
        "\nWrite it on paper, twice, and keep the papers apart from this machine and from the backups. Without it no "
        "backup can be opened, by anyone. Whether you wrote it down rightly, this tells:\n"
    )
    out.print(f"   troth recovery-key check {_at(site)}\n", style="cyan", markup=False, highlight=False, soft_wrap=True)


def _recovery_key(file: Path | None) -> "RecoveryKey":
    from troth.backup.errors import WrongKey
    from troth.backup.recovery_key import RecoveryKey

    if file is not None:
        try:
            return RecoveryKey.read(file.read_text("utf-8"))
        except (OSError, UnicodeError):
            raise WrongKey(f"{file} cannot be read.", mend="Name a text file with the recovery key.") from None
    return RecoveryKey.read(typer.prompt("Recovery key", err=True))


def _say_marked(sign: str, what: str, mend: str) -> None:
    _stdout().print(f"{sign} {_plain(what)}", highlight=False, soft_wrap=True)
    if mend:
        _stdout().print(f"  → {mend}", style="dim", markup=False, highlight=False, soft_wrap=True)


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)


def _print_json(value: Any) -> None:
    terminal.guard()
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")


def _stdout() -> "Console":
    from troth.cli.console import console

    return console()


def _stderr() -> "Console":
    from troth.cli.console import console

    return console(stderr=True)


def _say_error(error: TrothError) -> None:
    out = _stderr()
    out.print(str(error), style="bold red", markup=False, highlight=False, soft_wrap=True)
    if error.mend:
        out.print(error.mend, markup=False, highlight=False, soft_wrap=True)


def main(run: Callable[[], Any] = app) -> None:
    """The entry point of `troth`."""
    try:
        run()
    except TrothError as error:
        _say_error(error)
        sys.exit(1)
    except BrokenPipeError:
        sys.stderr.close()  # whoever read us has gone; there is nobody to tell
        sys.exit(1)
