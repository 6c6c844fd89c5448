"""Which country an address is in, by a database (MMDB) that lies on this machine. Asks nobody, keeps no address.

The front opens no file: it is handed the database as an open descriptor, or as bytes, before its fence closes, and from
then on it is memory. There is no cache: a look-up takes some 8 µs, and a cache would have to know an address (V1).
Touches what it is handed. Source of the format: the MaxMind DB file format specification, version 2.0; docs/statistics-
import.md says where to get a database.
"""

import io
import os
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Self

import maxminddb

from troth.core.errors import TrothError

LARGEST = 512 * 1024 * 1024
"""Bytes of a database at most: those of countries have 3 to 10 million."""
_NOWHERE = frozenset({"ZZ", "XX", "AP", "EU"})
"""Codes that some databases write where they do not know."""


class CountriesError(TrothError):
    """The file is no database of countries."""


class Countries:
    """A database, in memory."""

    def __init__(self, database: bytes) -> None:
        """Raises `CountriesError` where these are no MMDB."""
        try:
            self._reader = maxminddb.open_database(io.BytesIO(database), maxminddb.MODE_FD)
        except Exception:  # the reader trusts what it reads: a broken file raises whatever it comes to
            raise CountriesError(
                "The database of countries cannot be read.", mend="Name an MMDB under `country_database` in [audience]."
            ) from None

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """From a descriptor that somebody else opened; it stays open. Raises `CountriesError`."""
        size = os.fstat(descriptor).st_size
        if size > LARGEST:
            raise CountriesError("The database of countries is too large.", mend=f"At most {LARGEST >> 20} MiB.")
        return cls(b"".join(_read(descriptor, size)))

    @classmethod
    def at(cls, path: Path) -> Self:
        """From a file. Raises `CountriesError`."""
        try:
            with path.open("rb") as file:
                return cls.inherited(file.fileno())
        except OSError:
            raise CountriesError(
                f"{path} cannot be read.",
                mend="Name an MMDB that this user may read under `country_database` in [audience].",
            ) from None

    def of(self, address: str) -> str:
        """The country's code (ISO 3166-1, two letters), or nothing: unknown, private, or no address. Never raises."""
        try:
            return _code(self._reader.get(_plain(address)))
        except Exception:  # an odd address, an odd database: no country
            return ""


def _read(descriptor: int, size: int) -> "list[bytes]":
    """The whole file, wherever the descriptor stands; two who share it do not disturb each other."""
    parts, at = [], 0
    while at < size and (part := os.pread(descriptor, size - at, at)):
        parts.append(part)
        at += len(part)
    return parts


def _plain(address: str) -> str:
    """An IPv4 address that is written as an IPv6 one, plain; any other as it is."""
    if ":" not in address:
        return address
    read = ip_address(address.partition("%")[0])
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return str(mapped or read)


def _code(record: Any) -> str:
    """Databases differ: `country.iso_code` (GeoLite, DB-IP), `country_code` (ip-location-db), `country` (IPinfo)."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country")
    told = country.get("iso_code") if isinstance(country, dict) else record.get("country_code") or country
    if not (isinstance(told, str) and len(told) == 2 and told.isascii() and told.isalpha()):
        return ""
    told = told.upper()
    return "" if told in _NOWHERE else told
