"""A 64-bit hash of bytes, of whole texts and of runs of words: the same on every machine and in every version.

Bytes are taken 8 at a time, each time mixed by a multiplication to 128 bits whose halves are folded together: the
step of wyhash (Wang Yi, public domain), which passes SMHasher. A run of words is the polynomial of its words' hashes
modulo 2**64, rolled on from one run to the next (Karp and Rabin 1987): a run costs the same however long it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import inlined, kernel
from hominis.corpus.kernels.machine import folded, load64, trailing_zeros
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

SEED = np.uint64(0xA0761D6478BD642F)
STEP = np.uint64(0xE7037ED1A0B428DB)
LAST = np.uint64(0x8EBC6AF09C88C6E3)
BASE = np.uint64(0x9E3779B97F4A7C15)
SPREAD = np.uint64(0xBF58476D1CE4E5B9)

_ONES, _HIGHS, _SPACES = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080), np.uint64(0x2020202020202020)
_ONE, _NONE, _HALF = np.uint64(1), np.uint64(0), np.uint64(32)


def content_hashes(texts: Texts) -> U64:
    """Return the hash of each text: shape (texts,)."""
    hashes = np.empty(texts.number, dtype=np.uint64)
    _hash_texts(texts.data, texts.offsets, hashes)
    return hashes


@inlined
def hash_bytes(data: Bytes, start: int, end: int) -> np.uint64:
    """Return the hash of ``data[start:end]``."""
    mixed, place = SEED, start
    while place + 8 <= end:
        mixed = folded(mixed ^ load64(data, place), STEP)
        place += 8
    last: np.uint64 = folded(mixed ^ few(data, place, end), LAST ^ np.uint64(end - start))
    return last


@inlined
def hash_few(value: np.uint64, length: int) -> np.uint64:
    """Return the hash of fewer than 8 bytes, given as ``few`` gives them."""
    last: np.uint64 = folded(SEED ^ value, LAST ^ np.uint64(length))
    return last


@kernel
def hash_runs(data: Bytes, offsets: Offsets, size: int, words: U64, runs: U32, first: Offsets) -> None:
    """Hash each run of ``size`` words of texts whose words are joined by one space.

    A text of fewer words is one run; one of no words has none.

    Args:
        words: room for the hashes of a text's words.
        runs: receives the upper halves of the runs' hashes.
        first: receives the first run of each text and, last, their number.
    """
    top = np.uint64(1)
    for _ in range(size - 1):
        top *= BASE
    made = 0
    for text in range(offsets.size - 1):
        first[text] = made
        count, rolled = hash_words(data, offsets[text], offsets[text + 1], words), _NONE
        for number in range(count):
            if number >= size:
                rolled -= words[number - size] * top
            rolled = rolled * BASE + words[number]
            if number >= size - 1 or number == count - 1:
                spread = (rolled ^ (rolled >> _HALF)) * SPREAD
                runs[made] = np.uint32(spread >> _HALF)
                made += 1
    first[offsets.size - 1] = made


@kernel
def _hash_texts(data: Bytes, offsets: Offsets, hashes: U64) -> None:
    for text in range(hashes.size):
        hashes[text] = hash_bytes(data, offsets[text], offsets[text + 1])


@kernel
def hash_words(data: Bytes, start: int, end: int, words: U64) -> int:
    """Put the hash of each word (as ``hash_bytes``) into ``words``; return how many there are.

    Eight bytes are searched for a space at once (Warren 2012, Hacker's Delight, section 6-1).
    """
    count, place, begin, mixed = 0, start, start, SEED
    while place < end or (place == end and begin < end):
        eight = load64(data, place) if place + 8 <= data.size else few(data, place, data.size)
        other = eight ^ _SPACES
        zeros = (other - _ONES) & ~other & _HIGHS
        length = min(trailing_zeros(zeros) >> 3, end - place)
        if length == 8:
            mixed = folded(mixed ^ eight, STEP)
            place += 8
            continue
        rest = eight & ((_ONE << np.uint64(8 * length)) - _ONE)
        place += length
        words[count] = folded(mixed ^ rest, LAST ^ np.uint64(place - begin))
        count += 1
        place += 1
        begin, mixed = place, SEED
    return count


@inlined
def few(data: Bytes, start: int, end: int) -> np.uint64:
    """Return the bytes of ``data[start:end]``, fewer than 8, as a little-endian number."""
    if start + 8 <= data.size:
        return load64(data, start) & ((_ONE << np.uint64(8 * (end - start))) - _ONE)  # type: ignore[no-any-return]
    value = _NONE
    for place in range(end - 1, start - 1, -1):
        value = (value << np.uint64(8)) | np.uint64(data[place])
    return value
