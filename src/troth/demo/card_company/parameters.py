"""Parameters of calls: form-encoded with brackets for what is nested, as frozen structs; unknown ones are refused.

`line_items[0][price]=price_1&metadata[order]=7&expand[]=customer`. No error quotes a value: it may be a card number.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl

import msgspec
from msgspec import UNSET, Meta, UnsetType

from troth.demo.card_company.errors import ApiError, invalid

type Text = Annotated[str, Meta(min_length=1, max_length=5000)]
type Unsettable = Annotated[str, Meta(max_length=5000)]
"""A text that an empty one takes away."""
type Whole = Annotated[int, Meta(ge=0)]
type Metadata = dict[str, str] | Literal[""]

_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")
_PLACE = re.compile(r"(?: - at `\$(?P<path>.*)`)?$")
_NAMED = re.compile(r"`(\w+)`")


class Parameters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every call takes."""

    expand: tuple[str, ...] = ()


class Range(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when to when."""

    gt: int | None = None
    gte: int | None = None
    lt: int | None = None
    lte: int | None = None


class PageParameters(Parameters, frozen=True, kw_only=True):
    """What every list takes."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 10
    starting_after: str | UnsetType = UNSET
    ending_before: str | UnsetType = UNSET


class ListParameters(PageParameters, frozen=True, kw_only=True):
    """What most lists take."""

    created: int | Range | UnsetType = UNSET


def decode(encoded: str) -> dict[str, Any]:
    """Return the nested form of an encoded body or query. Raises `ApiError` for a name that cannot be read."""
    nested: dict[str, Any] = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head, bracket, rest = name.partition("[")
        path = [head, *_SEGMENT.findall(bracket + rest)]
        if head + "".join(f"[{part}]" for part in path[1:]) != name or not head:
            raise invalid(head, f"Invalid parameter name: {head}")
        _put(nested, path, value)
    return {name: value if name == "metadata" else _lists(value) for name, value in nested.items()}


def _put(nested: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        nested = nested.setdefault(part or str(len(nested)), {})
        if not isinstance(nested, dict):
            raise invalid(path[0], f"Invalid object: {path[0]}", "parameter_invalid")
    nested[path[-1] or str(len(nested))] = value


def _lists(value: Any) -> Any:
    """Return the value with lists where the names are numbers."""
    if not isinstance(value, dict):
        return value
    if value and all(name.isdigit() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: part if name == "metadata" else _lists(part) for name, part in value.items()}


def parsed[P: Parameters](encoded: str, kind: type[P]) -> P:
    """Return the parameters of a call. Raises `ApiError`, which names the parameter."""
    try:
        return msgspec.convert(decode(encoded), kind, strict=False)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from None


def _refusal(words: str) -> ApiError:
    place = _PLACE.search(words)
    path = re.sub(r"\.(\w+)", r"[\1]", place["path"] or "") if place else ""
    if "unknown field" in words or "missing required field" in words:
        name = _NAMED.findall(words)[0]
        path = f"{path}[{name}]" if path else f"[{name}]"
    param = re.sub(r"^\[(\w+)\]", r"\1", path)
    if "unknown field" in words:
        return _refused(param, f"Received unknown parameter: {param}", "parameter_unknown")
    if "missing required field" in words:
        return _refused(param, f"Missing required param: {param}.", "parameter_missing")
    if "length >= 1" in words:
        return _refused(param, f"You passed an empty string for '{param}'.", "parameter_invalid_empty")
    if "Expected `int`" in words:
        return _refused(param, f"Invalid integer: {param}", "parameter_invalid_integer")
    return _refused(param, f"Invalid value for {param}", "parameter_invalid")


def _refused(param: str, message: str, code: str) -> ApiError:
    error = invalid(param, message, code)
    error.remembered = False
    return error


def changes(params: Parameters, *names: str) -> dict[str, Any]:
    """Return what was given of these, or of all parameters; an empty text means that the value is taken away."""
    values = {name: value for name, value in msgspec.to_builtins(params).items() if name != "expand"}
    return {name: None if value == "" else value for name, value in values.items() if not names or name in names}


def merged(before: Mapping[str, str], after: Metadata | UnsetType) -> dict[str, str]:
    """Return metadata after a call: an empty value takes a key away, an empty text all of them."""
    if isinstance(after, UnsetType):
        return dict(before)
    if after == "":
        return {}
    joined = {key: value for key, value in {**before, **after}.items() if value != ""}
    if len(joined) > _MOST_KEYS:
        raise invalid("metadata", f"Metadata can have up to {_MOST_KEYS} keys.")
    for key, value in joined.items():
        if len(key) > _LONGEST_KEY or len(value) > _LONGEST_VALUE:
            raise invalid(
                "metadata", f"Metadata keys have up to {_LONGEST_KEY} characters, and values up to {_LONGEST_VALUE}."
            )
    return joined
