"""What is done to the text of documents that stay: evaluation's items and personal data don't."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
import pyarrow as pa

from hominis.corpus.card import Card
from hominis.corpus.contamination import RUN, Contamination, Item
from hominis.corpus.kept import schema
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.ngrams import first_runs, runs_of
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.pii import KINDS, find, replaced
from hominis.corpus.pipeline import paired
from hominis.corpus.tables import TableWriter

LEFT = pa.schema([(name, pa.string()) for name in ("id", "task", "item", "words")])
SPANS = pa.schema([("id", pa.string()), ("kind", pa.string()), ("start", pa.int64()), ("end", pa.int64())])


class Cleaned(NamedTuple):
    """What becomes of a batch: rows that stay, documents that leave (``LEFT``), personal data (``SPANS``)."""

    rows: pa.Table
    contaminated: pa.Table
    spans: pa.Table


def cleaned(rows: pa.Table, contamination: Contamination | None, kinds: Sequence[str]) -> Cleaned:
    """Return rows of ``documents.parquet`` without evaluation's items, and without personal data of these kinds."""
    contaminated = LEFT.empty_table()
    if contamination:
        touched = contamination.touched(_texts(rows))
        contaminated = _with_ids(rows, touched, LEFT)
        rows = _without(rows, touched["row"])
    texts, spans = replaced(_texts(rows), kinds)
    clean = rows.set_column(schema().get_field_index("text"), "text", texts)
    return Cleaned(clean, contaminated, _with_ids(rows, spans, SPANS))


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
    clean = partial(cleaned, contamination=Contamination(items) if items else None, kinds=kinds)
    table, aside = folder / "documents.parquet", folder / "pii.parquet"
    with TableWriter(table, schema()) as documents, TableWriter(aside, SPANS) as pii:
        for batch, (rows, contaminated, found) in paired(batches, clean, workers):
            card.add(rows)
            documents.write(rows)
            pii.write(found)
            left.append(contaminated)
            for kind in found["kind"].to_pylist():
                spans[kind] += 1
            seen(batch.num_rows)
    return Written(card, pa.concat_tables(left), spans)


def _texts(rows: pa.Table) -> pa.LargeStringArray:
    return rows["text"].combine_chunks()


def _without(rows: pa.Table, places: pl.Series) -> pa.Table:
    if places.is_empty():
        return rows
    stays = np.ones(rows.num_rows, np.bool_)
    stays[places.to_numpy()] = False
    return rows.filter(pa.array(stays))


def _with_ids(rows: pa.Table, found: pl.DataFrame, wanted: pa.Schema) -> pa.Table:
    names = pl.Series("id", rows["id"])[found["row"]]
    return found.with_columns(names).select(wanted.names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(wanted)


def preload() -> None:
    """Load compiled kernels and tables, by cleaning a text. No Polars: it starts threads."""
    raw = texts_of(pa.array(["A text of few words."], pa.large_string()))
    normal = normalised(raw)
    first_runs(runs_of(normal.texts, np.diff(normal.words), RUN, 1), normal.texts)
    find(raw, KINDS)
    content_hashes(raw)
