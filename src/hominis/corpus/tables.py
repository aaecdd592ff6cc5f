"""Parquet files whose bytes depend on nothing but what is in them."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


class TableWriter:
    """Write record batches, a row group each, with settings that never vary.

    Args:
        path: the file to write.
        schema: of every batch; a file without a batch still has it.
    """

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

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
        """Append the rows as one row group."""
        if rows.num_rows:
            self._writer.write_table(rows, row_group_size=rows.num_rows)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._writer.close()
