"""Print: to people on the terminal, as JSON to programs. Open a site for a command."""

import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from troth.core.lazy import lazy
from troth.core.site import Site
from troth.core.text import terminal

if TYPE_CHECKING:
    from rich import markup

    from troth.cli import console
    from troth.core.config import load
    from troth.core.config.sections import Config, SettingProblem
    from troth.operate import site_session
else:
    console = lazy("troth.cli.console")
    load = lazy("troth.core.config.load")
    markup = lazy("rich.markup")
    site_session = lazy("troth.operate.site_session")

SHELL = "shell"
"""Who opened personal data, as the access log names this command line."""


def site_settings(site: Path) -> "Config":
    """Return the site's settings from `troth.toml` and the environment. Raises `ConfigError`."""
    return load.load_config(Site(site).config, warn=warn_of)


def warn_of(problem: "SettingProblem") -> None:
    """Print a warning about a setting, on one line of standard error."""
    sys.stderr.write(f"Warning: {problem} {problem.mend}\n")


def open_site(site: Path) -> "Config":
    """Point Django at the site and return its settings. Creates the database if there is none."""
    return site_session.in_site(site, warn=warn_of)


def say_next(message: str, lines: list[str]) -> None:
    """Print what to do next: a heading, and the commands to copy."""
    out = stdout()
    out.print(f"\n{message}", markup=False, highlight=False)
    for line in lines:
        out.print(f"   {line}", style="cyan", markup=False, highlight=False, soft_wrap=True)


def site_option(site: Path) -> str:
    """Return `--site DIR`, quoted for a shell."""
    return f"--site {shlex.quote(str(site.resolve()))}"


def say_marked(sign: str, message: str, mend: str) -> None:
    """Print one finding: its sign (markup), what was found, and how to fix it."""
    stdout().print(f"{sign} {plain(message)}", highlight=False, soft_wrap=True)
    if mend:
        stdout().print(f"  → {mend}", style="dim", markup=False, highlight=False, soft_wrap=True)


def plain(text: str) -> str:
    """Return the text with Rich's markup escaped."""
    return markup.escape(text)


def print_json(value: Any) -> None:
    """Print one line of JSON; what JSON has no form for is printed as text."""
    terminal.guard()
    sys.stdout.write(json.dumps(value, default=str, ensure_ascii=False) + "\n")


def stdout() -> "console.Console":
    """Return a console on standard output."""
    return console.console()


def stderr() -> "console.Console":
    """Return a console on standard error."""
    return console.console(stderr=True)
