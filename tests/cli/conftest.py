"""A new site for commands."""

import pytest

from troth.operate import create_site


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "site"
    create_site.init(made, name="Example Software", url="http://127.0.0.1:18399")
    return made
