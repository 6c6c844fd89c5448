"""The front looks countries up behind its fence, in a database that it was handed open; it could not open one."""

import os
from pathlib import Path

import pytest

from tests.walls.prison import brief_for, run
from troth.audience.imports import mmdb_writer

pytestmark = pytest.mark.walls

_CODE = """
from troth.audience.counting.geoip import CountryDatabase, CountriesError
from pathlib import Path
countries = CountryDatabase.inherited({descriptor})
found["there"] = countries.of("192.0.2.9")
found["nowhere"] = countries.of("198.51.100.1")
found["django"] = str("django" in sys.modules)
try:
    CountryDatabase.at(Path({path!r}))
except CountriesError:
    found["opened"] = "refused"
"""


def test_a_database_that_was_handed_over_is_read_and_no_other(folders: Path, tmp_path: Path) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_bytes(mmdb_writer.build(mmdb_writer.read(["192.0.2.0,192.0.2.255,DE"])))
    descriptor = os.open(path, os.O_RDONLY)
    try:
        code = _CODE.format(descriptor=descriptor, path=str(path))
        result = run(brief_for("front", folders), code, inherit=(descriptor,))
    finally:
        os.close(descriptor)
    assert result.found == {"there": "DE", "nowhere": "", "django": "False", "opened": "refused"}, result.stderr
