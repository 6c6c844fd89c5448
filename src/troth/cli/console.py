"""Rich's console as commands use it: the colours are its own, and what is printed by it as text steers nothing."""

import sys
from typing import Any

from rich.console import Console

from troth.core.text.terminal import Shown, shown


class _Shows(Console):
    def print(self, *objects: Any, **named: Any) -> None:
        """Print, strings as `core.text.terminal` shows them."""
        super().print(*(shown(one) if isinstance(one, str) else one for one in objects), **named)


def console(*, stderr: bool = False, **named: Any) -> Console:
    """A console that prints to stdout or stderr."""
    stream = sys.stderr if stderr else sys.stdout
    return _Shows(file=stream.stream if isinstance(stream, Shown) else None, stderr=stderr, **named)
