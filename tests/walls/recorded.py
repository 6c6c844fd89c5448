"""Which calls the processes were refused while a command had them work: `python -m tests.walls.recorded COMMAND...`.

For the list in `core.sandbox.allowed_calls`: run what has them do all they do (the tests of worker, front and office,
the browser's houses, `trial.kills`, a full `troth prove`), after an update of Python, SQLite, OpenSSL or the C library,
too. What it prints is an attempt of a test, or lacks in the list. Read from the kernel's log, so as root, on a kernel
with audit.
"""

import re
import subprocess
import sys
from collections import Counter

from troth.core.sandbox.call_numbers import NUMBERS
from troth.supervisor import refused_calls

_LINE = re.compile(r'type=1326 .*? comm="([^"]+)" .*? syscall=(\d+) ')


def lines() -> Counter[str]:
    """What the kernel's log has of ours now."""
    return Counter(line for line in refused_calls._lines() if _LINE.search(line))


def main(command: list[str]) -> int:
    """Run `command`; print role, call and count. Returns its exit code."""
    before, names = lines(), {number: name for name, number in NUMBERS["x86_64"].items()}
    code = subprocess.run(command, check=False).returncode
    found = Counter[tuple[str, str]]()
    for line, count in (lines() - before).items():
        said = _LINE.search(line)
        assert said is not None
        found[said[1], names.get(int(said[2]), said[2])] += count
    for (role, call), count in sorted(found.items()):
        print(f"{role:<14} {call:<20} {count}")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
