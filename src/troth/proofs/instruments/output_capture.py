"""What this process says while something is done: every line to its output and every record to its log, at any level.

For a proof, which looks for details of canaries in it. It goes nowhere else: it may have what must not lie about.
May touch: this process's own output.
"""

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator


class OutputCapture:
    """Hears once. `text`: what was said."""

    def __init__(self) -> None:
        self.text = ""

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Hear everything that is said in this block, the log's quietest records as well."""
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
