"""Take the text of documents that stay from the raw file, which is read again for them alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa

from hominis.corpus.choice import slices
from hominis.corpus.readers.documents import Documents
from hominis.errors import InputError

_SAID = ("id", "source", "corpus", "language", "licence", "domain", "url")
"""What annotations say of a document that stays with its text."""


def schema() -> pa.Schema:
    """Return the columns of ``documents.parquet``."""
    said = [(name, pa.string()) for name in _SAID]
    return pa.schema([*said, ("text", pa.large_string()), ("split", pa.string())])


def kept_batches(documents: Documents, annotations: Path, decided: pl.DataFrame) -> Iterator[pa.Table]:
    """Yield the documents that stay, in the raw file's order.

    Args:
        annotations: of all documents of the raw file.
        decided: what becomes of each of them.

    Raises:
        InputError: the raw file hasn't the documents that were decided on.
    """
    if not decided["removed_by"].null_count():
        return
    said = _Said(annotations, decided)
    for batch in replace(documents, chosen=said.paths()):
        rows = said.take(batch.num_rows)
        if rows["id"].to_list() != batch.column("id").to_pylist():
            raise _another_reading(documents)
        table = rows.select(*_SAID, "split").to_arrow(compat_level=pl.CompatLevel.oldest())
        yield table.add_column(len(_SAID), "text", batch.column("text")).cast(schema())
    if said.left:
        raise _another_reading(documents)


class _Said:
    """What annotations say of the documents that stay, read as far as their paths are asked for."""

    def __init__(self, annotations: Path, decided: pl.DataFrame) -> None:
        self._annotations, self._decided = annotations, decided
        self._held: list[pl.DataFrame] = []
        self.left = decided["removed_by"].null_count()

    def paths(self) -> Iterator[str]:
        for place, rows in slices(self._annotations):
            decided = self._decided[place]
            said = rows.select("path", *_SAID).collect().with_columns(decided["split"])
            self._held.append(said.filter(decided["removed_by"].is_null()))
            yield from self._held[-1]["path"]

    def take(self, number: int) -> pl.DataFrame:
        """Return the next rows."""
        held = pl.concat(self._held)
        self._held = [held.slice(number)]
        self.left -= number
        return held.head(number)


def _another_reading(documents: Documents) -> InputError:
    return InputError(
        f"source {documents.source!r} has other documents than those that were annotated",
        where=documents.path,
        remedy="annotate it again: its annotations are of another reading",
    )
