"""Convert TOML and environment variables to typed settings, each by itself, and note the place of everything wrong."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from troth.core.config import lines
from troth.core.config.sections import ENVIRONMENT, LISTS, RENAMED, Config, SettingProblem, sections, setting_type

_SECRETS = {"password", "passwd", "pass", "secret", "token", "key", "apikey", "smtppassword", "relaypassword"}
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


class Reading:
    """What was read: values by section and setting, where each came from, and its problems and warnings."""

    def __init__(self, path: Path, text: str) -> None:
        self.problems: list[SettingProblem] = []
        self.warnings: list[SettingProblem] = []
        self.values: dict[str, dict[str, Any]] = {}
        self.listed: dict[str, list[str]] = {name: [] for name in LISTS}
        """By the name of a list of sections, those that are there: `relay 0`, `relay 1`."""
        self._path, self._lines = path, lines.lines(text)
        self._variables: dict[tuple[str, str], str] = {}
        self._failed: set[tuple[str, str]] = set()
        self._old_names: dict[tuple[str, str], str] = {}

    def place(self, section: str, setting: str = "") -> str:
        """Return where a setting is: its own line, or else its section's, or the file."""
        if variable := self._variables.get((section, setting)):
            return variable
        line = self._lines.get((section, setting)) or self._lines.get(
            (section, self._old_names.get((section, setting), ""))
        )
        line = line or self._lines.get((section,))
        return f"{self._path}:{line}" if line else str(self._path)

    def add(self, section: str, setting: str, message: str, mend: str) -> None:
        """Note a problem with a setting."""
        self._failed.add((section, setting))
        self.problems.append(SettingProblem(self.place(section, setting), message, mend))

    def order(self, problem: SettingProblem) -> tuple[bool, int]:
        """Return a sort key: by line, those of the environment last."""
        line = problem.place.rpartition(":")[2]
        return not problem.place.startswith(str(self._path)), int(line) if line.isdigit() else 0

    def failed(self, section: str, setting: str) -> bool:
        """Return whether a problem with this setting was noted already."""
        return (section, setting) in self._failed

    def given(self, section: str, setting: str) -> bool:
        """Return whether the setting is set."""
        return setting in self.values.get(section, {})

    def config(self) -> Config | None:
        """Return the settings, with defaults for those that could not be read. None if a required one is missing."""
        built: dict[str, Any] = {}
        for name, struct in sections().items():
            try:
                built[name] = struct(**self.values.get(name, {}))
            except TypeError:  # a required setting is missing, and noted
                return None
        for name, struct in LISTS.items():
            try:
                built[name] = tuple(struct(**self.values.get(numbered, {})) for numbered in self.listed[name])
            except TypeError:
                return None
        return Config(**built)

    def take(self, section: str, setting: str, value: object, *, strict: bool, variable: str = "") -> None:
        """Convert one value, or note why that is not possible."""
        if variable:
            self._variables[section, setting] = variable
        kind = setting_type(_fields(section)[setting])
        try:
            converted = msgspec.convert(value, kind, strict=strict)
        except msgspec.ValidationError as error:
            self.add(section, setting, _wrong(bare(section), setting, str(error)), _say_kind(setting, kind))
        else:
            self.values.setdefault(section, {})[setting] = converted

    def take_renamed(self, section: str, old: str, value: object) -> None:
        """Convert the value of a setting that the file has under its earlier name, and warn."""
        name = RENAMED[section, old]
        self._old_names[section, name] = old
        self.warnings.append(_renamed(self.place(section, name), f"`{old}` under [{section}]", f"`{name}`"))
        self.take(section, name, value, strict=True)


