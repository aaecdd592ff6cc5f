"""A column of texts whose words are joined by single spaces, seen as arrays of word positions."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from hominis.corpus.hashing import U64, Positions, RangeHash, splitmix64


class Words:
    """The words of every document of a column, one after the other, without a Python object per word.

    Args:
        column: strings without leading, trailing or doubled spaces; words are what stands between spaces.

    Attributes:
        starts, ends: byte positions of each word, shape (words,).
        first: index of each document's first word, shape (documents + 1,); the last entry is the number of words.
        document: index of each word's document, shape (words,).
        ranges: the hash of any byte range of the column.
    """

    def __init__(self, column: pl.Series) -> None:
        arrow = column.to_arrow(compat_level=pl.CompatLevel.oldest())
        _, offsets, data = arrow.buffers()
        bounds = np.frombuffer(offsets, dtype=np.int64)[arrow.offset : arrow.offset + len(arrow) + 1]
        raw = np.frombuffer(data, dtype=np.uint8) if data else np.zeros(0, dtype=np.uint8)
        self._data, self._bounds = raw[bounds[0] : bounds[-1]], bounds - bounds[0]
        self.starts, self.ends = _edges(self._data, self._bounds)
        self.first = np.searchsorted(self.starts, self._bounds)
        self.document = np.repeat(np.arange(len(column)), np.diff(self.first))
        self.ranges = RangeHash(self._data)

    @cached_property
    def counts(self) -> Positions:
        """The number of words of each document."""
        return np.asarray(np.diff(self.first))

    def hashes(self) -> U64:
        """Return the hash of each word."""
        return self.ranges(self.starts, self.ends)

    @cached_property
    def length_sums(self) -> Positions:
        """The code points in all words before each word; the last entry is the sum: shape (words + 1,)."""
        leads = np.zeros(self._data.size + 1, dtype=np.int64)
        np.cumsum((self._data & 0xC0) != 0x80, out=leads[1:])
        return np.concatenate([[0], np.cumsum(leads[self.ends] - leads[self.starts])])

    @property
    def characters(self) -> Positions:
        """The code points in each document's words, spaces not counted."""
        return np.asarray(np.diff(self.length_sums[self.first]))

    def per_document(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the sum of ``values`` (one a word) over each document's words."""
        return np.bincount(self.document, weights=values, minlength=self.counts.size).astype(np.float64)

    def content_hashes(self) -> U64:
        """Return a hash of each document's sequence of words; 0 stands for a document without words.

        Words are mixed with their place before they are summed, so the weak inputs of a plain polynomial modulo
        2**64 (Thue-Morse sequences) are none here.
        """
        place = (np.arange(self.starts.size) - self.first[self.document]).astype(np.uint64)
        sums = np.zeros(self.counts.size + 1, dtype=np.uint64)
        total = np.concatenate([sums[:1], np.cumsum(splitmix64(self.hashes() + splitmix64(place)), dtype=np.uint64)])
        sums = total[self.first[1:]] - total[self.first[:-1]]
        return np.where(self.counts > 0, splitmix64(sums), np.uint64(0))


def _edges(data: npt.NDArray[np.uint8], bounds: Positions) -> tuple[Positions, Positions]:
    begins, finishes = np.zeros(data.size + 1, dtype=bool), np.zeros(data.size + 1, dtype=bool)
    finishes[:-1] = data == ord(" ")
    begins[1:] = finishes[:-1]
    filled = np.diff(bounds) > 0
    begins[bounds[:-1][filled]] = True
    finishes[bounds[1:][filled]] = True
    return np.flatnonzero(begins), np.flatnonzero(finishes)
