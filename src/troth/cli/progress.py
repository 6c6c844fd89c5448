"""Show the progress of long work as bars on a terminal; print nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from troth.core.lazy import lazy

if TYPE_CHECKING:
    from rich import progress as bars

    from troth.cli import console
    from troth.cli.console import Console
else:
    bars = lazy("rich.progress")
    console = lazy("troth.cli.console")

type Report = Callable[[str, int, int], None]
"""What is being done, how much is done, how much there is (0: unknown)."""
type ReportCounted = Callable[[str, int, int, int], None]
"""The same, and the number of items so far."""


@contextmanager
def progress(*, quiet: bool) -> Iterator[Report]:
    """Yield a function that reports progress; each kind of work has its own bar."""
    columns = (bars.TextColumn("{task.description}"), bars.BarColumn(), bars.TextColumn("{task.percentage:>3.0f} %"))
    off = quiet or not sys.stderr.isatty()
    out = console.console(stderr=True)
    with bars.Progress(*columns, bars.TimeElapsedColumn(), console=out, disable=off) as display:
        tasks: dict[str, bars.TaskID] = {}

        def report(label: str, completed: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = display.add_task(label, total=None)
            display.update(tasks[label], completed=completed, total=total or None)

        yield report


@contextmanager
def counted(out: "Console", unit: str, *, quiet: bool) -> Iterator[ReportCounted]:
    """Yield a function that reports progress on one bar, with the number of `unit`, their rate and the time left."""
    columns = (
        bars.TextColumn("{task.description}"),
        bars.BarColumn(),
        bars.TaskProgressColumn(),
        bars.TextColumn(f"{{task.fields[count]:,}} {unit}, {{task.fields[rate]:,}} a second"),
        bars.TimeRemainingColumn(),
    )
    with bars.Progress(*columns, console=out, disable=quiet or not out.is_terminal) as display:
        task = display.add_task("", total=None, count=0, rate=0)

        def report(label: str, completed: int, size: int, count: int) -> None:
            rate = round(count / max(0.001, display.tasks[0].elapsed or 0.001))
            display.update(task, description=label, completed=completed, total=size or None, count=count, rate=rate)

        yield report
