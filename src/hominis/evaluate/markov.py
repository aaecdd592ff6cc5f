"""Byte Markov models of orders 1 to 3, counted and measured by numpy.

Order k predicts a byte from the k bytes before it, in the sense of Shannon 1948. Probabilities are interpolated by
method C of Witten and Bell 1991 (doi:10.1109/18.87000), down to the uniform distribution over bytes:

    P_k(b | c) = (count(c b) + kinds(c) P_{k-1}(b | c')) / (count(c) + kinds(c))

``c`` the k bytes of context, ``c'`` its last k - 1, ``kinds`` the number of different bytes seen after it. A context
never seen says P_{k-1}. Each document stands alone: all its bytes are predicted, the first ones after NUL bytes; its
end is not. So every model spends bits on just the bytes that a language model's bits per byte are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Codes = npt.NDArray[np.uint32]
    Counts = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

HIGHEST = 3


def grams(documents: Sequence[bytes]) -> Codes:
    """Return a code for every byte of the documents: its three predecessors and itself, the byte in the low 8 bits."""
    pad = bytes(HIGHEST)
    text = np.frombuffer(b"".join(pad + document for document in documents), np.uint8).astype(np.uint32)
    lengths = np.fromiter((HIGHEST + len(document) for document in documents), np.int64, len(documents))
    starts = np.cumsum(lengths) - lengths
    predicted = np.ones(len(text), bool)
    for place in range(HIGHEST):
        predicted[starts + place] = False
    codes = text.copy()
    for back in range(1, HIGHEST + 1):
        codes[back:] |= text[:-back] << np.uint32(8 * back)
    return codes[predicted]


class Counter:
    """Counts of the codes of ``grams``, merged batch by batch: memory grows with their kinds, not with the text."""

    def __init__(self) -> None:
        self._codes: Codes = np.empty(0, np.uint32)
        self._counts: Counts = np.empty(0, np.int64)

    def add(self, documents: Sequence[bytes]) -> None:
        """Count the bytes of some documents."""
        codes, counts = np.unique(grams(documents), return_counts=True)
        codes = np.concatenate([self._codes, codes])
        counts = np.concatenate([self._counts, counts])
        order = np.argsort(codes, kind="stable")
        self._codes, self._counts = _merged(codes[order], counts[order])

    def model(self) -> Markov:
        """Return the model of what was counted."""
        return Markov(self._codes, self._counts)


class Markov:
    """A model of orders 0 to 3.

    Args:
        codes: the different codes of ``grams`` that were seen, ascending.
        counts: how often.
    """

    def __init__(self, codes: Codes, counts: Counts) -> None:
        self._orders = [_Order(codes, counts, order) for order in range(HIGHEST + 1)]

    def bits(self, documents: Sequence[bytes]) -> list[float]:
        """Return the bits that orders 1, 2 and 3 spend on the documents together."""
        codes = grams(documents)
        probability: Floats = np.full(len(codes), 1 / 256)
        spent = []
        for order in self._orders:
            probability = order.probability(codes, probability)
            spent.append(float(-np.log2(probability).sum()))
        return spent[1:]


class _Order:
    """The counts of one order: of context and byte, and of the context alone with its kinds of continuation."""

    def __init__(self, codes: Codes, counts: Counts, order: int) -> None:
        self._mask = np.uint32(256 ** (order + 1) - 1)
        kept = codes & self._mask
        place = np.argsort(kept, kind="stable")
        self._codes, self._counts = _merged(kept[place], counts[place])
        contexts = self._codes >> np.uint32(8)
        self._contexts, self._totals = _merged(contexts, self._counts)
        _, self._kinds = _merged(contexts, np.ones(len(contexts), np.int64))

    def probability(self, codes: Codes, lower: Floats) -> Floats:
        """Interpolate the lower order's probability of each code's byte."""
        kept = codes & self._mask
        contexts = kept >> np.uint32(8)
        seen = _looked_up(self._codes, self._counts, kept)
        total = _looked_up(self._contexts, self._totals, contexts)
        kinds = _looked_up(self._contexts, self._kinds, contexts)
        known = total > 0
        mixed = (seen + kinds * lower) / np.where(known, total + kinds, 1)
        return np.where(known, mixed, lower)


def _merged(codes: Codes, counts: Counts) -> tuple[Codes, Counts]:
    """Sum the counts of equal codes, which lie side by side."""
    if not len(codes):
        return codes, counts
    starts = np.flatnonzero(np.concatenate(([True], codes[1:] != codes[:-1])))
    return codes[starts], np.add.reduceat(counts, starts)


def _looked_up(keys: Codes, values: Counts, wanted: Codes) -> npt.NDArray[Any]:
    """Return each wanted key's value, 0 for one that isn't there."""
    if not len(keys):
        return np.zeros(len(wanted), np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], 0)
