"""How many card numbers are found in which disguise, how often something else is taken for one, and how fast.

Reads the disguises and traps of `tests/core/test_card_numbers.py`, and a log of all kinds (`tests/core/mixed_log.py`).
What a plain pattern takes for the same log, digits in a row and their check digit, is measured by turns with it.
"""

import random
import re
import time

from tests.core import mixed_log
from tests.core.test_card_numbers import DISGUISES, HOSTILE, NUMBERS, TRAPS
from troth.core.text.card_numbers import _luhn, find, mask

SAMPLES = 20_000


def main() -> None:
    tried = [(find(form(number)), number) for form in DISGUISES.values() for number in NUMBERS]
    found = sum([hit.last_four for hit in hits] == [number[-4:]] for hits, number in tried)
    print(f"found: {found} of {len(tried)} ({len(DISGUISES)} disguises of {len(NUMBERS)} numbers)")
    for name, (make, _) in TRAPS.items():
        chance = random.Random(20261124)
        flagged = sum(bool(find(make(chance))) for _ in range(SAMPLES))
        print(f"taken for a card number, {name}: {100 * flagged / SAMPLES:.2f} %")
    slowest = max((_seconds(text), name) for name, text in HOSTILE.items())
    print(f"slowest 100,000 characters made to be slow: {slowest[0]:.2f} s of a core ({slowest[1]})")
    _log()
    print(f"6,000 characters of prose: {1000 * _seconds(PROSE):.1f} ms of a core")


PROSE = (
    "Hello, my order 12345 of 2026-11-24 did not arrive. Please look at https://example.com/orders/12345?x=1. " * 60
)[:6000]


_PLAIN = re.compile(r"(?<![0-9])(?:[0-9][ -]?){13,19}(?![0-9])")


def _log() -> None:
    log, chance = mixed_log.made(1_000_000), random.Random(17)
    planted = "\n".join(f"note ; {form(chance.choice(NUMBERS))} ; end" for form in DISGUISES.values())
    ours = plain = 99.0
    for _ in range(5):
        begun = time.process_time()
        hits = len(find(log))
        ours = min(ours, time.process_time() - begun)
        begun = time.process_time()
        wrong = sum(_luhn(re.sub("[^0-9]", "", match[0])) for match in _PLAIN.finditer(log))
        plain = min(plain, time.process_time() - begun)
    print(f"a mixed log, MB/s of a core: {len(log) / ours / 1e6:.1f}; {hits} false hits")
    print(f"a plain pattern on it, MB/s: {len(log) / plain / 1e6:.1f}; {wrong} false hits")
    print(f"the search's share of the plain pattern's speed: {100 * plain / ours:.0f} %")
    print(f"found of {len(DISGUISES)} disguises at the log's end: {len(find(log + planted))}")


def _seconds(text: str) -> float:
    begun = time.process_time()
    mask(text)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
