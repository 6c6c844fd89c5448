"""Returns the script for the vendor's pages: `t.js` with the site's settings, without comments and indentation. Reads
this package; writes nothing.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

_SOURCE = Path(__file__).with_name("t.js").read_text()
_SETTINGS = "})([], 0)"
"""The end of the source: its default arguments."""


def script(parameters: Iterable[str] = (), *, hash_routes: bool = False) -> bytes:
    """Return the script. `parameters`: the query parameters that make another page."""
    code = re.sub(r"^ +(?://.*\n)?", "", _SOURCE, flags=re.MULTILINE)
    head, settings, tail = code.partition(_SETTINGS)
    assert settings, f"t.js does not end with {_SETTINGS}"
    return f"{head}}})({json.dumps(sorted(parameters))}, {int(hash_routes)}){tail}".encode()
