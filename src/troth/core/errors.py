"""The root of Troth's error tree. Each room has a small branch of its own."""

import traceback
from pathlib import Path

_OURS = Path(__file__).parents[1]


class TrothError(Exception):
    """Something Troth refuses or cannot do.

    `str(error)` is for people and never carries personal data. `mend` says what to do about it; `retry` says whether
    trying the same again later can help.
    """

    retry: bool = False

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.mend = mend


def error_place(error: BaseException) -> str:
    """Return the innermost line of our code that the error passed, else the innermost line: `worker/intake.py:12`."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(_OURS)] or frames
    if not ours:
        return "unknown"
    path = Path(ours[-1].filename)
    return f"{path.relative_to(_OURS) if path.is_relative_to(_OURS) else path.name}:{ours[-1].lineno}"
