"""What the console's first page asks of the operator."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that needs somebody's attention."""

    level: str
    """`bad` or `warn`."""
    what: str
    mend: str
    page: str = ""
    """The name of the console's page that shows it, for those who may see it."""
