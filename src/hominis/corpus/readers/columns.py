"""The rows of Parquet files: a column of texts, and what other columns say of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from hominis.errors import InputError

Row = tuple[bytes | None, dict[str, Any]]
"""A text, and the values of the other columns that were asked for and are there."""

_BUFFER_BYTES = 2**20


def rows(path: Path, text_of: Callable[[Sequence[str]], str], others: Collection[str] = ()) -> Iterator[Row]:
    """Yield the rows of a file; texts come as bytes, so that one that is no UTF-8 spoils no other.

    Args:
        text_of: from the names of the columns to that of the texts.
        others: names of other columns to read.

    Raises:
        InputError: it has no such column of texts, or that doesn't hold strings.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:  # else a row group at a time
        names = file.schema_arrow.names
        text = text_of(names)
        if text not in names:
            raise InputError(f"no column {text!r}", where=path, remedy=f"set text_field to one of {', '.join(names)}")
        kind = file.schema_arrow.field(text).type
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise InputError(f"column {text!r} holds {kind}, not text", where=path, remedy="set text_field")
        said = [name for name in names if name in others and name != text]
        for batch in file.iter_batches(batch_size=64, columns=[text, *said]):
            contents = batch.column(text).cast(pa.large_binary()).to_pylist()
            yield from zip(contents, batch.select(said).to_pylist(), strict=True)
