"""Define a finding of `troth doctor`. Touches nothing."""

from dataclasses import dataclass
from typing import Literal

type Level = Literal["ok", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding. `mend` says how to fix it; empty if there is nothing to do."""

    level: Level
    what: str
    mend: str = ""
