"""How many invoices a core writes in a second, with the electronic invoice in them, and what memory that takes."""

import time
from dataclasses import replace
from resource import RUSAGE_SELF, getrusage

from tests.shop.invoices import HOME, INVOICE, RECEIPT
from troth.shop.receipts import pdf

_ROUNDS = 200


def main() -> None:
    begun = time.process_time()
    pdf.written(INVOICE)
    print(f"the first: {time.process_time() - begun:.2f} s of a core")
    memory = _mib()
    for name, document in (("receipts", RECEIPT), ("invoices with an electronic invoice", HOME)):
        begun = time.process_time()
        for number in range(_ROUNDS):
            pdf.written(replace(document, number=f"2026-{number:06d}"))
        print(f"{name} a second and core: {_ROUNDS / (time.process_time() - begun):.0f}")
    print(f"memory after the first, and after {2 * _ROUNDS} more: {memory:.0f} and {_mib():.0f} MiB")


def _mib() -> float:
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
