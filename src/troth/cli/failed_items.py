"""`troth failed`: list submissions that could not be processed, and try them again. Shows no personal data."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from troth.cli.options import JsonOption, SiteOption
from troth.cli.output import open_site, print_json
from troth.core.lazy import lazy

if TYPE_CHECKING:
    from troth.operate import site_session
    from troth.vault import models
else:
    models = lazy("troth.vault.models")
    site_session = lazy("troth.operate.site_session")

failed = typer.Typer(no_args_is_help=True, help="Failed items: list submissions that could not be processed, retry.")


@failed.command("list")
def list_(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """List failed items: when, where in the spool, size, and why."""
    open_site(site)
    names = ("created_at", "segment", "offset", "size", "epoch", "reason", "kept")
    rows = list(models.AsideItem.objects.filter(filed_at=None).order_by("created_at").values(*names))
    if as_json:
        print_json(rows)
        return
    for row in rows:
        why = models.AsideItem.Reason(row["reason"]).label
        retained = "kept" if row["kept"] else "not kept"
        place = f"{row['segment']:016x}:{row['offset']}"
        sys.stdout.write(f"{row['created_at']:%Y-%m-%d %H:%M}  {place}  {row['size']} bytes  {why}, {retained}\n")
    if not rows:
        sys.stdout.write("There are no failed items.\n")


@failed.command("retry")
def retry(site: SiteOption = Path()) -> None:
    """Process failed items again, once the cause is fixed."""
    count = site_session.retry_aside(site)
    sys.stdout.write(f"{count} processed.\n" if count else "Nothing could be processed.\n")
