"""A mix of 64-bit numbers, the same on every machine and in every version."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


def splitmix64(values: U64) -> U64:
    """Return a 64-bit mix of each value: a bijection whose output bits all depend on all input bits.

    The last step of the generator of Steele, Lea and Flood (2014, doi:10.1145/2660193.2660195).
    """
    mixed = values + _STEP
    mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX1
    mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX2
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
