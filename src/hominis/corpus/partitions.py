"""Documents brought together by key, on disk: a file at a time fits into memory, however many documents there are."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

U64 = npt.NDArray[np.uint64]
Numbers = npt.NDArray[np.int64]

MOST = 1 << 22
"""About how many entries a file has at most: some 200 MB while they are sorted."""

_ENTRY = np.dtype([("key", "<u8"), ("number", "<i8")])
_HALF = np.uint64(32)


class Partitions:
    """Entries (key, document's number), divided by band, and by the keys' range where a band has too many.

    Args:
        folder: made anew; every entry takes 16 bytes in it.
        documents: how many entries a band has at most. Keys are hashes, spread evenly over 64 bits.
        most: about how many entries to have in a file.
    """

    def __init__(self, folder: Path, documents: int, most: int = MOST) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder, self._ranges = folder, max(1, -(-documents // most))

    def add(self, band: int, keys: U64, numbers: Numbers) -> None:
        """Append entries to the files that they belong to."""
        entries = np.empty(keys.size, dtype=_ENTRY)
        entries["key"], entries["number"] = keys, numbers
        place = ((keys >> _HALF) * np.uint64(self._ranges)) >> _HALF
        for number in range(self._ranges):
            with (self._folder / f"{band:04}-{number:06}").open("ab") as file:
                entries[place == number].tofile(file)

    @property
    def files(self) -> int:
        """How many files are left."""
        return sum(1 for _ in self._folder.iterdir())

    def __iter__(self) -> Iterator[tuple[U64, Numbers]]:
        """Yield each file's keys, ascending, and their documents' numbers; remove the file afterwards."""
        for path in sorted(self._folder.iterdir()):
            entries = np.fromfile(path, dtype=_ENTRY)
            order = np.argsort(entries["key"])
            yield entries["key"][order], entries["number"][order]
            path.unlink()
