"""Groups of documents by union and find (Tarjan 1975, doi:10.1145/321879.321884); the lowest number stands for each.

``parents`` (i64, shape (documents,)) leads from each document to one of its group, none higher than itself, and
in the end to the lowest, which leads to itself.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.hash64 import SEED, STEP
from hominis.corpus.kernels.machine import folded, pread

U32 = npt.NDArray[np.uint32]
U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

WINDOW = 16
"""In a bucket, each document is compared with this many that follow it: n documents cost at most 16 n comparisons."""


@kernel
def band_keys(signatures: U32, rows: int, keys: U64) -> None:
    """Put a hash of each band of ``rows`` values into ``keys``, shape (bands, documents)."""
    for band in range(keys.shape[0]):
        for document in range(signatures.shape[0]):
            mixed = SEED
            for value in signatures[document, band * rows : (band + 1) * rows]:
                mixed = folded(mixed ^ np.uint64(value), STEP)
            keys[band, document] = mixed


@kernel
def join_buckets(keys: U64, numbers: Numbers, file: int, size: int, needed: int, parents: Numbers) -> None:
    """Join documents of equal keys, if their signatures agree on ``needed`` values.

    Two that are of one group already aren't compared; the groups are the same in whatever order buckets come.
    Signatures are read one by one: mapped, a file of them would seem to take as much memory as it is long.

    Args:
        keys: ascending.
        numbers: of the documents; sorted here where keys are equal.
        file: descriptor of a file of signatures, each ``size`` u32, by number; not read if ``needed`` is 0.

    Raises:
        OSError: a signature can't be read.
    """
    pair, begin = np.empty((2, size), dtype=np.uint32), 0
    while begin < keys.size:
        end = begin + 1
        while end < keys.size and keys[end] == keys[begin]:
            end += 1
        if end - begin > 1:
            numbers[begin:end].sort()
            for place in range(begin, end - 1):
                for other in range(place + 1, min(place + 1 + (WINDOW if needed else 1), end)):
                    left, right = _lowest(parents, numbers[place]), _lowest(parents, numbers[other])
                    if left != right and _similar(numbers[place], numbers[other], file, pair, needed):
                        parents[max(left, right)] = min(left, right)
        begin = end


@kernel
def lead(parents: Numbers) -> None:
    """Let every document lead to the lowest of its group at once."""
    for number in range(parents.size):
        parents[number] = parents[parents[number]]


@kernel
def _lowest(parents: Numbers, number: int) -> int:
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number


@kernel
def _similar(number: int, other: int, file: int, pair: U32, needed: int) -> bool:
    if needed == 0:
        return True
    _read(number, file, pair[0])
    _read(other, file, pair[1])
    count = 0
    for place in range(pair.shape[1]):
        count += pair[0, place] == pair[1, place]
    return count >= needed


@kernel
def _read(number: int, file: int, signature: U32) -> None:
    length = 4 * signature.size
    if pread(file, signature.ctypes.data, length, number * length) != length:
        raise OSError("a signature can't be read")
