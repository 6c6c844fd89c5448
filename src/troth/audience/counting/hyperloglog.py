"""How many different visitors there were, without knowing which: HyperLogLog with registers that can be set one by one.

Where a visitor falls is a keyed hash, with a key for each cell, so that the registers of two cells have nothing in
common for one visitor; and only that a register rose is ever written, never who raised it. The key dies within the day,
and what is left tells nobody whether they were counted (Desfontaines et al., "Cardinality estimators do not preserve
privacy", 2018: it is the kept key that does). Standard library only; touches nothing.
Source: Flajolet et al., "HyperLogLog", 2007; the estimate is that of Ertl, "New cardinality estimation algorithms for
HyperLogLog sketches", 2017, algorithm 6, which needs no tables and no change of method between few and many.
"""

import math
from collections.abc import Iterable, Iterator
from hashlib import blake2b

PRECISION = 11
"""2^11 registers: the standard error is 1.04 / sqrt(2048) = 2.3 %."""
WIDE = 14
"""For the site as a whole: 0.8 %."""
_HASH_BITS = 64
_HEAD = 1
_SPARSE, _DENSE = 0x00, 0x80


def error(precision: int) -> float:
    """The standard error of an estimate, as a share of it."""
    return float(1.04 / math.sqrt(1 << precision))


def cell_key(day_key: bytes, cell: bytes) -> bytes:
    """The key by which visitors are spread over one cell's registers. Dies with the day's key."""
    return blake2b(cell, key=day_key, digest_size=32, person=b"troth cell").digest()


def place(key: bytes, visitor: bytes, precision: int) -> tuple[int, int]:
    """The register that `visitor` falls into, and the rank that it brings (1 to 65 - `precision`)."""
    drawn = int.from_bytes(blake2b(visitor, key=key, digest_size=8).digest())
    rest = drawn & ((1 << (_HASH_BITS - precision)) - 1)
    return drawn >> (_HASH_BITS - precision), _HASH_BITS - precision - rest.bit_length() + 1


class Sketch:
    """The registers of one cell. Those that were never raised take no room until a quarter of them were."""

    __slots__ = ("_registers", "precision")

    def __init__(self, precision: int = PRECISION) -> None:
        if not 4 <= precision <= 16:
            raise ValueError("a sketch has 2^4 to 2^16 registers")
        self.precision = precision
        self._registers: dict[int, int] = {}

    def raised(self, index: int, rank: int) -> bool:
        """Set a register where `rank` is higher; whether it was."""
        if not 0 <= index < 1 << self.precision or not 0 < rank <= _HASH_BITS - self.precision + 1:
            raise ValueError("no such register, or no such rank")
        if self._registers.get(index, 0) >= rank:
            return False
        self._registers[index] = rank
        return True

    def merge(self, other: "Sketch") -> None:
        """Take in another sketch of the same precision: then this counts those of either, each once where the key was
        the same."""
        if other.precision != self.precision:
            raise ValueError("sketches of two precisions do not merge")
        for index, rank in other.registers():
            if self._registers.get(index, 0) < rank:
                self._registers[index] = rank

    def registers(self) -> Iterable[tuple[int, int]]:
        """Each register that was raised, with its rank; in no order."""
        return self._registers.items()

    def count(self) -> float:
        """The estimated number of different visitors."""
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
        """As it is kept: the precision, then three bytes for each raised register in order, or one for each of all."""
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
        """The sketch that `bytes()` made these of. Raises `ValueError` for what it did not make."""
        if not data:
            raise ValueError("a sketch is at least one byte")
        made = cls(data[0] & ~_DENSE)
        made._registers = dict(_told(data, made.precision))
        least, most = 1, _HASH_BITS - made.precision + 1
        if not all(0 <= index < 1 << made.precision for index in made._registers):
            raise ValueError("no such register")
        if not all(least <= rank <= most for rank in made._registers.values()):
            raise ValueError("no such rank")
        return made


def raised(data: bytes | None, precision: int, rises: Iterable[tuple[int, int]]) -> bytes:
    """A sketch's bytes after these (register, rank) were raised; None: of one that has none yet. The same as by
    `Sketch`, without reading registers that nobody raises."""
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
    """Ertl's sum for the registers that are empty."""
    if x == 1:
        return math.inf
    power, total, before = 1.0, x, math.nan
    while total != before:
        x, before = x * x, total
        total, power = total + x * power, power * 2
    return total


def _tau(x: float) -> float:
    """Ertl's sum for the registers that are full."""
    if x in (0, 1):
        return 0.0
    power, total, before = 1.0, 1 - x, math.nan
    while total != before:
        x, before, power = math.sqrt(x), total, power * 0.5
        total -= (1 - x) ** 2 * power
    return total / 3
