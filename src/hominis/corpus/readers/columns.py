"""The rows of Parquet files: a column of texts, and what other columns say of each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.errors import InputError

if TYPE_CHECKING:
    import pyarrow as pa

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
        _check(file.schema_arrow, text, path)
        said = [name for name in names if name in others and name != text]
        for batch in file.iter_batches(batch_size=64, columns=[text, *said]):
            contents = batch.column(text).cast(pa.large_binary()).to_pylist()
            yield from zip(contents, batch.select(said).to_pylist(), strict=True)


def _check(schema: pa.Schema, text: str, path: Path) -> None:
    import pyarrow.types as kinds

    texts = [name.name for name in schema if kinds.is_string(name.type) or kinds.is_large_string(name.type)]
    if text in texts:
        return
    problem = (
        f"column {text!r} holds {schema.field(text).type}, no text" if text in schema.names else f"no column {text!r}"
    )
    there = ", ".join(texts) or "this file has none"
    raise InputError(problem, where=path, remedy=f"set text_field to a column of text: {there}")
