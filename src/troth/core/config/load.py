"""`troth.toml`, read whole: its text, its types, its rules, and every error with file, line and how to fix it.

Reads the file that it is given; writes nothing.
"""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path

from troth.core.config import reading, rules
from troth.core.config.sections import ENVIRONMENT, Config, Problem
from troth.core.errors import TrothError


class ConfigError(TrothError):
    """Settings that are unknown, missing or wrong, all of those that were found. `str(error)` names file and line."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        if len(problems) == 1:
            super().__init__(str(problems[0]), mend=problems[0].mend)
        else:
            each = "\n".join(f"  {problem}\n    {problem.mend}" for problem in problems)
            super().__init__(f"{len(problems)} settings are wrong:\n{each}", mend="Mend each of these, then try again.")


def load_config(path: Path, environ: Mapping[str, str] | None = None) -> Config:
    """The settings in `path`, with `TROTH_<SECTION>__<SETTING>` from `environ` (the process's own) laid over them.

    Raises `ConfigError` for anything unknown, missing, of the wrong type or out of range: all that is found, at once.
    """
    try:
        read = reading.read(path, _parsed(path), overlay(os.environ if environ is None else environ))
    except RecursionError:
        raise _unreadable(path, "Something in it is nested too deeply.", "No setting is a list of lists.") from None
    config = read.config()
    problems = read.problems + (rules.broken(config, read) if config else [])
    if problems or config is None:
        raise ConfigError(sorted(problems, key=read.order))
    return config


def overlay(environ: Mapping[str, str]) -> dict[str, str]:
    """What of an environment is settings: the variables that `load_config` looks at."""
    return {name: value for name, value in environ.items() if name.startswith(ENVIRONMENT) and "__" in name}


def _parsed(path: Path) -> tuple[str, dict[str, object]]:
    """The text of `path`, and what it says. Raises `ConfigError` where it cannot be read as TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _unreadable(
            path, "There is no such file.", "Make a site with `troth init DIR`, or name it with --site."
        ) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "This is not UTF-8 text.", "Save it as UTF-8 in your editor.") from None
    except OSError as error:
        what = f"The file cannot be read: {os.strerror(error.errno or 0)}."
        raise _unreadable(path, what, "Let the user that runs Troth read it.") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([reading.not_toml(path, text, error)]) from None


def _unreadable(path: Path, what: str, mend: str) -> ConfigError:
    return ConfigError([Problem(str(path), what, mend)])
