"""A lazily imported module is imported when it is first used, and then is the module."""

import subprocess
import sys

from tests import forked


def test_nothing_is_imported_before_it_is_used():
    code = (
        "import sys; from troth.core.lazy import lazy; colours = lazy('colorsys');"
        "assert 'colorsys' not in sys.modules; colours.rgb_to_hls(0, 0, 0); import colorsys;"
        "assert colours.rgb_to_hls is colorsys.rgb_to_hls"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_no_file_uses_a_lazily_imported_module_while_it_is_imported_itself():
    """An annotation is enough for that, unless it stands in quotes: then everybody waits for the module as before."""
    code = (
        "from troth.core import lazy\n"
        "def used(module, name): raise AssertionError(f'{module.__name__}.{name} is used too early')\n"
        "lazy._Lazy.__getattr__ = used\n"
        "import tests.warm; tests.warm.warm()\n"
        "import troth.front.app"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=forked.ROOT)
