"""Parquet files whose bytes depend on nothing but what is in them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


_GROUP_BYTES = 16 * 2**20
"""In memory, of a row group or a little more: writing small ones costs up to three times as much."""


class TableWriter:
    """Write tables one after another, with settings that never vary.

    Args:
        path: the file to write.
        schema: of every table; a file without rows still has it.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self._held: list[pa.Table] = []
        self._bytes = 0
        repeated = [field.name for field in schema if field.type == pa.string()]  # numbers and text hardly repeat
        self._writer: pq.ParquetWriter = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            compression_level=3,
            version="2.6",
            write_statistics=False,
            use_dictionary=repeated,
        )

    def __enter__(self) -> Self:
        return self

    def write(self, rows: pa.Table) -> None:
        """Append rows."""
        import numpy as np

        self._held.append(rows.take(np.arange(rows.num_rows)))  # as they are they may hold on to all they are cut from
        self._bytes += rows.nbytes
        if self._bytes >= _GROUP_BYTES:
            self._write_group()

    def _write_group(self) -> None:
        import pyarrow as pa

        group = pa.concat_tables(self._held)
        self._held, self._bytes = [], 0
        if group.num_rows:
            self._writer.write_table(group, row_group_size=group.num_rows)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with closing(self._writer):
            if self._held and error is None:
                self._write_group()
