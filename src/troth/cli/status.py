"""`troth status`: queues, counts, and whether the worker is alive. Opens nobody's details."""

import json
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

from troth.cli.options import JsonOption, SiteOption


def status(site: SiteOption = Path(), as_json: JsonOption = False) -> None:
    """Show queues, counts, and whether the worker is alive. Opens nobody's details."""
    from troth.operate import site_session

    site_session.in_site(site)
    from troth.worker import status as statuses

    told = asdict(statuses.report())
    if as_json:
        sys.stdout.write(json.dumps(told, default=str, ensure_ascii=False) + "\n")
        return
    for name, value in told.items():
        sys.stdout.write(f"{name.replace('_', ' '):<20} {_word(value)}\n")


def _word(value: object) -> str:
    """A figure, for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S} UTC"
    if isinstance(value, dict):
        value = ", ".join(f"{key} {count:,}" for key, count in value.items())
    elif isinstance(value, int):
        return f"{value:,}"
    return "—" if value in (None, "") else str(value)
