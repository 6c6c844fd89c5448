"""What the kernel refused to processes behind a fence, as its log says it: a line for each (audit type 1326, SECCOMP)
with process and number of the call; the kernel limits how many. Read by root alone, from `/dev/kmsg` and auditd's
log."""

import os
import platform
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from troth.core.sandbox.call_numbers import NUMBERS

_KERNEL, _AUDITD = Path("/dev/kmsg"), Path("/var/log/audit/audit.log")
_TAIL, _RECORD = 1 << 20, 8192
_LINE = re.compile(r"type=(?:1326|SECCOMP) .*? pid=(\d+) .*? syscall=(\d+) ")


def calls(processes: Mapping[int, str]) -> Counter[tuple[str, str]] | None:
    """Return how often which process was refused which call. `processes`: names by process id. None where the kernel's
    log cannot be read here."""
    names = {number: name for name, number in NUMBERS.get(platform.machine(), {}).items()}
    refusals = Counter[tuple[str, str]]()
    try:
        for line in _lines():
            match = _LINE.search(line)
            if match and int(match[1]) in processes:
                refusals[processes[int(match[1])], names.get(int(match[2]), f"number {match[2]}")] += 1
    except OSError:  # not root, or no such log here, as in most containers
        return None
    return refusals


def _lines() -> Iterator[str]:
    descriptor = os.open(_KERNEL, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while True:
            try:
                yield os.read(descriptor, _RECORD).decode("utf-8", "replace")
            except BlockingIOError:
                break
            except BrokenPipeError:  # the oldest ones were written over meanwhile; what is left comes next
                continue
    finally:
        os.close(descriptor)
    with suppress(FileNotFoundError), _AUDITD.open("rb") as file:  # where auditd is at work, the kernel's log has none
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        yield from file.read().decode("utf-8", "replace").splitlines()
