"""Token shards in the ``.bin``/``.idx`` format of Megatron's IndexedDataset, written with numpy alone.

``.bin`` holds the tokens of all documents end to end. ``.idx`` is little-endian: the magic ``MMIDIDX``, version 1
(u64), a code for the token type (u8), the numbers of sequences and of document bounds (u64 each), then the arrays
sequence lengths (i32), byte offsets of the sequences (i64) and document bounds (i64). Here every document is one
sequence. The layout is that of ``megatron.core.datasets.indexed_dataset``; a test compares the bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

MAGIC = b"MMIDIDX\x00\x00"
VERSION = 1
CODES = {np.dtype(np.int32): 4, np.dtype(np.uint16): 8}
LARGEST_UINT16_VOCABULARY = 65_499
"""Megatron's own bound, below what sixteen bits hold: it leaves room for padding the vocabulary."""

Tokens = npt.NDArray[np.uint16] | npt.NDArray[np.int32]


def token_type(vocab_size: int) -> np.dtype[np.uint16] | np.dtype[np.int32]:
    """Return the narrowest token type that Megatron picks for a vocabulary of this size."""
    return np.dtype(np.uint16) if vocab_size <= LARGEST_UINT16_VOCABULARY else np.dtype(np.int32)


class ShardWriter:
    """Writes ``<prefix>.bin`` as documents come and ``<prefix>.idx`` when it is left without an error.

    Args:
        prefix: the path of the pair without its suffix.
        vocab_size: decides the token type.
    """

    def __init__(self, prefix: Path, vocab_size: int) -> None:
        self._prefix, self._dtype = prefix, token_type(vocab_size)
        self._lengths: list[npt.NDArray[np.int32]] = []
        self._bin: BinaryIO = _beside(prefix, ".bin").open("wb")
        self.documents = self.tokens = 0

    def add(self, documents: Sequence[npt.NDArray[np.int32]]) -> None:
        """Append documents, each an array of token ids."""
        lengths = np.fromiter(map(len, documents), np.int32, len(documents))
        tokens = np.concatenate([np.empty(0, np.int32), *documents])
        if len(tokens) and not 0 <= tokens.min() <= tokens.max() <= np.iinfo(self._dtype).max:
            raise OverflowError(f"tokens {tokens.min()} to {tokens.max()} don't fit into {self._dtype}")
        self._bin.write(tokens.astype(self._dtype, copy=False).tobytes())
        self._lengths.append(lengths)
        self.documents += len(documents)
        self.tokens += len(tokens)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._bin.close()
        if kind is None:
            self._write_index()

    def _write_index(self) -> None:
        lengths = np.concatenate([np.empty(0, np.int32), *self._lengths])
        offsets = np.zeros(len(lengths), np.int64)
        np.cumsum(lengths[:-1], dtype=np.int64, out=offsets[1:])
        with _beside(self._prefix, ".idx").open("wb") as file:
            file.write(MAGIC + struct.pack("<QBQQ", VERSION, CODES[self._dtype], len(lengths), len(lengths) + 1))
            file.write(lengths.tobytes())
            file.write((offsets * self._dtype.itemsize).tobytes())
            file.write(np.arange(len(lengths) + 1, dtype=np.int64).tobytes())


def _beside(prefix: Path, suffix: str) -> Path:
    return prefix.with_name(prefix.name + suffix)
