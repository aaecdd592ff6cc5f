"""MinHash signatures of a column of documents, over shingles of consecutive words.

Two kinds, which say nothing to one another:

* ``own``: a 64-bit hash of each shingle, cut to 32 bits, and multiply-shift permutations (Dietzfelbinger et al. 1997,
  doi:10.1006/jagm.1997.0873) of it. Such a simple family does as well as a truly random one on hashes of real text
  (Mitzenmacher and Vadhan 2008).
* ``redpajama``: RedPajama-v2's, value by value: SHA-1, and permutations modulo 2**61 - 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hominis.corpus.hashing import splitmix64
from hominis.corpus.kernels.hash64 import hash_runs
from hominis.corpus.kernels.minhash import U32, U64, least_affine, least_modular, spans
from hominis.corpus.kernels.sha1 import sha1_first_words
from hominis.corpus.kernels.texts import Offsets, Texts
from hominis.errors import InputError

Kind = Literal["own", "redpajama"]

_BLOCK = 1 << 18
"""Bytes of text handled at once: their shingles stay in a core's cache."""


def signatures(texts: Texts, kind: Kind, size: int, permutations: int) -> pa.FixedSizeListArray:
    """Return each text's signature: ``permutations`` u32, null for a text without shingles.

    The share of values in which two signatures agree estimates the Jaccard similarity of their sets of shingles. Of
    ``own``, a text of fewer than ``size`` words is one shingle; of ``redpajama``, it has none.

    Args:
        texts: normalised, words joined by one space.
        size: words in a shingle.
    """
    least = np.empty((texts.number, permutations), dtype=np.uint32)
    filled = np.empty(texts.number, dtype=bool)
    for begin, end in _blocks(texts.offsets):
        hashes, first = _hashed(texts.data, texts.offsets[begin : end + 1], kind, size)
        filled[begin:end] = np.diff(first) > 0
        if kind == "own":
            least_affine(hashes, first, *_affine(permutations), least[begin:end])
        else:
            least_modular(hashes, first, *_modular(permutations), least[begin:end])
    return pa.FixedSizeListArray.from_arrays(pa.array(least.ravel()), permutations, mask=pa.array(~filled))


def signature_field(kind: Kind, size: int, permutations: int) -> pa.Field:
    """Return the column of signatures, which says of what kind they are."""
    metadata = {"kind": kind, "shingle_words": str(size)}
    return pa.field("signature", pa.list_(pa.uint32(), permutations), metadata=metadata)


def common_size(annotations: Mapping[str, Path]) -> int:
    """Return how many values the signatures of all sources have.

    Args:
        annotations: source → its ``annotations.parquet``.

    Raises:
        InputError: they are of different kinds, which can't be compared.
    """
    kinds: dict[tuple[str, ...], str] = {}
    for source, path in annotations.items():
        field = pq.read_schema(path).field("signature")
        told = {name.decode(): value.decode() for name, value in (field.metadata or {}).items()}
        kinds[told.get("kind", ""), told.get("shingle_words", ""), str(field.type.list_size)] = source
    if len(kinds) > 1:
        listed = (f"{source}: {kind}, {size} words, {values} values" for (kind, size, values), source in kinds.items())
        raise InputError(
            f"signatures of different kinds: {'; '.join(listed)}",
            where=", ".join(str(annotations[source]) for source in kinds.values()),
            remedy="annotate all sources with the same annotate.signature, shingle_words and permutations",
        )
    return int(next(iter(kinds))[2])


def _hashed(data: np.ndarray, offsets: Offsets, kind: Kind, size: int) -> tuple[U32, Offsets]:
    """Return the hash of each shingle, and the first of each text (and their number)."""
    most = int(offsets[-1] - offsets[0]) + offsets.size  # words there can be in whatever bytes: nothing checks bounds
    hashes, first = np.empty(most, dtype=np.uint32), np.empty(offsets.size, dtype=np.int64)
    if kind == "own":
        hash_runs(data, offsets, size, np.empty(most, dtype=np.uint64), hashes, first)
    else:
        starts, ends = np.empty(most, dtype=np.int64), np.empty(most, dtype=np.int64)
        spans(data, offsets, size, starts, ends, first)
        sha1_first_words(data, starts, ends, int(first[-1]), hashes)
    return hashes, first


def _blocks(offsets: Offsets) -> Iterator[tuple[int, int]]:
    """Yield ranges of texts that hold about ``_BLOCK`` bytes together."""
    begin = 0
    while begin < offsets.size - 1:
        end = int(np.searchsorted(offsets, offsets[begin] + _BLOCK, side="right")) - 1
        yield begin, max(end, begin + 1)
        begin = max(end, begin + 1)


@lru_cache(maxsize=1)
def _affine(permutations: int) -> tuple[U32, U32]:
    drawn = splitmix64(np.arange(2 * permutations, dtype=np.uint64) * np.uint64(0xD1B54A32D192ED03)) >> np.uint64(32)
    return drawn[:permutations].astype(np.uint32) | np.uint32(1), drawn[permutations:].astype(np.uint32)


@lru_cache(maxsize=1)
def _modular(permutations: int) -> tuple[U64, U64]:
    """Draw as RedPajama-v2 does; NumPy keeps this generator's stream for ever (its NEP 19)."""
    random, prime = np.random.RandomState(42), 2**61 - 1
    pairs = [[random.randint(low, prime, dtype=np.uint64) for low in (1, 0)] for _ in range(permutations)]
    factors, terms = np.array(pairs, dtype=np.uint64).T
    return factors.copy(), terms.copy()
