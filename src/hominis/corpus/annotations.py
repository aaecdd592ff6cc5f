"""The annotations of a batch of documents."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl
import pyarrow as pa

from hominis.config.corpus import AnnotateSection
from hominis.config.signals import INTEGERS, NUMBERS
from hominis.corpus.kernels.fasttext import beginnings, identified
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.lines import scan_lines
from hominis.corpus.kernels.normalise import normalised
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.language import with_languages
from hominis.corpus.language_model import identifier
from hominis.corpus.minhash import signature_field, signatures
from hominis.corpus.signals import signals


def schema(section: AnnotateSection) -> pa.Schema:
    """Return the columns of ``annotations.parquet``. ``content_hash`` is null for a document without words."""
    said = ("id", "source", "corpus", "path", "licence", "language", "domain", "url", "title")
    text = [(name, pa.string()) for name in said]
    numbers = [(name, pa.int64() if name in INTEGERS else pa.float64()) for name in NUMBERS]
    signature = signature_field(section.signature, section.shingle_words, section.permutations)
    return pa.schema([*text, *numbers, ("content_hash", pa.uint64()), signature])


def annotated(batch: pa.RecordBatch, labels: Mapping[str, str], section: AnnotateSection) -> pa.Table:
    """Return a row per document of ``batch``, which a reader made; ``labels`` are the same in all rows.

    If the batch has a column ``signature``, that is what they have.
    """
    frame = pl.DataFrame(batch)
    found = with_languages(frame, section.language_prefix_chars)
    raw = texts_of(frame["text"])
    normal = normalised(raw)
    texts = normal.texts
    measured = pl.DataFrame(signals(raw, normal, scan_lines(raw, normal.lines), found["language"].to_arrow()))
    content = pl.Series("content_hash", content_hashes(texts))
    hidden = pl.Series(np.diff(texts.offsets) == 0)
    frame = pl.concat([frame.drop("text", *found.columns), found, measured], how="horizontal").with_columns(
        *(pl.lit(value).alias(name) for name, value in labels.items()),
        pl.Series("bytes", np.diff(raw.offsets)),
        content.set(hidden, None),
    )
    if "signature" in batch.schema.names:
        return _table(frame, batch.column("signature"), schema(section))
    values = signatures(texts, section.signature, section.shingle_words, section.permutations)
    return _table(frame, values, schema(section))


def _table(frame: pl.DataFrame, signature: pa.FixedSizeListArray, wanted: pa.Schema) -> pa.Table:
    unmeasured = [pl.lit(None).alias(name) for name in NUMBERS if name not in frame.columns]
    arrow = frame.with_columns(unmeasured).select(wanted.names[:-1]).to_arrow(compat_level=pl.CompatLevel.oldest())
    return arrow.append_column("signature", signature).cast(wanted)


def preload() -> None:
    """Load compiled kernels, tables and the model of languages, by measuring a text. No Polars: it starts threads."""
    raw = texts_of(pa.array(["A text of few words."], pa.large_string()))
    normal = normalised(raw)
    signals(raw, normal, scan_lines(raw, normal.lines), pa.array(["en"]))
    content_hashes(normal.texts)
    signatures(normal.texts, "own", 1, 1)
    identified(raw, beginnings(raw, 1)[0], identifier()[0])
