"""Looks up the country of an address in a local database (MMDB), without network access and without storing it.

The front opens no file: it gets the database as an open descriptor, or as bytes, before its sandbox closes, and reads
it into memory. There is no cache: a look-up takes some 8 µs, and a cache would store addresses (V1). Touches what it is
given. Source of the format: the MaxMind DB file format specification, version 2.0; docs/statistics-import.md says where
to get a database.
"""

import io
import os
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from typing import Any, Self

import maxminddb

from troth.core.errors import TrothError

LARGEST = 512 * 1024 * 1024
"""Bytes of a database at most: country databases have 3 to 10 million."""
_NOWHERE = frozenset({"ZZ", "XX", "AP", "EU"})
"""Codes that some databases use for unknown."""


class CountriesError(TrothError):
    """The file is not a country database."""


class CountryDatabase:
    """A country database in memory."""

    def __init__(self, database: bytes) -> None:
        """Raises `CountriesError` where this is not an MMDB."""
        try:
            self._reader = maxminddb.open_database(io.BytesIO(database), maxminddb.MODE_FD)
        except Exception:  # the reader trusts what it reads: a broken file raises whatever it comes to
            raise CountriesError(
                "The country database cannot be read.", mend="Set `country_database` in [audience] to an MMDB file."
            ) from None

    @classmethod
    def inherited(cls, descriptor: int) -> Self:
        """Read it from an inherited descriptor, which stays open. Raises `CountriesError`."""
        size = os.fstat(descriptor).st_size
        if size > LARGEST:
            raise CountriesError("The country database is too large.", mend=f"Use one of at most {LARGEST >> 20} MiB.")
        return cls(b"".join(_read(descriptor, size)))

    @classmethod
    def at(cls, path: Path) -> Self:
        """Read it from a file. Raises `CountriesError`."""
        try:
            with path.open("rb") as file:
                return cls.inherited(file.fileno())
        except OSError:
            raise CountriesError(
                f"{path} cannot be read.",
                mend="Set `country_database` in [audience] to an MMDB file that this user may read.",
            ) from None

    def of(self, address: str) -> str:
        """Return the country code (ISO 3166-1, two letters); empty for unknown, private or invalid. Never raises."""
        try:
            return _code(self._reader.get(_plain(address)))
        except Exception:  # an odd address, an odd database: no country
            return ""


def _read(descriptor: int, size: int) -> "list[bytes]":
    """Return the whole file without moving the descriptor's position, which others may share."""
    parts, at = [], 0
    while at < size and (part := os.pread(descriptor, size - at, at)):
        parts.append(part)
        at += len(part)
    return parts


def _plain(address: str) -> str:
    """Return an IPv4-mapped IPv6 address as IPv4; any other unchanged."""
    if ":" not in address:
        return address
    read = ip_address(address.partition("%")[0])
    mapped = read.ipv4_mapped if isinstance(read, IPv6Address) else None
    return str(mapped or read)


def _code(record: Any) -> str:
    """Return a record's country: `country.iso_code` (GeoLite, DB-IP), `country_code` (ip-location-db) or `country`."""
    if not isinstance(record, dict):
        return ""
    country = record.get("country")
    code = country.get("iso_code") if isinstance(country, dict) else record.get("country_code") or country
    if not (isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()):
        return ""
    code = code.upper()
    return "" if code in _NOWHERE else code
