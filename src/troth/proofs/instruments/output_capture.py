"""Captures what this process prints and logs, at any level.

A proof searches it for canaries' details. It is never stored: it may contain what must not be stored. May touch: this
process's own output.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator


class OutputCapture:
    """Captures once. `text` is what was captured."""

    def __init__(self) -> None:
        self.text = ""

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Capture everything printed or logged in this block, debug records included."""
        heard, says = os.pipe()
        copies = {number: os.dup(number) for number in (1, 2)}
        records = logging.StreamHandler(os.fdopen(os.dup(says), "w", encoding="utf-8", errors="replace"))
        ear = threading.Thread(target=self._hear, args=(heard,))
        root, level = logging.getLogger(), logging.getLogger().level
        _flush()
        for number in copies:
            os.dup2(says, number)
        os.close(says)
        root.addHandler(records)
        root.setLevel(logging.DEBUG)
        ear.start()
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(records)
            records.stream.close()
            _flush()
            for number, copy in copies.items():
                os.dup2(copy, number)
                os.close(copy)
            ear.join()

    def _hear(self, heard: int) -> None:
        with os.fdopen(heard, "rb") as line:
            self.text = line.read().decode("utf-8", "replace")


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