def read(path: Path, parsed: tuple[str, dict[str, object]], environ: Mapping[str, str]) -> Reading:
    """Read the settings in `parsed` (a file's text and its content), overridden by those in `environ`."""
    text, tables = parsed
    reading = Reading(path, text)
    for section, content in tables.items():
        (_list if section in LISTS else _section)(reading, section, content)
    for variable, value in environ.items():
        _variable(reading, variable, value)
    for section in (*sections(), *(numbered for listed in reading.listed.values() for numbered in listed)):
        for field in _fields(section).values():
            is_missing = field.required and not reading.given(section, field.name)
            if is_missing and not reading.failed(section, field.name):
                message = f"`{field.name}` under [{bare(section)}] is missing."
                example = _EXAMPLES[section.partition(" ")[0], field.name]
                reading.add(section, field.name, message, f"Add a line such as {example}")
    return reading


def not_toml(path: Path, text: str, error: tomllib.TOMLDecodeError) -> SettingProblem:
    """Return the problem with a text that is not TOML. The parser's message contains no value of a setting."""
    words = str(error)
    match = _AT.search(words)
    line = int(match[1]) if match and match[1] else text.rstrip().count("\n") + 1
    words = _AT.sub("", words)
    if words.startswith(("Cannot overwrite a value", "Cannot declare", "Cannot mutate")):
        # The parser looks up only once it has read the value; by then it may stand at the start of the next line.
        line -= bool(match and match[2] == "1")
        return SettingProblem(
            f"{path}:{line}", "This setting or section is here for the second time.", "Remove one of the two."
        )
    mend = 'A setting is written name = "text", name = 12, name = true, or name = ["one", "two"].'
    return SettingProblem(f"{path}:{line}", f"This is not TOML: {words[:1].lower()}{words[1:]}.", mend)


def _section(reading: Reading, section: str, content: object) -> None:
    if section not in sections():
        return reading.add(section, "", *_unknown_section(section, content))
    if not isinstance(content, dict):
        return reading.add(section, "", f"`{section}` is a section.", f"Write [{section}] on a line of its own.")
    for setting, value in content.items():
        if setting in _fields(section):
            reading.take(section, setting, value, strict=True)
        elif RENAMED.get((section, setting)) in content:
            message = f"`{setting}` under [{section}] is now called `{RENAMED[section, setting]}`, which is set, too."
            reading.add(section, setting, message, "Remove it.")
        elif (section, setting) in RENAMED:
            reading.take_renamed(section, setting, value)
        else:
            reading.add(section, setting, f"[{section}] has no setting `{setting}`.", _nearest(section, setting))
    return None


def _list(reading: Reading, name: str, content: object) -> None:
    """Read the sections of a list, such as `[[relay]]`."""
    if not isinstance(content, list) or not all(isinstance(table, dict) for table in content):
        message = f"There may be several sections `{name}`."
        return reading.add(name, "", message, f"Write [[{name}]], with double brackets, on a line of its own.")
    for number, table in enumerate(content):
        section = f"{name} {number}"
        reading.listed[name].append(section)
        for setting, value in table.items():
            if setting in _fields(section):
                reading.take(section, setting, value, strict=True)
            else:
                message = f"[[{name}]] has no setting `{setting}`."
                reading.add(section, setting, message, _nearest(section, setting))
    return None


def bare(section: str) -> str:
    """Return how a section is named in a message, within its brackets: one of a list in brackets of its own."""
    name, _, number = section.partition(" ")
    return f"[{name}]" if number else name


def _variable(reading: Reading, variable: str, value: str) -> None:
    section, _, setting = variable.removeprefix(ENVIRONMENT).lower().partition("__")
    if new := RENAMED.get((section, setting)):
        reading.warnings.append(_renamed(variable, "This variable", f"{ENVIRONMENT}{section}__{new}".upper()))
        setting = new
    if setting not in _fields(section):
        message = "There is no such setting."
        close = difflib.get_close_matches(variable, _variables(), 1, 0.75)  # all begin alike
        mend = f"Did you mean {close[0]}?" if close else "Unset it; docs/settings.md lists all settings."
        reading.problems.append(SettingProblem(variable, message, mend))
        return
    is_list = get_origin(_fields(section)[setting].type) is list
    typed: object = [piece.strip() for piece in value.split(",") if piece.strip()] if is_list else value
    reading.take(section, setting, typed, strict=False, variable=variable)


