"""Exact and near duplicates among the annotated documents of all parts, which need not fit into memory.

Resident are 17 bytes a document (its number, its group, whether it is an exact copy), a part's ids, those of documents
that have copies, and a file of ``Partitions``. On disk are a copy of the signatures, for the comparison of candidates
at random places, and 16 bytes a document and band.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from hominis.corpus.kernels.groups import U32, Numbers, band_keys, join_buckets, lead
from hominis.corpus.partitions import Partitions

SCHEMA = pa.schema(
    [("source", pa.string()), ("row", pa.int64()), *((name, pa.string()) for name in ("id", "kept", "kind"))]
)

_BATCH = 1 << 12

Progress = Callable[[float, float, str], None]


class Documents:
    """All parts' documents, numbered in the order in which copies are preferred: part by part, in a part by id.

    Args:
        paths: source → its ``annotations.parquet``, the most preferred first.
        folder: for files that aren't needed afterwards.

    Attributes:
        kept: the number of the document that stands for each; its own if it stays.
        exact: which have the words of one before them.
    """

    def __init__(self, paths: Mapping[str, Path], folder: Path) -> None:
        self._paths, self._folder = paths, folder
        self._first = np.cumsum([0, *(pq.read_metadata(path).num_rows for path in paths.values())])
        self._numbers = np.empty(self._first[-1], dtype=np.int64)
        for source, first in zip(paths, self._first[:-1], strict=True):
            order = pc.sort_indices(self._ids(source)).to_numpy()
            self._numbers[first + order.astype(np.int64)] = np.arange(first, first + order.size)
        self.kept = np.arange(self._numbers.size)
        self.exact = np.zeros(self._numbers.size, dtype=bool)

    def join_equal(self) -> None:
        """Group documents of the same words; those without words are no copies of one another."""
        entries = Partitions(self._folder / "content", self.kept.size)
        for numbers, hashes in self._batches("content_hash"):
            there = hashes.is_valid().to_numpy(zero_copy_only=False)
            entries.add(0, hashes.drop_null().to_numpy(), numbers[there])
        for keys, numbers in entries:
            join_buckets(keys, numbers, 0, 0, 0, self.kept)
        lead(self.kept)
        self.exact = self.kept != np.arange(self.kept.size)

    def join_near(self, bands: int, rows: int, needed: int, progress: Progress) -> None:
        """Group documents that agree on all values of a band and on ``needed`` of all; exact copies aren't compared."""
        entries = Partitions(self._folder / "bands", self.kept.size)
        path = self._folder / "signatures"
        path.unlink(missing_ok=True)
        done = size = 0
        for numbers, column in self._batches("signature"):
            size = column.type.list_size
            wanted = column.is_valid().to_numpy(zero_copy_only=False) & ~self.exact[numbers]
            values = column.filter(pa.array(wanted)).flatten().to_numpy().reshape(-1, size)
            keys = np.empty((bands, len(values)), dtype=np.uint64)
            band_keys(values, rows, keys)
            for band, of_band in enumerate(keys):
                entries.add(band, of_band, numbers[wanted])
            if needed:
                _rows(path, self.kept.size, size)[numbers[wanted]] = values
            done += numbers.size
            progress(done, self.kept.size, "signatures")
        with path.open("rb") if needed else nullcontext() as file:
            files = entries.files
            for done, (keys, numbers) in enumerate(entries, 1):
                join_buckets(keys, numbers, file.fileno() if file else 0, size, needed, self.kept)
                progress(done, files, "files of bands")
        lead(self.kept)

    def gone(self) -> Iterator[pa.Table]:
        """Yield a row per document that goes, a table per source, in the order of numbers.

        Columns: ``source``; ``row`` of its annotations; ``id``; ``kept``, the copy that stays; ``kind``. ``exact``:
        its words are those of a document before it. ``near``: they aren't, but candidates connect them.
        """
        stay = np.unique(self.kept[self.kept != np.arange(self.kept.size)])
        names = pa.chunked_array([], pa.string())
        for source, (first, end) in zip(self._paths, pairwise(self._first), strict=True):
            order = np.argsort(self._numbers[first:end])
            ids = self._ids(source).take(order)
            own = stay[(stay >= first) & (stay < end)] - first
            names = pa.chunked_array([*names.chunks, *ids.take(own).chunks], pa.string())
            kept = self.kept[first:end]
            gone = np.flatnonzero(kept != np.arange(first, end))
            kind = np.where(self.exact[first + gone], "exact", "near").tolist()
            others = names.take(np.searchsorted(stay, kept[gone]))
            yield pa.table([[source] * gone.size, order[gone], ids.take(gone), others, kind], schema=SCHEMA)

    def _ids(self, source: str) -> pa.ChunkedArray:
        return pq.read_table(self._paths[source], columns=["id"])["id"]

    def _batches(self, column: str) -> Iterator[tuple[Numbers, pa.Array]]:
        """Yield the numbers of some documents, and a column of theirs."""
        done = 0
        for path in self._paths.values():
            with pq.ParquetFile(path, pre_buffer=False) as file:  # else the column is read as a whole
                for batch in file.iter_batches(_BATCH, columns=[column]):
                    yield self._numbers[done : done + batch.num_rows], batch[0]
                    done += batch.num_rows


def _rows(path: Path, documents: int, size: int) -> U32:
    """Return a map of the file of signatures, made if it isn't there."""
    return np.memmap(path, np.uint32, "r+" if path.exists() else "w+", shape=(documents, size))
