"""The least of many permutations of a text's shingle hashes: MinHash (Broder 1997, doi:10.1109/SEQUEN.1997.666900).

All permutations are applied to every shingle. One-permutation hashing (Li, Owen and Zhang 2012) applies one and
divides its values into bins; but a text of fewer shingles than some hundreds leaves bins empty, and however they are
filled (Shrivastava 2017), its estimates vary more, which costs recall where it is asked for: at high similarity. With
a family that a vector unit takes 16 at a time, 128 permutations cost no more than reading the text's words.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.texts import Bytes, Offsets

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]

EMPTY = np.uint32(2**32 - 1)
"""Every value of a text without shingles."""

_PRIME = np.uint64(2**61 - 1)
_ONE, _SIXTY_ONE = np.uint64(1), np.uint64(61)


@kernel
def least_affine(hashes: U32, first: Offsets, factors: U32, terms: U32, least: U32) -> None:
    """Put the least ``(hash * factor + term) mod 2**32`` of each text, for each (odd) factor, into ``least``.

    Args:
        hashes: of all texts' shingles, one text after the other.
        first: each text's first; last, their number.
        least: shape (texts, factors).
    """
    for text in range(first.size - 1):
        row = least[text]
        row[:] = EMPTY
        begin, end = first[text], first[text + 1]
        for place in range(begin, end - 3, 4):
            one, two, three, four = hashes[place], hashes[place + 1], hashes[place + 2], hashes[place + 3]
            for k in range(factors.size):
                factor, term = factors[k], terms[k]
                left = min(np.uint32(one * factor + term), np.uint32(two * factor + term))
                right = min(np.uint32(three * factor + term), np.uint32(four * factor + term))
                row[k] = min(row[k], left, right)
        for place in range(end - (end - begin) % 4, end):
            one = hashes[place]
            for k in range(factors.size):
                row[k] = min(row[k], np.uint32(one * factors[k] + terms[k]))


@kernel
def least_modular(hashes: U32, first: Offsets, factors: U64, terms: U64, least: U32) -> None:
    """Do as ``least_affine`` with RedPajama-v2's ``((hash * factor + term) mod 2**64) mod (2**61 - 1) mod 2**32``.

    As 2**61 is 1 modulo the prime, the remainder is the upper 3 bits plus the lower 61, less the prime if it is there.
    """
    for text in range(first.size - 1):
        row = least[text]
        row[:] = EMPTY
        for place in range(first[text], first[text + 1]):
            one = np.uint64(hashes[place])
            for k in range(factors.size):
                product = one * factors[k] + terms[k]
                folded = (product & _PRIME) + (product >> _SIXTY_ONE)
                row[k] = min(row[k], np.uint32(folded + ((folded + _ONE) >> _SIXTY_ONE)))


@kernel
def spans(data: Bytes, offsets: Offsets, size: int, starts: Offsets, ends: Offsets, first: Offsets) -> None:
    """Find where each run of ``size`` words starts and ends; a text of fewer words has none.

    Args:
        data, offsets: texts whose words are joined by one space.
        starts, ends: room for as many as there are words.
        first: receives the first run of each text and, last, their number.
    """
    made = 0
    for text in range(offsets.size - 1):
        first[text] = made
        begin, end = offsets[text], offsets[text + 1]
        words = 0
        if end > begin:
            starts[made] = begin
            words = 1
        for place in range(begin, end):
            if data[place] == 32:
                if words >= size:
                    ends[made + words - size] = place
                starts[made + words] = place + 1
                words += 1
        if words >= size:
            ends[made + words - size] = end
            made += words - size + 1
    first[offsets.size - 1] = made
