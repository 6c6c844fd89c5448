"""Campaigns, topics and subscribers, and the desk at which campaigns are written."""

import pytest

from tests.newsletter.subscribers import subscribe
from tests.office.conftest import desk, operator  # noqa: F401 - fixtures
from tests.office.test_roles import sign_in
from troth.kit.roles import Role
from troth.newsletter.campaigns import drafts
from troth.newsletter.models import Campaign

TEXT = "# Hello\n\nDear {{ first_name | reader }}, see [our notes](https://example.com/notes)."


@pytest.fixture
def written(site):
    """`written(subject, ...)` makes a draft that is ready to be sent."""

    def write(subject: str = "Spring news", markdown: str = TEXT, **values) -> Campaign:
        made = drafts.create()
        drafts.save(made.id, made.revision, subject=subject, markdown=markdown, **values)
        made.refresh_from_db()
        return made

    return write


@pytest.fixture
def subscribers(site):
    """`subscribers(count)` makes people who confirmed; returns their ids."""

    def confirm(count: int = 3) -> list:
        return [subscribe(f"reader{number}@example.com", name=f"Reader {number}") for number in range(count)]

    return confirm


@pytest.fixture
def support(site):
    """A browser with somebody of the role Support."""
    return sign_in(Role.CLERK)


@pytest.fixture
def analyst(site):
    """A browser with an analyst."""
    return sign_in(Role.ANALYST)
