"""Progress of what takes long, as bars on a terminal; nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress(*, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """What to call with what is being done, how much is done, and how much there is (0: nobody knows)."""
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    off = quiet or not sys.stderr.isatty()
    from troth.cli.console import console

    with Progress(*columns, TimeElapsedColumn(), console=console(stderr=True), disable=off) as bars:
        known: dict[str, TaskID] = {}

        def tell(what: str, done: int, all_of_it: int) -> None:
            if what not in known:
                known[what] = bars.add_task(what, total=None)
            bars.update(known[what], completed=done, total=all_of_it or None)

        yield tell
