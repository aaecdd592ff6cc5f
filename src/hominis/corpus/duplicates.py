"""Exact and near duplicates among annotated documents."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from hominis.corpus.hashing import Positions
from hominis.corpus.lsh import agreeing, candidates, groups


def ranked(paths: Sequence[Path]) -> pa.Table:
    """Return ``id``, ``content_hash`` and ``signature`` of all documents, the copy to prefer first."""
    columns = ["id", "content_hash", "signature"]
    tables = [pq.read_table(path, columns=columns).sort_by("id") for path in paths]
    return pa.concat_tables(tables).combine_chunks()


def duplicates(documents: pa.Table, bands: int, rows: int, agreement: float) -> pa.Table:
    """Return a row (``id``, ``kept``, ``kind``) per document that goes, in the order of ``documents``.

    ``exact``: its words are those of a document before it. ``near``: it is not, but pairs of candidates whose
    signatures agree on the share ``agreement`` of their values connect it with a document before it.
    Documents without words are no copies of one another.
    """
    has_words = np.flatnonzero(documents["content_hash"].is_valid())
    _, first, group = np.unique(
        documents["content_hash"].take(has_words).to_numpy(), return_index=True, return_inverse=True
    )
    kept = np.arange(documents.num_rows)
    kept[has_words] = has_words[first[group]]
    exact = kept != np.arange(documents.num_rows)
    originals = has_words[np.sort(first)]
    kept[originals] = originals[_near(_signatures(documents, originals), bands, rows, agreement)]
    kept = kept[kept]
    gone = np.flatnonzero(kept != np.arange(documents.num_rows))
    kind = np.where(exact[gone], "exact", "near")
    ids = documents["id"]
    return pa.table({"id": ids.take(gone), "kept": ids.take(kept[gone]), "kind": pa.array(kind.tolist(), pa.string())})


def _near(signatures: npt.NDArray[np.uint32], bands: int, rows: int, agreement: float) -> Positions:
    pairs = candidates(signatures, bands, rows)
    return groups(pairs[agreeing(signatures, pairs, agreement)], len(signatures))


def _signatures(documents: pa.Table, rows: Positions) -> npt.NDArray[np.uint32]:
    column = documents["signature"].combine_chunks()
    return np.asarray(column.take(rows).flatten().to_numpy().reshape(-1, column.type.list_size))
