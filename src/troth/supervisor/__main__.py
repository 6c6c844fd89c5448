"""`python -m troth.supervisor SITE [--one-user]`: what `troth serve` becomes, so that the process that may start
others, and may be root, holds nothing of what the command line needs."""

import sys
from pathlib import Path

from troth.core.errors import TrothError
from troth.supervisor import supervisor


def main(site: str, *options: str) -> int:
    """Serve; returns an exit code. What cannot be is one sentence and the mend, as everywhere."""
    try:
        return supervisor.serve(Path(site), one_user="--one-user" in options)
    except TrothError as error:
        bold, plain = ("\x1b[1;31m", "\x1b[0m") if sys.stderr.isatty() else ("", "")
        print(f"{bold}{error}{plain}", *([error.mend] if error.mend else []), sep="\n", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
