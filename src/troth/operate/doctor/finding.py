"""What `troth doctor` says of one thing that it looked at. Touches nothing."""

from dataclasses import dataclass
from typing import Literal

type Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `mend` is empty where there is nothing to do."""

    level: Level
    what: str
    mend: str = ""
