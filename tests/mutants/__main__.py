"""`make mutants`: run every mutant and the control. Exit code 0 only if each was detected by the right proofs.

    python -m tests.mutants [--json] [--at-once N] [--changed | NAME ...]

NAME is a mutant, or a promise: the control and its mutants. `--changed` runs those of the promises whose words, proofs
or mutants changed since they were last run. A run with the control writes, to `src/troth/policy/killed.json`, the
promises of which every mutant was killed.
"""

import argparse
import json
import os
import resource
import sys
import time
from dataclasses import asdict

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "troth.django_settings")
django.setup()

from tests.mutants import digests, run  # noqa: E402 - the registry stands on models
from tests.mutants.listed import BY_PROMISE  # noqa: E402
from tests.mutants.run import Tried  # noqa: E402


def main() -> int:
    """Run the mutants, print the results, store them."""
    asked = argparse.ArgumentParser(prog="python -m tests.mutants")
    asked.add_argument("names", nargs="*")
    asked.add_argument("--json", action="store_true")
    asked.add_argument("--changed", action="store_true")
    asked.add_argument("--at-once", type=int, default=run.AT_ONCE)
    options = asked.parse_args()
    now, begun = {promise: digests.digest_of(promise) for promise in BY_PROMISE}, time.monotonic()
    if options.changed:
        before = run.read()
        now = {promise: digest for promise, digest in now.items() if before.get(promise) != digest}
    mutants = run.chosen(options.names) if options.names else run.all_of(now)

    def tell(tried: Tried, done: int) -> None:
        seen = ", ".join(tried.red) or "nothing is red"
        sign = "\u2713" if tried.killed else "\u2717"
        words = f"{sign} {done:2}/{len(mutants)} {tried.id}: {tried.fault or seen}  {tried.seconds:.0f} s"
        print(words, file=sys.stderr, flush=True)

    tried = run.try_all(mutants, tell, options.at_once)
    failed = [one for one in tried if not one.killed]
    done = {one.id for one in tried if one.killed}
    whole = {promise: digest for promise, digest in now.items() if {one.id for one in BY_PROMISE[promise]} <= done}
    run.write(tried, whole if "control" in done else {})
    seconds, used = round(time.monotonic() - begun), resource.getrusage(resource.RUSAGE_CHILDREN)
    work = round(used.ru_utime + used.ru_stime)
    if options.json:
        print(json.dumps({"seconds": seconds, "cpu_seconds": work, "tried": [asdict(one) for one in tried]}, indent=1))
    else:
        print(
            f"{len(tried) - len(failed)} of {len(tried)} as they must be, in {seconds} s ({work} s of processor time)"
        )
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
