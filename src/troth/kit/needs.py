"""Describes what needs the operator's attention on the console's first page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """A matter that needs attention."""

    level: str
    """`bad` or `warn`."""
    what: str
    mend: str
    page: str = ""
    """The URL name of the page that shows it, for those who may see it."""
