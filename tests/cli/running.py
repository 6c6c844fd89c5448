"""Runs `troth` as an operator does: a process of its own, with only the environment that is named."""

import os
import subprocess
import sys
from pathlib import Path

CODE = "import sys; sys.argv[0] = 'troth'; from troth.cli import main; main()"


def troth(*words: str, cwd: Path | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `troth WORDS`; what it printed and how it ended."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", CODE, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "COLUMNS": "200", "NO_COLOR": "1", **environ},
    )
