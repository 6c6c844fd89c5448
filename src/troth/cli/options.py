"""Declare the two options that most commands have. Touches nothing."""

from pathlib import Path
from typing import Annotated

import typer

SiteOption = Annotated[
    Path, typer.Option("--site", metavar="DIR", help="The site's folder.", show_default="here", readable=False)
]
"""`readable=False`: where each process has its own user, none of them can list the folder."""
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
