"""What is done to the text of documents that stay: evaluation's items and personal data don't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow as pa

from hominis.corpus.card import Card
from hominis.corpus.choice import schema
from hominis.corpus.contamination import Contamination, Item
from hominis.corpus.pii import replaced
from hominis.corpus.pipeline import paired
from hominis.corpus.tables import TableWriter

CONTAMINATED = pa.schema([(name, pa.string()) for name in ("id", "task", "item", "words")])
SPANS = pa.schema([("id", pa.string()), ("kind", pa.string()), ("start", pa.int64()), ("end", pa.int64())])


class Clean(NamedTuple):
    """A batch of documents: the rows as they stay, those that left for the items that they hold, what was replaced."""

    rows: pa.Table
    contaminated: pa.Table
    spans: pa.Table


_SOUGHT: list[tuple[Contamination | None, Sequence[str]]] = []
"""What this process seeks: evaluation's items (None: there are none), kinds of personal data."""


def prepare(items: Sequence[Item], kinds: Sequence[str]) -> None:
    """Tell this process what to seek."""
    _SOUGHT[:] = [(Contamination(items) if items else None, kinds)]


def cleaned(rows: pa.Table) -> Clean:
    """Return rows of ``documents.parquet`` without those that hold an item, personal data replaced in the others."""
    contamination, kinds = _SOUGHT[0]
    contaminated = CONTAMINATED.empty_table()
    if contamination:
        touched = contamination.touched(_texts(rows))
        contaminated = _with_ids(rows, touched, CONTAMINATED)
        rows = rows.filter(pa.array(~pl.int_range(rows.num_rows, eager=True).is_in(touched["row"].implode())))
    if not kinds:
        return Clean(rows, contaminated, SPANS.empty_table())
    texts, spans = replaced(_texts(rows), kinds)
    place = schema().get_field_index("text")
    return Clean(rows.set_column(place, "text", texts), contaminated, _with_ids(rows, spans, SPANS))


class Written(NamedTuple):
    """The data card of the documents that were written, those that left, and the number of spans by kind."""

    card: Card
    contaminated: pa.Table
    spans: dict[str, int]


def write(
    batches: Iterable[pa.Table],
    folder: Path,
    items: Sequence[Item],
    kinds: Sequence[str],
    workers: int,
    seen: Callable[[int], None],
) -> Written:
    """Clean batches; write ``documents.parquet`` and ``pii.parquet``: ``SPANS``, code points of the text as it was.

    Args:
        items: of the evaluation tasks.
        kinds: of personal data.
        seen: is told the number of documents of each batch.
    """
    card, spans, left = Card(), dict.fromkeys(kinds, 0), [CONTAMINATED.empty_table()]
    table, aside = folder / "documents.parquet", folder / "pii.parquet"
    with TableWriter(table, schema()) as documents, TableWriter(aside, SPANS) as pii:
        for batch, clean in paired(batches, cleaned, workers, prepare, items, kinds):
            card.add(clean.rows)
            documents.write(clean.rows)
            pii.write(clean.spans)
            left.append(clean.contaminated)
            for kind in clean.spans["kind"].to_pylist():
                spans[kind] += 1
            seen(batch.num_rows)
    return Written(card, pa.concat_tables(left), spans)


def _texts(rows: pa.Table) -> pa.LargeStringArray:
    return rows["text"].combine_chunks()


def _with_ids(rows: pa.Table, found: pl.DataFrame, wanted: pa.Schema) -> pa.Table:
    names = pl.Series("id", rows["id"])[found["row"]]
    return found.with_columns(names).select(wanted.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(wanted)
