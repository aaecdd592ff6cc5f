"""A column of texts as the two arrays that kernels read: its UTF-8 bytes and where each text begins."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa

Bytes = npt.NDArray[np.uint8]
Offsets = npt.NDArray[np.int64]


class Texts(NamedTuple):
    """Text i is ``data[offsets[i]:offsets[i + 1]]``; ``offsets[0]`` is 0 and ``offsets[-1]`` the length of ``data``.

    Attributes:
        data: valid UTF-8, u8, shape (bytes,), read-only.
        offsets: i64, shape (texts + 1,), read-only.
    """

    data: Bytes
    offsets: Offsets

    @property
    def number(self) -> int:
        """How many texts."""
        return self.offsets.size - 1


def texts_of(column: pa.Array | pa.ChunkedArray | pl.Series) -> Texts:
    """Return the texts of a column of strings, without a copy where it is ``large_string``; null becomes empty."""
    array = column.to_arrow(compat_level=pl.CompatLevel.oldest()) if isinstance(column, pl.Series) else column
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    array = array.cast(pa.large_string())
    if array.null_count:
        array = array.fill_null("")
    _, offsets, data = array.buffers()
    if len(array) == 0:
        return texts_from(np.zeros(0, np.uint8), np.zeros(1, np.int64))
    bounds = np.frombuffer(offsets, np.int64)[array.offset : array.offset + len(array) + 1]
    content = np.frombuffer(data, np.uint8) if data is not None else np.zeros(0, np.uint8)
    return texts_from(content[bounds[0] : bounds[-1]], bounds - bounds[0] if bounds[0] else bounds)


def texts_from(data: Bytes, offsets: Offsets) -> Texts:
    """Return the arrays as texts; they are made read-only, so that kernels see one type and compile once."""
    data, offsets = data.view(), offsets.view()
    data.flags.writeable = offsets.flags.writeable = False
    return Texts(data, offsets)


def arrow_of(texts: Texts) -> Any:
    """Return the texts as an Arrow array of type ``large_string`` over the same memory."""
    return pa.LargeStringArray.from_buffers(texts.number, pa.py_buffer(texts.offsets), pa.py_buffer(texts.data))
