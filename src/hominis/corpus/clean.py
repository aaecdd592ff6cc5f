"""What is done to the text of documents that stay: evaluation's items and personal data don't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from hominis.corpus.card import Card
from hominis.corpus.choice import schema
from hominis.corpus.contamination import Contamination, Item
from hominis.corpus.pii import replaced
from hominis.corpus.pipeline import paired
from hominis.corpus.tables import TableWriter

LEFT = pa.schema([(name, pa.string()) for name in ("id", "task", "item", "words")])
SPANS = pa.schema([("id", pa.string()), ("kind", pa.string()), ("start", pa.int64()), ("end", pa.int64())])


class Found(NamedTuple):
    """What is sought in a batch: little to send from one process to another, whatever the text.

    Attributes:
        contaminated: the documents that hold an item: ``LEFT``.
        stays: by row, whether the document holds none.
        spans: personal data in those that stay: ``SPANS``.
        changed: by row that stays, whether it has personal data.
        texts: those rows' texts with placeholders.
    """

    contaminated: pa.Table
    stays: pa.BooleanArray
    spans: pa.Table
    changed: pa.BooleanArray
    texts: pa.LargeStringArray


_SOUGHT: list[tuple[Contamination | None, Sequence[str]]] = []
"""What this process seeks: evaluation's items (None: there are none), kinds of personal data."""


def prepare(items: Sequence[Item], kinds: Sequence[str]) -> None:
    """Tell this process what to seek."""
    _SOUGHT[:] = [(Contamination(items) if items else None, kinds)]


def found(rows: pa.Table) -> Found:
    """Return what rows of ``documents.parquet`` hold."""
    contamination, kinds = _SOUGHT[0]
    contaminated, stays = LEFT.empty_table(), _mask(rows, (), False)
    if contamination:
        touched = contamination.touched(_texts(rows))
        contaminated, stays = _with_ids(rows, touched, LEFT), _mask(rows, touched["row"], False)
        rows = rows.filter(stays)
    texts, spans = replaced(_texts(rows), kinds)
    changed = _mask(rows, spans["row"], True)
    return Found(contaminated, stays, _with_ids(rows, spans, SPANS), changed, texts.filter(changed))


def cleaned(rows: pa.Table, seen: Found) -> pa.Table:
    """Return the rows that stay, without personal data."""
    rows = rows.filter(seen.stays)
    texts = pc.replace_with_mask(_texts(rows), seen.changed, seen.texts)
    return rows.set_column(schema().get_field_index("text"), "text", texts)


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
    card, spans, left = Card(), dict.fromkeys(kinds, 0), [LEFT.empty_table()]
    table, aside = folder / "documents.parquet", folder / "pii.parquet"
    with TableWriter(table, schema()) as documents, TableWriter(aside, SPANS) as pii:
        for batch, held in paired(batches, found, workers, prepare, items, kinds):
            rows = cleaned(batch, held)
            card.add(rows)
            documents.write(rows)
            pii.write(held.spans)
            left.append(held.contaminated)
            for kind in held.spans["kind"].to_pylist():
                spans[kind] += 1
            seen(batch.num_rows)
    return Written(card, pa.concat_tables(left), spans)


def _texts(rows: pa.Table) -> pa.LargeStringArray:
    return rows["text"].combine_chunks()


def _mask(rows: pa.Table, places: Iterable[int], value: bool) -> pa.BooleanArray:
    """Return ``value`` at the rows named, its opposite elsewhere."""
    mask = np.full(rows.num_rows, not value)
    mask[list(places)] = value
    return pa.array(mask)


def _with_ids(rows: pa.Table, found: pl.DataFrame, wanted: pa.Schema) -> pa.Table:
    names = pl.Series("id", rows["id"])[found["row"]]
    return found.with_columns(names).select(wanted.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(wanted)
