"""The snippet for the vendor's pages: `t.js`, with what the operator set, without comments and indentation. Reads this
package; writes nothing.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path

_SOURCE = Path(__file__).with_name("t.js").read_text()
_SETTINGS = "})([], 0)"
"""How the source ends: what it is called with where nothing is set."""


def script(parameters: Iterable[str] = (), *, hash_routes: bool = False) -> bytes:
    """The script as a browser gets it. `parameters`: of a query, those that make another page."""
    code = re.sub(r"^ +(?://.*\n)?", "", _SOURCE, flags=re.MULTILINE)
    head, settings, rest = code.partition(_SETTINGS)
    assert settings, f"t.js does not end with {_SETTINGS}"
    return f"{head}}})({json.dumps(sorted(parameters))}, {int(hash_routes)}){rest}".encode()
