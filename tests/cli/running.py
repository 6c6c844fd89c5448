"""Runs `troth` as an operator does: a process of its own, with only the environment that is named."""

import os
import subprocess
from pathlib import Path

from tests import forked

CODE = "import sys; sys.argv[0] = 'troth'; from troth.cli import main; main()"


def troth(*words: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `troth WORDS`; what it printed and how it ended."""
    named = {"PATH": os.environ["PATH"], "COLUMNS": "200", "NO_COLOR": "1", **environ}
    return forked.run(CODE, *words, env=named, strict=True, cwd=cwd)
