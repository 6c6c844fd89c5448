"""A lazily imported module is imported when it is first used, and then is the module."""

import subprocess
import sys


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys; from troth.core.lazy import lazy; colours = lazy('colorsys');"
        "assert 'colorsys' not in sys.modules; colours.rgb_to_hls(0, 0, 0); import colorsys;"
        "assert colours.rgb_to_hls is colorsys.rgb_to_hls"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
