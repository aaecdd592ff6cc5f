"""Hashes of byte ranges, for whole columns at once, the same on every machine and in every version.

A range's hash is the polynomial sum of ``byte * BASE**(i - start)`` modulo 2**64 (Karp and Rabin 1987), read off
prefix sums; BASE is odd, so it has an inverse modulo 2**64 and no loop over ranges is needed. The last step of
splitmix64 (Steele, Lea and Flood 2014, doi:10.1145/2660193.2660195) spreads it over all 64 bits.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
Positions = npt.NDArray[np.int64]

BASE = 0x9E3779B97F4A7C15
_LEAST_POWERS = 1 << 21  # one table for all columns of an ordinary batch
_INVERSE = pow(BASE, -1, 2**64)
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def splitmix64(values: U64) -> U64:
    """Return a 64-bit mix of each value: a bijection whose output bits all depend on all input bits."""
    mixed = values + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)


@lru_cache(maxsize=4)
def _powers(length: int) -> tuple[U64, U64]:
    exponents = np.full((2, length), np.uint64(1), dtype=np.uint64)
    exponents[0, 1:], exponents[1, 1:] = np.uint64(BASE), np.uint64(_INVERSE)
    table = np.multiply.accumulate(exponents, axis=1)
    return table[0], table[1]


class RangeHash:
    """Hashes of any ranges of one buffer.

    Args:
        data: u8 bytes, shape (n,).
    """

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        forward, self._backward = _powers(max(1 << data.size.bit_length(), _LEAST_POWERS))
        self._prefix = np.zeros(data.size + 1, dtype=np.uint64)
        np.cumsum(data * forward[: data.size], out=self._prefix[1:])

    def __call__(self, starts: Positions, ends: Positions) -> U64:
        """Return the hash of each range ``[start, end)``: shape as ``starts``."""
        raw = (self._prefix[ends] - self._prefix[starts]) * self._backward[starts]
        return splitmix64(raw)


def contains(ordered: U64, values: U64) -> npt.NDArray[np.bool_]:
    """Return which of ``values`` are in ``ordered`` (ascending): shape as ``values``.

    A table of 16 bits of each value passes over most absentees without a search.
    """
    if not ordered.size:
        return np.zeros(values.size, dtype=bool)
    table = np.zeros(1 << 16, dtype=bool)
    table[ordered & np.uint64(0xFFFF)] = True
    found = table[values & np.uint64(0xFFFF)]
    maybe = np.flatnonzero(found)
    place = np.minimum(np.searchsorted(ordered, values[maybe]), ordered.size - 1)
    found[maybe] = ordered[place] == values[maybe]
    return np.asarray(found)
