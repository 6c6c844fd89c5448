"""Estimates the number of unique visitors without storing them: HyperLogLog with registers that are set one by one.

A register is chosen by a hash with a key for each cell, so that the registers of two cells share nothing; only raised
registers are written. The key is deleted within the day; without it nobody can test who was counted (Desfontaines et
al., "Cardinality estimators do not preserve privacy", 2018). Standard library only; touches nothing.
Sources: Flajolet et al., "HyperLogLog", 2007; Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
2017, algorithm 6, which needs no tables and one method for few and many.
"""

import math
from collections.abc import Iterable, Iterator
from hashlib import blake2b

PRECISION = 11
"""2^11 registers: the standard error is 1.04 / sqrt(2048) = 2.3 %."""
WIDE = 14
"""For the whole site: 0.8 %."""
_HASH_BITS = 64
_HEAD = 1
_SPARSE, _DENSE = 0x00, 0x80


def error(precision: int) -> float:
    """Return the standard error of an estimate, as a fraction."""
    return float(1.04 / math.sqrt(1 << precision))


def cell_key(day_key: bytes, cell: bytes) -> bytes:
    """Return the key of one cell's registers, derived from the day's key."""
    return blake2b(cell, key=day_key, digest_size=32, person=b"troth cell").digest()


def place(key: bytes, visitor: bytes, precision: int) -> tuple[int, int]:
    """Return a visitor's register and rank (1 to 65 - `precision`)."""
    drawn = int.from_bytes(blake2b(visitor, key=key, digest_size=8).digest())
    low_bits = drawn & ((1 << (_HASH_BITS - precision)) - 1)
    return drawn >> (_HASH_BITS - precision), _HASH_BITS - precision - low_bits.bit_length() + 1


class Sketch:
    """The registers of one cell, stored sparsely until a third of them are raised."""

    __slots__ = ("_registers", "precision")

    def __init__(self, precision: int = PRECISION) -> None:
        if not 4 <= precision <= 16:
            raise ValueError("a sketch has 2^4 to 2^16 registers")
        self.precision = precision
        self._registers: dict[int, int] = {}

    def raised(self, index: int, rank: int) -> bool:
        """Raise a register to `rank`; return whether it was lower."""
        if not 0 <= index < 1 << self.precision or not 0 < rank <= _HASH_BITS - self.precision + 1:
            raise ValueError("no such register, or no such rank")
        if self._registers.get(index, 0) >= rank:
            return False
        self._registers[index] = rank
        return True

    def merge(self, sketch: "Sketch") -> None:
        """Add another sketch of the same precision and key: visitors of both count once."""
        if sketch.precision != self.precision:
            raise ValueError("sketches of two precisions do not merge")
        for index, rank in sketch.registers():
            if self._registers.get(index, 0) < rank:
                self._registers[index] = rank

    def registers(self) -> Iterable[tuple[int, int]]:
        """Return each raised register with its rank, in no order."""
        return self._registers.items()

    def count(self) -> float:
        """Return the estimated number of unique visitors."""
        size, most = 1 << self.precision, _HASH_BITS - self.precision
        having = [0] * (most + 2)
        having[0] = size - len(self._registers)
        for rank in self._registers.values():
            having[rank] += 1
        total = size * _tau(1 - having[most + 1] / size)
        for rank in range(most, 0, -1):
            total = 0.5 * (total + having[rank])
        total += size * _sigma(having[0] / size)
        return size * size / (2 * math.log(2) * total) if math.isfinite(total) else 0.0

    # -- bytes --------------------------------------------------------------------------------------------------------

    def __bytes__(self) -> bytes:
        """Return the sketch as stored: precision, then three bytes for each raised register, or one for every
        register."""
        size = 1 << self.precision
        if 3 * len(self._registers) < size:
            raised = b"".join(index.to_bytes(2) + bytes([rank]) for index, rank in sorted(self._registers.items()))
            return bytes([_SPARSE | self.precision]) + raised
        dense = bytearray(size)
        for index, rank in self._registers.items():
            dense[index] = rank
        return bytes([_DENSE | self.precision]) + dense

    @classmethod
    def of(cls, data: bytes) -> "Sketch":
        """Return the sketch from its stored form. Raises `ValueError`."""
        if not data:
            raise ValueError("a sketch is at least one byte")
        sketch = cls(data[0] & ~_DENSE)
        sketch._registers = dict(_told(data, sketch.precision))
        least, most = 1, _HASH_BITS - sketch.precision + 1
        if not all(0 <= index < 1 << sketch.precision for index in sketch._registers):
            raise ValueError("no such register")
        if not all(least <= rank <= most for rank in sketch._registers.values()):
            raise ValueError("no such rank")
        return sketch


def raised(data: bytes | None, precision: int, rises: Iterable[tuple[int, int]]) -> bytes:
    """Return a sketch's bytes after raising these (register, rank). Equals the result of `Sketch`, but reads only the
    registers that change. `data`: None for an empty sketch."""
    if data is None or not data[0] & _DENSE:
        sketch = Sketch(precision) if data is None else Sketch.of(data)
        for register, rank in rises:
            sketch.raised(register, rank)
        return bytes(sketch)
    dense = bytearray(data)
    for register, rank in rises:
        dense[_HEAD + register] = max(dense[_HEAD + register], rank)
    return bytes(dense)


def _told(data: bytes, precision: int) -> Iterator[tuple[int, int]]:
    body = data[_HEAD:]
    if data[0] & _DENSE:
        if len(body) != 1 << precision:
            raise ValueError("a sketch that is cut off")
        yield from ((index, rank) for index, rank in enumerate(body) if rank)
        return
    if len(body) % 3:
        raise ValueError("a sketch that is cut off")
    for high, low, rank in zip(body[::3], body[1::3], body[2::3], strict=True):
        yield high << 8 | low, rank


def _sigma(x: float) -> float:
    """Return Ertl's sum for the empty registers."""
    if x == 1:
        return math.inf
    power, total, before = 1.0, x, math.nan
    while total != before:
        x, before = x * x, total
        total, power = total + x * power, power * 2
    return total


def _tau(x: float) -> float:
    """Return Ertl's sum for the full registers."""
    if x in (0, 1):
        return 0.0
    power, total, before = 1.0, 1 - x, math.nan
    while total != before:
        x, before, power = math.sqrt(x), total, power * 0.5
        total -= (1 - x) ** 2 * power
    return total / 3
