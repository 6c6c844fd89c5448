"""Generate the pages of docs that are made from the code. `python -m tests.docs.pages` writes them."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import django
import typer
from typer.main import get_command

from tests.docs.promise_pages import auditing_page, promises_page, proofs_page
from troth.cli.app import app
from troth.core.config import docs, sections
from troth.gate.email_kinds import every_kind

ROOT = Path(__file__).resolve().parents[2]
_SETTINGS = """\
# Settings

All settings are in `troth.toml` in the site's folder. Only `name` and `url` under `[site]` are required. A setting that
does not exist, has the wrong type or is out of range is an error that names the file, the line and the fix; nothing
starts until it is fixed. `troth doctor` checks the file without starting anything. Changes take effect when
`troth serve` is restarted.

Environment variables override settings: `TROTH_FRONT__LISTEN` is `listen` under `[front]`, its value without quotes,
the items of a list separated by commas. Passwords are not settings: they have files of their own in `keys/`.

A setting that was renamed is still read under its earlier name in this version, with a warning that names the line and
the new name; `troth doctor` shows the warning, too.

This page is generated from the code by `python -m tests.docs.pages`.
"""
_COMMANDS = """\
# Commands

`make` installs `troth` in `.venv/bin/`. Every command has `--help`. Commands that work on a site have `--site DIR`;
the default is the current folder. An error is one sentence and how to fix it, with exit code 1; a wrong option is exit
code 2.

This page is generated from the code by `python -m tests.docs.pages`.
"""


def settings_page() -> str:
    """docs/settings.md."""
    parts = [_SETTINGS]
    for section in sections.sections():
        rows = "\n".join(_setting(one) for one in docs.settings(section))
        head = "| setting | value | default | meaning |\n| --- | --- | --- | --- |"
        parts.append(f"\n## [{section}]\n\n{docs.about(section)}\n\n{head}\n{rows}\n")
    for section in sections.LISTS:
        rows = "\n".join(_setting(one) for one in docs.settings(section))
        parts.append(f"\n## [[{section}]]\n\n{docs.about(section)}\n\n{head}\n{rows}\n")
    return "".join(parts)


def _setting(one: docs.Setting) -> str:
    default = f"`{_cell(one.default)}`" if one.default else "must be set"
    return f"| `{one.name}` | {_cell(one.kind)} | {default} | {_cell(one.meaning)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def commands() -> dict[str, typer.core.TyperCommand]:
    """Every command by its full name, groups resolved, groups in groups too."""
    return dict(_within(get_command(app), ()))


def _within(group: object, before: tuple[str, ...]) -> Iterator[tuple[str, typer.core.TyperCommand]]:
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            yield from _within(command, (*before, name))
        else:
            yield " ".join((*before, name)), command


def commands_page() -> str:
    """docs/commands.md."""
    return _COMMANDS + "".join(_command(name, one) for name, one in commands().items())


def _command(name: str, command: typer.core.TyperCommand) -> str:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    usage = " ".join(["troth", name, *(one.metavar or str(one.name).upper() for one in arguments)])
    lines = [f"\n## troth {name}\n\n    {usage}\n\n{_plain(command.help)}\n"]
    rows = [f"| {one.metavar or one.name} | {_plain(getattr(one, 'help', ''))} |" for one in arguments]
    rows += [f"| `{_option(one)}` | {_plain(getattr(one, 'help', ''))}{_default(one)} |" for one in options]
    rows = [row for row in rows if not row.endswith("|  |")]
    if rows:
        lines.append("\n| | |\n| --- | --- |\n" + "\n".join(rows) + "\n")
    return "".join(lines)


def _option(one: object) -> str:
    name = one.opts[0]  # type: ignore[attr-defined]
    return name if getattr(one, "is_flag", False) else f"{name} {one.metavar or 'TEXT'}"  # type: ignore[attr-defined]


def _default(one: object) -> str:
    shown = getattr(one, "show_default", None)
    if isinstance(shown, str):
        return f" Default: {shown}."
    default = getattr(one, "default", None)
    return "" if default in (None, False, "") or isinstance(default, Path) else f" Default: {default}."


def _plain(text: str | None) -> str:
    told = re.sub(r"(?<!\\)\[/?[a-z ]*\]", "", text or "").replace("\\[", "[")  # Rich's marks, and its escape
    return _cell(re.sub(r"\s+", " ", told).strip())


def mail_page() -> str:
    """docs/mail.md, whose table of kinds of email is made from the code; all else in it is written by hand."""
    rows = [f"| {kind.title} | {kind.to} | {kind.contains} |" for kind in every_kind().values()]
    table = "\n".join(["| email | to | when, and what it contains |", "| --- | --- | --- |", *rows])
    page = (ROOT / "docs" / "mail.md").read_text("utf-8")
    return re.sub(r"(## Kinds of email\n\n)(?:\|.*\n)+", lambda match: f"{match.group(1)}{table}\n", page)


PAGES = {
    "auditing.md": auditing_page,
    "mail.md": mail_page,
    "settings.md": settings_page,
    "commands.md": commands_page,
    "promises.md": promises_page,
    "proofs.md": proofs_page,
}

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")
    django.setup()
    for page, made in PAGES.items():
        (ROOT / "docs" / page).write_text(made(), "utf-8")
