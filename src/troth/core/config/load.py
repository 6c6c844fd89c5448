"""Read `troth.toml`: parse it, convert it, check the rules, and report every error with file, line and fix."""

import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

from troth.core.config import reading, rules
from troth.core.config.sections import ENVIRONMENT, Config, SettingProblem
from troth.core.errors import TrothError


class ConfigError(TrothError):
    """All settings that are unknown, missing or wrong. `str(error)` names file and line."""

    def __init__(self, problems: list[SettingProblem]) -> None:
        self.problems = problems
        if len(problems) == 1:
            super().__init__(str(problems[0]), mend=problems[0].mend)
        else:
            lines = "\n".join(f"  {problem}\n    {problem.mend}" for problem in problems)
            super().__init__(f"{len(problems)} settings are wrong:\n{lines}", mend="Fix each of them, then try again.")


def load_config(
    path: Path, environ: Mapping[str, str] | None = None, *, warn: Callable[[SettingProblem], None] | None = None
) -> Config:
    """Return the settings in `path`, overridden by `TROTH_<SECTION>__<SETTING>` from `environ`, or the process's.

    `warn` is called for each setting that is still under its earlier name. Raises `ConfigError` with everything that is
    unknown, missing, of the wrong type or out of range.
    """
    try:
        read = reading.read(path, _parsed(path), overlay(os.environ if environ is None else environ))
    except RecursionError:
        raise _unreadable(path, "It is nested too deeply.", "No setting is a list of lists.") from None
    config = read.config()
    problems = read.problems + (rules.broken(config, read) if config else [])
    if problems or config is None:
        raise ConfigError(sorted(problems, key=read.order))
    if warn:
        for warning in read.warnings:
            warn(warning)
    return config


def overlay(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables that are settings: those that `load_config` reads."""
    return {name: value for name, value in environ.items() if name.startswith(ENVIRONMENT) and "__" in name}


def _parsed(path: Path) -> tuple[str, dict[str, object]]:
    """Return the text of `path` and its content. Raises `ConfigError` if it is not TOML."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise _unreadable(
            path, "This file does not exist.", "Create a site with `troth init DIR`, or name its folder with --site."
        ) from None
    except UnicodeDecodeError:
        raise _unreadable(path, "This is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        message = f"The file cannot be read: {os.strerror(error.errno or 0)}."
        raise _unreadable(path, message, "Give the user that runs Troth permission to read it.") from None
    try:
        return text, tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError([reading.not_toml(path, text, error)]) from None


def _unreadable(path: Path, message: str, mend: str) -> ConfigError:
    return ConfigError([SettingProblem(str(path), message, mend)])
