"""Annotations of a source as ``deduplicate`` reads them."""

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from hominis.corpus import deduplicate
from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.normalise import normalise
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.minhash import signature_field, signatures
from hominis.store.types import Artefact, Part, Receipt
from hominis.store.work import Work


def annotations(texts, kind="own", words=5):
    """The columns that matter, of texts by id."""
    normalised = normalise(texts_of(pl.Series(list(texts.values()), dtype=pl.String)))
    return signed(
        list(texts),
        pa.array(content_hashes(normalised), mask=np.diff(normalised.offsets) == 0),
        signatures(normalised, kind, words, 128),
        kind,
        words,
    )


def signed(ids, hashes, values, kind="own", words=5):
    field = signature_field(kind, words, values.type.list_size)
    schema = pa.schema([("id", pa.string()), ("content_hash", pa.uint64()), field])
    return pa.table([pa.array(ids, pa.string()), hashes, values], schema=schema)


def source(folder, name, table=None, corpus="web", rows=7):
    """A source's annotations as an artefact, written to the folder unless they are there."""
    folder.mkdir(parents=True, exist_ok=True)
    if table is not None:
        pq.write_table(table, folder / "annotations.parquet", row_group_size=rows)
    return Artefact(folder, Receipt("annotate", 1, "key", name, {"corpus": corpus}, {}, {}, {}, {}))


def deduplicated(folder, artefacts, section):
    """The bytes of ``duplicates.parquet``, its rows, and the summary."""
    work = Work(folder, folder / "records")
    summary = deduplicate.work(section, {"annotate": artefacts}, Part("all"), work)
    path = work.out / "duplicates.parquet"
    return path.read_bytes(), pq.read_table(path).to_pylist(), summary
