"""Something wrong in a policy's text, as `troth policy check` and the office say it. Touches nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong in the text."""

    level: str
    """`bad`: it cannot be published; `warn`: a person should look at it."""
    line: int
    """From 1; 0 where it has no place in the text."""
    what: str
    mend: str

    @property
    def place(self) -> str:
        """Where, as an editor reads it."""
        return f"policy.md:{self.line}" if self.line else "policy.md"
