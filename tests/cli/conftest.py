"""A new site with its tables, for commands."""

import pytest

from tests import new_site


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "site"
    new_site.create(made, name="Example Software", url="http://127.0.0.1:18399")
    return made
