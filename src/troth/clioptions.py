"""The two options that most commands have. Touches nothing."""

from pathlib import Path
from typing import Annotated

import typer

SiteOption = Annotated[Path, typer.Option("--site", metavar="DIR", help="The site's folder.", show_default="here")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