def _renamed(place: str, message: str, new: str) -> SettingProblem:
    return SettingProblem(
        place, f"{message} is now called {new}.", "Rename it: this version still reads the earlier name."
    )


@cache
def _fields(section: str) -> Mapping[str, msgspec.structs.FieldInfo]:
    name, _, number = section.partition(" ")
    struct = LISTS.get(name) if number else sections().get(section)
    return {field.name: field for field in msgspec.structs.fields(struct)} if struct else {}


def _variables() -> list[str]:
    return [f"{ENVIRONMENT}{section}__{name}".upper() for section in sections() for name in _fields(section)]


def _unknown_section(section: str, content: object) -> tuple[str, str]:
    if not isinstance(content, dict):
        homes = _homes(section)
        mend = f"Put it under {' or '.join(homes)}." if homes else "Put each setting under its section, such as [site]."
        return f"`{section}` is outside every section.", mend
    close = difflib.get_close_matches(section, sections(), 1)
    names = ", ".join(f"[{name}]" for name in sections())
    return f"There is no section [{section}].", f"Did you mean [{close[0]}]?" if close else f"There are {names}."


def _homes(setting: str) -> list[str]:
    return [f"[{section}]" for section in sections() if setting in _fields(section)]


def _nearest(section: str, setting: str) -> str:
    if setting.replace("_", "").replace("-", "").lower() in _SECRETS:
        files = {"mail": "keys/mail-password", "database": "keys/database-password", "shop": "keys/card-company-key"}
        file = files.get(section, "keys/")
        file = "keys/mail-password-<name>" if section.startswith("relay ") else file
        return f"Secrets are not settings: put it by itself into {file}, and remove it from this file."
    if homes := _homes(setting):
        return f"It belongs under {' or '.join(homes)}."
    names = _fields(section)
    close = difflib.get_close_matches(setting.lower().replace("-", "_"), names, 1)
    return f"Did you mean `{close[0]}`?" if close else f"It has {', '.join(f'`{name}`' for name in names)}."


_KINDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list"}
_KINDS |= {"object": "a section", "null": "nothing"}


def _wrong(section: str, setting: str, words: str) -> str:
    """Return the converter's message in plain words. It names types, and a value only from a closed list."""
    match = re.match(r"Expected `([^`]+)`, got `([^`]+)`", words)
    if match:
        expected, actual = (_KINDS.get(kind.split(" ")[0], kind) for kind in match.groups())
        return f"`{setting}` under [{section}] must be {expected}, not {actual}."
    if match := re.match(r"Invalid enum value (.*?)(?: - at .*)?$", words):
        return f"`{setting}` under [{section}] cannot be {match[1]}."
    return f"`{setting}` under [{section}] has the wrong type."


def _say_kind(setting: str, kind: Any) -> str:
    inner = get_args(kind)
    if get_origin(kind) is list:
        choices = [member.value for member in inner[0]] if hasattr(inner[0], "__members__") else []
        example = f'"{choices[0]}", "{choices[1]}"' if choices else '"one", "two"'
        return f"Write {setting} = [{example}]." + (f" Choose from {', '.join(choices)}." if choices else "")
    if inner and all(isinstance(choice, str) for choice in inner):
        return f"Write one of {', '.join(f'"{choice}"' for choice in inner)}."
    return f"Write {setting} = {({str: '"text"', int: '12', float: '2.5'}).get(kind, '…')}."


_EXAMPLES = {
    ("site", "name"): 'name = "Example Software"',
    ("site", "url"): 'url = "https://www.example.com/troth"',
    ("relay", "name"): 'name = "second"',
    ("relay", "address"): 'address = "smtps://user@mail.example.com:465"',
    ("translation", "language"): 'language = "de"',
    ("translation", "consent"): 'consent = "Ich möchte den Newsletter erhalten."',
}
