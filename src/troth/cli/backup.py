"""`troth backup`, `restore`, `upgrade` and `recovery-key`: run them, show their progress, print the result."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from troth.cli import progress as bars
from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json, say_marked, say_next, site_option, site_settings, stdout
from troth.core.lazy import lazy
from troth.core.site import Site

if TYPE_CHECKING:
    from rich import filesize

    from troth.backup import create, errors
    from troth.backup import recovery_key as keys
    from troth.backup import restore as restoring
    from troth.backup import upgrade as upgrades
else:
    create = lazy("troth.backup.create")
    errors = lazy("troth.backup.errors")
    filesize = lazy("rich.filesize")
    keys = lazy("troth.backup.recovery_key")
    restoring = lazy("troth.backup.restore")
    upgrades = lazy("troth.backup.upgrade")

recovery = typer.Typer(no_args_is_help=True, help="The recovery key, which opens backups: keep it on paper.")
KeyFile = Annotated[
    Path | None,
    typer.Option("--recovery-key", metavar="FILE", help="A file with the recovery key. Default: asked for."),
]


def backup(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to write. Default: `folder` under \\[backup].")
    ] = None,
    site: SiteOption = Path(),
    as_json: JsonOption = False,
) -> None:
    """Back up the site while it runs: two encrypted files, data and keys. Removes expired backups."""
    with bars.progress(quiet=as_json) as progress:
        result = create.backup(site, folder, progress=progress)
    if as_json:
        return print_json(asdict(result))
    for path, size in zip(result.files, result.sizes, strict=True):
        say_marked("[green]✓[/]", f"{path}  {filesize.decimal(size)}", "")
    if result.doubted:
        say_marked("[yellow]![/]", result.doubted, "")
    if result.expired:
        say_marked("[green]✓[/]", f"Removed {len(result.expired)} expired backups.", "")
    return None


def restore(
    sources: Annotated[
        list[Path], typer.Argument(metavar="DIR|FILES", help="The backups: their folder, or the two files.")
    ],
    to: Annotated[
        Path, typer.Option("--to", metavar="SITE", help="A new folder, or an existing site that is stopped.")
    ],
    recovery_key: KeyFile = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the records of an existing site with those of the backup.")
    ] = False,
    moved: Annotated[
        bool,
        typer.Option(
            "--moved", help="The site was stopped before this backup and has not run since: send queued email."
        ),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Restore a site from its backups. Deleted people stay deleted, and no email is sent twice."""
    key = _recovery_key(recovery_key)
    with bars.progress(quiet=as_json) as progress:
        result = restoring.restore(sources, to, key, restoring.Wish(replace, moved), progress=progress)
    if as_json:
        return print_json(asdict(result))
    for sign, line, mend in restoring.report(result):
        say_marked({"ok": "[green]✓[/]", "warn": "[yellow]![/]"}[sign], line, mend)
    say_next("Check the site, then start it:", [f"troth doctor {site_option(to)}", f"troth serve {site_option(to)}"])
    return None


def upgrade(
    site: SiteOption = Path(),
    no_backup: Annotated[bool, typer.Option("--no-backup", help="Do not back up first.")] = False,
) -> None:
    """Upgrade the site to this version of Troth, after a backup, and print what changed."""
    with bars.progress(quiet=False) as progress:
        result = upgrades.upgrade(site, backup_first=not no_backup, progress=progress)
    for line in upgrades.report(result):
        stdout().print(line, markup=False, highlight=False, soft_wrap=True)


@recovery.command("new")
def recovery_new(site: SiteOption = Path()) -> None:
    """Create a new recovery key and show it once. Earlier backups still need the earlier key."""
    site_settings(site)
    say_recovery(keys.replace(Site(site.resolve())).lines(), site.resolve())
    stdout().print("Earlier backups still need the earlier key: keep it as long as you keep them.")


@recovery.command("check")
def recovery_check(site: SiteOption = Path(), recovery_key: KeyFile = None) -> None:
    """Check that the recovery key you wrote down opens this site's backups."""
    if _recovery_key(recovery_key).public() != keys.public_half(Site(site.resolve())):
        raise errors.WrongKey("This is not this site's current recovery key.", mend="It may be an earlier one.")
    stdout().print("The recovery key is correct.")


def say_recovery(lines: tuple[str, str], site: Path) -> None:
    """Print a new recovery key, how to keep it and how to check it."""
    out = stdout()
    out.print("[bold]The recovery key[/] opens your backups. It is shown only now and stored nowhere:\n")
    for line in lines:
        out.print(f"   {line}", style="bold cyan", markup=False, highlight=False, soft_wrap=True)
    out.print(
        "\nWrite it on two pieces of paper, and keep them apart from this machine and from the backups. Without it "
        "nobody can open a backup. To check what you wrote down:\n"
    )
    out.print(
        f"   troth recovery-key check {site_option(site)}\n",
        style="cyan",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _recovery_key(file: Path | None) -> "keys.RecoveryKey":
    if file is not None:
        try:
            return keys.RecoveryKey.read(file.read_text("utf-8"))
        except (OSError, UnicodeError):
            raise errors.WrongKey(f"{file} cannot be read.", mend="Name a text file with the recovery key.") from None
    return keys.RecoveryKey.read(typer.prompt("Recovery key", err=True))
