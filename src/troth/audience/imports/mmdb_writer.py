"""Builds a country database (MMDB) from lists of ranges: `192.0.2.0,192.0.2.255,DE` a line, with commas or tabs. Ranges
may come in any order, IPv4 and IPv6; where two overlap, the later line wins. Written here, because PyPI's mmdb-writer
takes seven times as long. Source: the MaxMind DB file format specification, version 2.0."""

import struct
import time
from collections.abc import Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from troth.core.errors import TrothError

MOST = 5_000_000
"""Ranges at most: lists of the whole internet have some 700,000."""
_MARK = b"\xab\xcd\xefMaxMind.com"
_V4_ROOT = 96
"""The root of the IPv4 addresses: the node of ::/96."""
_GIVEN_OUT = 1 << 125
"""2000::, the first IPv6 address that is assigned."""
_EMPTY = -1
type _Node = list[int]
"""Left and right: another node's number, `_EMPTY`, or a country as -2, -3, …"""


class RangesError(TrothError):
    """A line that is not a range."""


class Range(NamedTuple):
    """Addresses from the first to the last, both included, of 32 or 128 bits."""

    first: int
    last: int
    bits: int
    country: str


def read(lines: Iterable[str]) -> Iterator[Range]:
    """Read the ranges. Raises `RangesError` with the line number."""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        if number > MOST:
            raise RangesError(f"There are more than {MOST:,} lines.", mend="Use a list of ranges by country.")
        cells = [cell.strip().strip('"') for cell in line.replace("\t", ",").split(",")]
        try:
            first, last = (ip_address(cell) for cell in cells[:2])
            country = cells[2].upper()
            if first.version != last.version or int(first) > int(last):
                raise ValueError
        except (ValueError, IndexError):
            raise RangesError(
                f"Line {number} is not a range.", mend="Each line needs: first address, last address, country code."
            ) from None
        if len(country) == 2 and country.isascii() and country.isalpha() and country != "ZZ":
            yield Range(int(first), int(last), first.max_prefixlen, country)


def build(ranges: Iterable[Range], name: str = "Country ranges") -> bytes:
    """Return the database."""
    nodes: list[_Node] = [*([place + 1, _EMPTY] for place in range(_V4_ROOT)), [_EMPTY, _EMPTY]]
    countries: dict[str, int] = {}
    for span in ranges:
        if span.bits == 128 and span.first < _GIVEN_OUT:
            continue
        value = -2 - countries.setdefault(span.country, len(countries))
        for prefix, length in _networks(span):
            _insert(nodes, _V4_ROOT if span.bits == 32 else 0, prefix >> (span.bits - length), length, value)
    return _written(nodes, list(countries), name)


def _networks(span: Range) -> Iterator[tuple[int, int]]:
    """Return the networks that make up a range: address, length."""
    first = span.first
    while first <= span.last:
        size = span.bits if first == 0 else (first & -first).bit_length() - 1
        size = min(size, (span.last - first + 1).bit_length() - 1, span.bits - 1)
        yield first, span.bits - size
        first += 1 << size


def _insert(nodes: list[_Node], at: int, prefix: int, length: int, value: int) -> None:
    """Set the network below node `at` whose first `length` bits are `prefix`."""
    for shift in range(length - 1, 0, -1):
        side = prefix >> shift & 1
        child = nodes[at][side]
        if child < 0:  # a larger network stood here: what this one leaves of it stays as it was
            nodes.append([child, child])
            child = nodes[at][side] = len(nodes) - 1
        at = child
    nodes[at][prefix & 1] = value


def _written(nodes: list[_Node], countries: list[str], name: str) -> bytes:
    records = [_map({"country": _map({"iso_code": _text(country)})}) for country in countries]
    places, at = [], 0
    for record in records:
        places.append(at)
        at += len(record)
    count = len(nodes)

    def pointer(child: int) -> int:
        if child >= 0:
            return child
        return count if child == _EMPTY else count + 16 + places[-2 - child]

    tree = b"".join(struct.pack(">II", pointer(zero_child), pointer(one_child)) for zero_child, one_child in nodes)
    return tree + bytes(16) + b"".join(records) + _MARK + _metadata(count, name)


def _metadata(count: int, name: str) -> bytes:
    return _map(
        {
            "binary_format_major_version": _number(5, 2),
            "binary_format_minor_version": _number(5, 0),
            "build_epoch": _number(9, int(time.time())),
            "database_type": _text(name),
            "description": _map({"en": _text(name)}),
            "ip_version": _number(5, 6),
            "languages": _head(11, 0),
            "node_count": _number(6, count),
            "record_size": _number(5, 32),
        }
    )


def _head(kind: int, size: int) -> bytes:
    """Return the control byte of a value, and the byte of an extended type. Sizes are below 29 here."""
    return bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])


def _text(text: str) -> bytes:
    data = text.encode()[:28]
    return _head(2, len(data)) + data


def _number(kind: int, number: int) -> bytes:
    data = number.to_bytes(8).lstrip(b"\0")
    return _head(kind, len(data)) + data


def _map(cells: dict[str, bytes]) -> bytes:
    return _head(7, len(cells)) + b"".join(_text(name) + value for name, value in cells.items())
