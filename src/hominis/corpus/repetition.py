"""How much of a document repeats itself: distinct words, most frequent and duplicated n-grams (Rae et al. 2021).

Everything works on hashes of whole columns. A key is 16 bits of document and 48 bits of hash, so sorting keys groups
equal n-grams within their document; two different n-grams of one document share a key once in 2**48 pairs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.hashing import U64, Positions, contains
from hominis.corpus.words import Words

MAX_DOCUMENTS = 2**16
"""Documents in one column, at most: what fits in a key."""

TOP_SIZES = (2, 3, 4)
DUPLICATE_SIZES = (5, 6, 7, 8, 9, 10)

Floats = npt.NDArray[np.float64]


def vocabulary(words: Words) -> tuple[Positions, Floats]:
    """Return each document's number of distinct words and the entropy of its words in nats."""
    keys, counts = np.unique(_keys(words.hashes(), words.document), return_counts=True)
    document = (keys >> np.uint64(48)).astype(np.int64)
    share = counts / words.counts[document]
    size = words.counts.size
    entropy = np.bincount(document, weights=-share * np.log(share), minlength=size)
    return np.bincount(document, minlength=size).astype(np.int64), entropy.astype(np.float64)


def repetition(words: Words) -> dict[int, Floats]:
    """Return by n-gram size the share of each document's characters (spaces not counted) that repetition takes.

    For 2 to 4 words: the most frequent n-gram, every occurrence counted, so overlaps can lift it above 1; ties go to
    the earliest; 0 if none occurs twice. For 5 to 10 words: all words inside any n-gram that occurs twice or more.
    An n-gram can only repeat where the shorter one at its place repeats: each size looks at the places left over.
    """
    starts, shares = np.arange(words.starts.size), {}
    for size in (*TOP_SIZES, *DUPLICATE_SIZES):
        starts = starts[starts + size <= words.first[1:][words.document[starts]]]
        grams = words.ranges(words.starts[starts], words.ends[starts + size - 1])
        keys = _keys(grams, words.document[starts])
        again = contains(_repeated(keys), keys)
        starts, keys = starts[again], keys[again]
        taken = _most_frequent(words, starts, keys, size) if size in TOP_SIZES else _covered(words, starts, size)
        shares[size] = taken / np.maximum(words.characters, 1)
    return shares


def _keys(hashes: U64, documents: Positions) -> U64:
    if documents.size and documents[-1] >= MAX_DOCUMENTS:
        raise ValueError(f"{documents[-1] + 1} documents in a column; {MAX_DOCUMENTS} at most")
    return np.asarray((documents.astype(np.uint64) << np.uint64(48)) | (hashes >> np.uint64(16)))


def _repeated(keys: U64) -> U64:
    ordered = np.sort(keys)
    return np.unique(ordered[1:][ordered[1:] == ordered[:-1]])


def _most_frequent(words: Words, starts: Positions, keys: U64, size: int) -> Floats:
    """Return the characters in all occurrences of each document's most frequent n-gram."""
    _, where, counts = np.unique(keys, return_index=True, return_counts=True)
    document = words.document[starts[where]]
    order = np.lexsort((where, -counts, document))
    best = order[np.unique(document[order], return_index=True)[1]]
    first = starts[where[best]]
    taken = np.zeros(words.counts.size)
    taken[document[best]] = (words.length_sums[first + size] - words.length_sums[first]) * counts[best]
    return taken


def _covered(words: Words, starts: Positions, size: int) -> Floats:
    """Return the characters of each document's words that lie in one of the n-grams, overlaps counted once."""
    opened = np.bincount(starts, minlength=words.starts.size + 1)
    closed = np.bincount(starts + size, minlength=words.starts.size + 1)
    inside = np.cumsum(opened - closed)[:-1] > 0
    return words.per_document(inside * np.diff(words.length_sums))
