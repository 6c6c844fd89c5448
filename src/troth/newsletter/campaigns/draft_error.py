"""What is wrong with a draft, and where. Touches nothing."""

from typing import Literal

from troth.core.errors import TrothError

type Part = Literal["subject", "preheader", "text", "template", "language"]
"""The part of a draft, named as its field."""


class DraftError(TrothError):
    """A draft from which no email can be made. `str` names the part and, in the text, the line."""

    def __init__(self, message: str, *, mend: str, part: Part = "text", line: int = 0) -> None:
        place = f"Line {line}" if part == "text" and line else part.capitalize()
        super().__init__(f"{place}: {message}", mend=mend)
        self.part: Part = part
        self.line = line
        """From 1; 0 where it is about the whole part."""
