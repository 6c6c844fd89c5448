"""Print with Rich: the colours are Rich's, and printed text cannot control the terminal."""

import sys
from typing import Any

from rich.console import Console

from troth.core.text.terminal import TerminalStream, shown

__all__ = ["Console", "console"]


class _SafeConsole(Console):
    def print(self, *objects: Any, **options: Any) -> None:
        """Print, with control characters in strings made visible (`core.text.terminal`)."""
        super().print(*(shown(item) if isinstance(item, str) else item for item in objects), **options)


def console(*, stderr: bool = False, **options: Any) -> Console:
    """Return a console that prints to stdout or stderr."""
    stream = sys.stderr if stderr else sys.stdout
    return _SafeConsole(file=stream.stream if isinstance(stream, TerminalStream) else None, stderr=stderr, **options)
