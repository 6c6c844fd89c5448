"""How the commands speak: to people on the terminal, as JSON to programs; and how they reach a site.

Rich is imported when something is said, so that `troth --help` is there at once.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from troth.core.text import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from troth.core.config.sections import Config


def site_settings(site: Path) -> "Config":
    """The site's settings, as `troth.toml` and the environment have them. Raises `ConfigError`."""
    from troth.core.config.load import load_config
    from troth.core.site import Site

    return load_config(Site(site).config)


def with_django(site: Path) -> "Config":
    """Point Django at the site and return its settings; its database must have been made by `troth serve`."""
    from troth.operate import site_session

    return site_session.in_site(site)


def say_next(what: str, lines: list[str]) -> None:
    """Say what to do next: a heading, and the commands to copy."""
    out = stdout()
    out.print(f"\n{what}", markup=False, highlight=False)
    for line in lines:
        out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)


def site_option(site: Path) -> str:
    """`--site DIR`, quoted for a shell."""
    return f"--site {shlex.quote(str(site.resolve()))}"


def say_marked(sign: str, what: str, mend: str) -> None:
    """Print one finding: its sign (markup), what was found, and how to fix it."""
    stdout().print(f"{sign} {plain(what)}", highlight=False, soft_wrap=True)
    if mend:
        stdout().print(f"  → {mend}", style="dim", markup=False, highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """The text with nothing in it that Rich takes for markup."""
    from rich.markup import escape

    return escape(text)


def print_json(value: Any) -> None:
    """Print one line of JSON; what JSON has no form for is printed as text."""
    terminal.guard()
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")


def stdout() -> "Console":
    """A console on standard output."""
    from troth.cli.console import console

    return console()


def stderr() -> "Console":
    """A console on standard error."""
    from troth.cli.console import console

    return console(stderr=True)
