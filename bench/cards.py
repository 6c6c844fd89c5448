"""How many card numbers are found in which disguise, how often something else is taken for one, and how fast.

Reads the disguises and traps of `tests/core/test_card_numbers.py`.
"""

import random
import time

from tests.core.test_card_numbers import DISGUISES, HOSTILE, NUMBERS, TRAPS
from troth.core.text.card_numbers import find, mask

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
    print(f"6,000 characters of prose: {1000 * _seconds(PROSE):.1f} ms of a core")


PROSE = (
    "Hello, my order 12345 of 2026-11-24 did not arrive. Please look at https://example.com/orders/12345?x=1. " * 60
)[:6000]


def _seconds(text: str) -> float:
    begun = time.process_time()
    mask(text)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
