"""What repeats among the words of a text: runs of 2 to 10 of them (Rae et al. 2021, arXiv:2112.11446, table A1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.sets import U64, slot_of, slots_for
from hominis.corpus.kernels.texts import Offsets

TOP_SIZES = (2, 3, 4)
DUPLICATE_SIZES = (5, 6, 7, 8, 9, 10)

_LAST_TOP, _LARGEST = TOP_SIZES[-1], DUPLICATE_SIZES[-1]
_NONE, _ONE, _HALF = np.uint64(0), np.uint64(1), np.uint64(32)

I32 = npt.NDArray[np.int32]


class Room(NamedTuple):
    """Space to work in, enough for the longest text.

    Attributes:
        hashes, ids, sums: of each word the hash, its slot in the table, and the characters up to its beginning.
        live, grams: see ``_number_runs``.
        keys, counts: by slot of the table, what it holds and how often that occurs.
    """

    hashes: U64
    ids: I32
    sums: Offsets
    live: I32
    grams: I32
    keys: U64
    counts: I32


@kernel
def repetition(count: int, room: Room, out: Offsets) -> None:
    """Count into ``out`` the characters in the most frequent run of 2 to 4 words, and in all that repeat of 5 to 10.

    A run can only be repeated where both runs shorter by a word are, so ever fewer places are looked at.
    """
    ids, live, grams, counts = room.ids, room.live, room.grams, room.counts
    places = 0
    for place in range(count):
        repeated = counts[ids[place]] > 1
        grams[place] = ids[place] if repeated else -1
        live[places] = place
        places += repeated
    for size in range(2, _LARGEST + 1):
        places = _number_runs(size, places, count, room)
        if places < 2:
            return
        taken = _most_frequent(size, places, room) if size <= _LAST_TOP else _covered(size, places, room)
        out[size - 2] = taken


@kernel
def _number_runs(size: int, places: int, count: int, room: Room) -> int:
    """Go on from the repeated runs of ``size - 1`` words to those of ``size``, of ``count`` words in all.

    The number of a run is its slot, by the numbers of the shorter run and of the last word: no two share one.
    ``room.live`` are the places of the first ``places`` repeated runs, ascending; ``room.grams`` has the number of the
    run at any place, or -1.
    """
    ids, live, grams, keys, counts = room.ids, room.live, room.grams, room.keys, room.counts
    kept = 0
    for index in range(places):
        place = live[index]
        goes_on = place + size <= count and grams[place + 1] >= 0
        grams[place] = grams[place] if goes_on else -1
        live[kept] = place
        kept += goes_on
    slots = slots_for(kept)
    keys[:slots] = _NONE
    for index in range(kept):
        place = live[index]
        key = (np.uint64(grams[place]) << _HALF | np.uint64(ids[place + size - 1])) + _ONE
        slot = slot_of(key, keys, slots)
        counts[slot] = counts[slot] + 1 if keys[slot] == key else 1
        keys[slot] = key
        grams[place] = slot
    places = 0
    for index in range(kept):
        place = live[index]
        repeated = counts[grams[place]] > 1
        grams[place] = grams[place] if repeated else -1
        live[places] = place
        places += repeated
    return places


@kernel
def _most_frequent(size: int, places: int, room: Room) -> int:
    """Return the characters in all occurrences of the most frequent run, of equals the first; 0 if none is repeated."""
    sums, live, grams, counts = room.sums, room.live, room.grams, room.counts
    best, most = 0, 1
    for index in range(places):
        place = live[index]
        times = counts[grams[place]]
        if times > most:
            best, most = (sums[place + size] - sums[place]) * times, times
    return best


@kernel
def _covered(size: int, places: int, room: Room) -> int:
    """Return the characters of words that lie in a repeated run, overlaps counted once."""
    sums, live = room.sums, room.live
    covered = done = 0
    for index in range(places):
        place = live[index]
        covered += sums[place + size] - sums[max(place, done)]
        done = place + size
    return covered
