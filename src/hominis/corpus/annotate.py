"""Stage ``annotate``: measure every document of a raw file once; policies choose among the measures later."""

from __future__ import annotations

from collections.abc import Sequence

from hominis.config.corpus import AnnotateSection
from hominis.store.types import Inputs, Part, Scratch, Summary

_ROW = ("corpus", "licence", "file", "format", "include", "revision", "text_field")
"""What of a source's row tells how to read its file and what its documents are."""


def parts(section: AnnotateSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source, with what of the source's row tells how to read it."""
    return [
        Part(
            artefact.part,
            {name: value for name, value in artefact.receipt.params.items() if name in _ROW},
            {"fetch": [artefact.part]},
        )
        for artefact in inputs["fetch"]
    ]


def work(section: AnnotateSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``annotations.parquet``, a row per document: who it is, its language, signals, hash and signature.

    What was rejected is sampled in ``rejects.jsonl.gz``.

    Returns:
        Summary: ``documents``, ``bytes`` (of text, UTF-8) and ``skipped`` (records by reason).

    Raises:
        InputError: the raw file is damaged, more of its records are than the section allows, or no document in it can be read.
    """
    from hominis.corpus.annotations import annotated, schema
    from hominis.corpus.readers.documents import Documents
    from hominis.corpus.tables import TableWriter

    (raw,) = inputs["fetch"]
    documents = Documents.of(raw, section.max_document_bytes)
    labels = {"source": part.id, "corpus": part.params["corpus"]}
    count = size = 0
    with TableWriter(scratch.out / "annotations.parquet", schema(section.permutations)) as table:
        for batch in documents:
            rows = annotated(batch, labels, section)
            table.write(rows)
            count += rows.num_rows
            size += sum(rows["bytes"].to_pylist())
            scratch.progress(size, size, "bytes", documents=count)
    documents.rejects.check(count, section.max_rejects, documents.path)
    documents.rejects.write(scratch.out / "rejects.jsonl.gz")
    return {"documents": count, "bytes": size, "skipped": dict(sorted(documents.rejects.counts.items()))}
