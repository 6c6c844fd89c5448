"""Run `main` of a module with Django set up for a site. A process of its own: the demo loads neither Django nor a key.

python -m troth.demo.on_site SITE MODULE [ARGUMENTS]
"""

import sys
from importlib import import_module
from pathlib import Path

from troth.core import django_start

if __name__ == "__main__":
    django_start.set_up(Path(sys.argv[1]))
    import_module(sys.argv[2]).main(*sys.argv[3:])
