"""MinHash signatures (Broder 1997) of a column of documents, over shingles of consecutive words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hominis.corpus.hashing import U64, Positions, splitmix64
from hominis.corpus.words import Words

EMPTY = np.uint32(2**32 - 1)
"""Every value of the signature of a document without words."""

_BLOCK = 1 << 14
"""Shingles handled at once: their hashes and one permutation of them stay in a core's cache."""


def shingles(words: Words, size: int) -> tuple[U64, Positions]:
    """Return the hash of each run of ``size`` words, and the first shingle of each document (and their number).

    A document of fewer words is one shingle; one of no words has none.
    """
    place = np.arange(words.starts.size)
    last = words.first[1:][words.document] - 1
    opens = (place + size - 1 <= last) | (place == words.first[words.document])
    finish = np.minimum(place + size - 1, last)[opens]
    hashes = words.ranges(words.starts[opens], words.ends[finish])
    counts = np.bincount(words.document[opens], minlength=words.counts.size)
    return hashes, np.concatenate([[0], np.cumsum(counts)])


def signatures(words: Words, size: int, permutations: int) -> npt.NDArray[np.uint32]:
    """Return the signature of each document: shape (documents, permutations).

    Value k is the least of ``(a_k * shingle + b_k) mod 2**64`` over the shingles, cut to its upper 32 bits; the share
    of values in which two signatures agree estimates the Jaccard similarity of their shingle sets.
    """
    hashes, first = shingles(words, size)
    result = np.full((words.counts.size, permutations), EMPTY, dtype=np.uint32)
    filled = np.flatnonzero(np.diff(first) > 0)
    for begin, end in _blocks(first[filled], hashes.size):
        rows = filled[begin:end]
        stop = first[rows[-1] + 1]
        result[rows] = _least(hashes[first[rows[0]] : stop], first[rows] - first[rows[0]], permutations)
    return result


def _blocks(starts: Positions, total: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of documents that hold about ``_BLOCK`` shingles together."""
    begin = 0
    while begin < starts.size:
        limit = min(int(starts[begin]) + _BLOCK, total)
        end = max(int(np.searchsorted(starts, limit)), begin + 1)
        yield begin, end
        begin = end


def _least(hashes: U64, starts: Positions, permutations: int) -> npt.NDArray[np.uint32]:
    factors, terms = _coefficients(permutations)
    least = np.empty((starts.size, permutations), dtype=np.uint64)
    permuted = np.empty_like(hashes)
    for column, (factor, term) in enumerate(zip(factors, terms, strict=True)):
        np.multiply(hashes, factor, out=permuted)
        permuted += term
        least[:, column] = np.minimum.reduceat(permuted, starts)
    return (least >> np.uint64(32)).astype(np.uint32)


def _coefficients(permutations: int) -> tuple[U64, U64]:
    drawn = splitmix64(np.arange(2 * permutations, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03))
    return drawn[:permutations] | np.uint64(1), drawn[permutations:]
