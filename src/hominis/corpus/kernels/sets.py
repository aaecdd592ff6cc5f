"""Sets of 64-bit keys with open addressing (Knuth 1998, volume 3, section 6.4, algorithm L)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import inlined, kernel

U64 = npt.NDArray[np.uint64]
_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(32)
_NONE = np.uint64(0)


@kernel
def slots_for(keys: int) -> int:
    """Return how many slots hold that many keys at most half full: a power of two."""
    slots = 16
    while slots < 2 * keys:
        slots *= 2
    return slots


@inlined
def slot_of(key: Any, keys: U64, slots: int) -> Any:
    """Return the slot of a key (not 0) in a table of ``slots``, a power of two: free (0) if it isn't there yet."""
    slot = np.int64((key * _SPREAD) >> _UPPER) & (slots - 1)
    while (keys[slot] != _NONE) & (keys[slot] != key):  # one branch, which nearly always goes the same way
        slot = (slot + 1) & (slots - 1)
    return slot


@inlined
def holds(keys: U64, key: Any) -> bool:
    """Return whether a key is in a row of a table that ``table_of`` made."""
    return keys[slot_of(key, keys, keys.size)] == key  # type: ignore[no-any-return]


def table_of(sets: Sequence[U64]) -> U64:
    """Return a row of slots for each set of keys; 0 is a free slot and no key."""
    size = 2 * slots_for(max((keys.size for keys in sets), default=0))
    table = np.zeros((len(sets), size), np.uint64)
    for row, keys in enumerate(sets):
        for key in keys[keys > 0]:
            slot = (int(key) * int(_SPREAD) % 2**64 >> int(_UPPER)) & (size - 1)
            while table[row, slot] not in (0, key):
                slot = (slot + 1) & (size - 1)
            table[row, slot] = key
    return table
