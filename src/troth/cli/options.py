"""The two options that most commands have. Touches nothing."""

from pathlib import Path
from typing import Annotated

import typer

SiteOption = Annotated[
    Path, typer.Option("--site", metavar="DIR", help="The site's folder.", show_default="here", readable=False)
]
"""Not asked for whether it can be listed: where each process has a user of its own, none of them can."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
