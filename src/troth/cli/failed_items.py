"""`troth aside`: what intake could not file, listed and tried again. Opens nobody's details."""

import sys
from pathlib import Path

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import print_json

aside = typer.Typer(no_args_is_help=True, help="What could not be filed: list it, try again.")


@aside.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List what was set aside: when, where in the spool, how large, why."""
    from troth.operate import site_session

    site_session.in_site(site)
    from troth.vault.models import AsideItem

    names = ("created_at", "segment", "offset", "size", "epoch", "reason", "kept")
    rows = list(AsideItem.objects.filter(filed_at=None).order_by("created_at").values(*names))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        why = AsideItem.Reason(row["reason"]).label
        kept = "kept" if row["kept"] else "not kept"
        place = f"{row['segment']:016x}:{row['offset']}"
        sys.stdout.write(f"{row['created_at']:%Y-%m-%d %H:%M}  {place}  {row['size']} bytes  {why}, {kept}\n")
    if not rows:
        sys.stdout.write("Nothing is set aside.\n")


@aside.command("retry")
def retry(site: SiteOption = Path()) -> None:
    """Try again to file what was set aside and kept, once its cause is mended."""
    from troth.operate import site_session

    filed = site_session.retry_aside(site)
    sys.stdout.write(f"{filed} filed.\n" if filed else "Nothing could be filed.\n")
