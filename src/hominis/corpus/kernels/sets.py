"""Sets and counters of 64-bit keys with open addressing (Knuth 1998, volume 3, section 6.4, algorithm L)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel

U64 = npt.NDArray[np.uint64]
I32 = npt.NDArray[np.int32]

_SPREAD = np.uint64(0x9E3779B97F4A7C15)
_UPPER = np.uint64(32)


@kernel
def slots_for(keys: int) -> int:
    """Return how many slots hold that many keys at most half full: a power of two."""
    slots = 16
    while slots < 2 * keys:
        slots *= 2
    return slots


@kernel
def number_of(key: Any, keys: U64, numbers: I32, slots: int, following: int) -> Any:
    """Return the number under which a key was put into a table; a new key gets ``following``.

    Args:
        keys: by slot.
        numbers: by slot; -1 is a free slot.
        slots: how many of them are in use, a power of two.
    """
    slot = np.int64((key * _SPREAD) >> _UPPER) & (slots - 1)
    while numbers[slot] >= 0 and keys[slot] != key:
        slot = (slot + 1) & (slots - 1)
    if numbers[slot] < 0:
        keys[slot], numbers[slot] = key, following
    return numbers[slot]


@kernel
def holds(table: U64, row: int, key: Any) -> bool:
    """Return whether a key is in a row of a table that ``table_of`` made."""
    mask = table.shape[1] - 1
    slot = np.int64((key * _SPREAD) >> _UPPER) & mask
    while table[row, slot]:
        if table[row, slot] == key:
            return True
        slot = (slot + 1) & mask
    return False


def table_of(sets: Sequence[U64]) -> U64:
    """Return a row of slots for each set of keys; 0 is a free slot and no key."""
    size = slots_for(max((keys.size for keys in sets), default=0))
    table = np.zeros((len(sets), size), np.uint64)
    for row, keys in enumerate(sets):
        for key in keys[keys > 0]:
            slot = (int(key) * int(_SPREAD) % 2**64 >> int(_UPPER)) & (size - 1)
            while table[row, slot] not in (0, key):
                slot = (slot + 1) & (size - 1)
            table[row, slot] = key
    return table
