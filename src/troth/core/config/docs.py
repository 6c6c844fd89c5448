"""Describe each setting, from the source of `core/config/sections.py`: for a new `troth.toml` and docs/settings.md."""

import ast
import enum
import inspect
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, get_args, get_origin

import msgspec

from troth.core.config import sections
from troth.core.config.sections import limits, setting_type


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it is documented. `default` is TOML; empty where there is none."""

    section: str
    name: str
    kind: str
    default: str
    meaning: str


@cache
def _meanings() -> dict[str, dict[str, str]]:
    """Return the docstrings of each struct's fields, by the names of struct and field."""
    classes = [node for node in ast.parse(inspect.getsource(sections)).body if isinstance(node, ast.ClassDef)]
    return {node.name: dict(_fields(node)) for node in classes}


def _fields(node: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, after in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(after, ast.Expr):
            text = after.value.value if isinstance(after.value, ast.Constant) else ""
            yield field.target.id, " ".join(str(text).split())


def about(section: str) -> str:
    """Return what a section is for."""
    return " ".join((_struct(section).__doc__ or "").split())


def settings(section: str) -> list[Setting]:
    """Return the settings of a section, in the order of the file."""
    struct = _struct(section)
    meanings = _meanings()[struct.__name__]
    return [
        Setting(section, field.name, _kind(section, field), _default(field), meanings.get(field.name, ""))
        for field in msgspec.structs.fields(struct)
    ]


def _struct(section: str) -> type[msgspec.Struct]:
    return sections.LISTS.get(section) or sections.sections()[section]


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.default is not msgspec.NODEFAULT:
        return toml(field.default)
    return toml(field.default_factory()) if callable(field.default_factory) else ""


def _kind(section: str, field: msgspec.structs.FieldInfo) -> str:
    kind: Any = setting_type(field)
    meta = limits(field)
    if meta and meta.ge is not None:
        return f"{meta.ge:g} to {meta.le:,.0f}"
    if kind is bool:
        return "true or false"
    if get_origin(kind) is list:
        (inner,) = get_args(kind)
        return f"list of {', '.join(inner)}" if isinstance(inner, enum.EnumMeta) else "list of texts"
    if choices := get_args(kind):
        return " or ".join(toml(choice) for choice in choices)
    return "text"


def toml(value: object) -> str:
    """Return a setting's value as TOML."""
    if isinstance(value, str):
        # JSON's escapes are TOML's, too; what TOML forbids beyond them is the one control character 127.
        return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(toml(item) for item in value)}]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:_}" if isinstance(value, int) else f"{value}"
