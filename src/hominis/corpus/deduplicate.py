"""Stage ``deduplicate``: of every group of equal or nearly equal documents, over all sources, one copy stays."""

from __future__ import annotations

from collections.abc import Sequence

from hominis.config.corpus import DeduplicateSection
from hominis.store.types import Inputs, Part, Scratch, Summary


def parts(section: DeduplicateSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part: what is a copy can only be told from all documents."""
    return [Part("all")]


def work(section: DeduplicateSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``duplicates.parquet``: ``id`` of each document that goes, ``kept`` (the copy that stays) and ``kind``.

    The copy that stays is of the source that stands first, then has the least id.

    Returns:
        Summary: ``documents`` read, how many of them are ``exact`` and ``near`` duplicates, ``bands`` and ``rows``.
    """
    from hominis.corpus.duplicates import duplicates, ranked
    from hominis.corpus.lsh import best_bands
    from hominis.corpus.tables import TableWriter

    documents = ranked([artefact.path / "annotations.parquet" for artefact in inputs["annotate"]])
    permutations = documents["signature"].type.list_size
    bands, rows = section.bands, section.rows
    if bands is None or rows is None:
        bands, rows = best_bands(section.similarity, permutations, section.verify)
    found = duplicates(documents, bands, rows, section.similarity if section.verify else 0.0)
    with TableWriter(scratch.out / "duplicates.parquet", found.schema) as table:
        table.write(found)
    kinds = found["kind"].to_pylist()
    counts = {kind: kinds.count(kind) for kind in ("exact", "near")}
    return {"documents": documents.num_rows, **counts, "bands": bands, "rows": rows}
