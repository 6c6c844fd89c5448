"""A problem in a policy's text, as `troth policy check` and the console show it. Touches nothing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PolicyProblem:
    """A problem in the text."""

    level: str
    """`bad`: the text cannot be published; `warn`: a person should check it."""
    line: int
    """From 1; 0 if it belongs to no line."""
    what: str
    mend: str

    @property
    def place(self) -> str:
        """Return the place as editors read it."""
        return f"policy.md:{self.line}" if self.line else "policy.md"
