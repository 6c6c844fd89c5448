"""`troth backup`, `restore`, `upgrade` and `recovery-key`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli import progress as bars
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json, say_marked, say_next, site_option, site_settings, stdout

if TYPE_CHECKING:
    from troth.backup.recovery_key import RecoveryKey


recovery = typer.Typer(no_args_is_help=True, help="The key that opens backups, which you keep on paper.")
KeyFile = Annotated[
    Path | None,
    typer.Option("--recovery-key", metavar="FILE", help="A file with the recovery key; asked for, if left out."),
]


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
        return print_json(asdict(taken))
    from rich.filesize import decimal

    for path, size in zip(taken.files, taken.sizes, strict=True):
        say_marked("[green]✓[/]", f"{path}  {decimal(size)}", "")
    if taken.doubted:
        say_marked("[yellow]![/]", taken.doubted, "")
    if taken.expired:
        say_marked("[green]✓[/]", f"{len(taken.expired)} older ones were over their time and are gone.", "")
    return None


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
        return print_json(asdict(told))
    for sign, line, mend in restoring.report(told):
        say_marked({"ok": "[green]✓[/]", "warn": "[yellow]![/]"}[sign], line, mend)
    say_next("Look it over, then serve it:", [f"troth doctor {site_option(to)}", f"troth serve {site_option(to)}"])
    return None


def upgrade(
    site: SiteOption = Path(),
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Do not make a backup first.")] = False,
) -> None:
    """Bring the site to this version of Troth, with a backup first, and say what changed."""
    from troth.backup import upgrade as upgrades

    with bars.progress(quiet=False) as progress:
        done = upgrades.upgrade(site, backup_first=not no_backup, progress=progress)
    for line in upgrades.report(done):
        stdout().print(line, markup=False, highlight=False, soft_wrap=True)


@recovery.command("new")
def recovery_new(site: SiteOption = Path()) -> None:
    """Make a new recovery key and show it once. Backups from before go on wanting the older one."""
    from troth.backup import recovery_key as keys
    from troth.core.site import Site

    site_settings(site)
    say_recovery(keys.replace(Site(site.resolve())).lines(), site.resolve())
    stdout().print("Backups that were made before want the older key: keep it as long as you keep them.")


@recovery.command("check")
def recovery_check(site: SiteOption = Path(), recovery_key: KeyFile = None) -> None:
    """Type the recovery key in, to see whether what you wrote down opens this site's backups."""
    from troth.backup import recovery_key as keys
    from troth.backup.errors import WrongKey
    from troth.core.site import Site

    if _recovery_key(recovery_key).public() != keys.public_half(Site(site.resolve())):
        raise WrongKey("This is a recovery key, but not this site's present one.", mend="It may be an older one.")
    stdout().print("It is right.")


def say_recovery(lines: tuple[str, str], site: Path) -> None:
    out = stdout()
    out.print("[bold]The recovery key[/] opens your backups. It is shown this once and stored nowhere:\n")
    for line in lines:
        out.print(f"   {line}", style="bold cyan", markup=False, highlight=False, soft_wrap=True)
    out.print(
        "\nWrite it on paper, twice, and keep the papers apart from this machine and from the backups. Without it no "
        "backup can be opened, by anyone. Whether you wrote it down rightly, this tells:\n"
    )
    out.print(
        f"   troth recovery-key check {site_option(site)}\n",
        style="cyan",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _recovery_key(file: Path | None) -> "RecoveryKey":
    from troth.backup.errors import WrongKey
    from troth.backup.recovery_key import RecoveryKey

    if file is not None:
        try:
            return RecoveryKey.read(file.read_text("utf-8"))
        except (OSError, UnicodeError):
            raise WrongKey(f"{file} cannot be read.", mend="Name a text file with the recovery key.") from None
    return RecoveryKey.read(typer.prompt("Recovery key", err=True))
