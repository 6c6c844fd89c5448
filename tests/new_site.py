"""New sites whose database has its tables: what the first start or command of a site makes there, made once and copied.

First starts and first commands have tests of their own (`tests/cli`, `tests/demo`, `tests/supervisor`), and sites of
`bench.site.running` are started without.
"""

import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from tests import forked
from troth.core.site import Site
from troth.operate import create_site

_MAKE_TABLES = """
import sys
from pathlib import Path
from troth.operate.site_session import in_site
in_site(Path(sys.argv[1]))
from django.db import connection
connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
"""


def create(root: Path, **options: str) -> create_site.Created:
    """What `create_site.init` makes, and the tables."""
    created = create_site.init(root, **options)
    site = Site(created.root)
    shutil.copyfile(_tables(), site.database)
    site.database.chmod(0o640)
    return created


@cache
def _tables() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="tables-"))
    site = Site(create_site.init(folder / "site").root)
    forked.run(_MAKE_TABLES, site.root, env=os.environ).check_returncode()
    return site.database
