"""The desk at which statistics are read."""

from tests.office.conftest import desk, operator  # noqa: F401 - fixtures
