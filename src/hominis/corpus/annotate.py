"""Stage ``annotate``: measure every document of a raw file once; policies choose among the measures later."""

from __future__ import annotations

from collections.abc import Sequence

from hominis.config.corpus import AnnotateSection
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

_ROW = ("corpus", "licence", "file", "format", "include", "revision", "text_field")
"""What of a source's row tells how to read its file and what its documents are."""


def parts(section: AnnotateSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source of documents, which reads the sources ``of`` it, too."""
    return [
        Part(
            artefact.part,
            {name: artefact.receipt.params[name] for name in _ROW},
            {"fetch": [artefact.part, *(other.part for other in inputs["fetch"] if _of(other) == artefact.part)]},
        )
        for artefact in inputs["fetch"]
        if not _of(artefact)
    ]


def _of(artefact: Artefact) -> str:
    return str(artefact.receipt.params["of"])


def work(section: AnnotateSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``annotations.parquet``, a row per document: who it is, its language, signals, hash and signature.

    What was rejected is sampled in ``rejects.jsonl.gz``.

    Returns:
        Summary: ``documents``, ``bytes`` (of text, UTF-8), ``skipped`` (records by reason) and ``unused`` (what is
        published about documents and isn't used, by reason).

    Raises:
        InputError: the raw file is damaged, or more of its records are than the section allows, or no document in it
            can be read.
    """
    from hominis.corpus.annotations import annotated, schema
    from hominis.corpus.published import Published
    from hominis.corpus.readers.documents import Documents
    from hominis.corpus.tables import TableWriter

    (raw,) = (artefact for artefact in inputs["fetch"] if not _of(artefact))
    about = [artefact.path / artefact.receipt.params["file"] for artefact in inputs["fetch"] if _of(artefact)]
    documents = Documents.of(raw, section.max_document_bytes)
    published = Published(about)
    labels = {"source": part.id, "corpus": part.params["corpus"]}
    count = size = 0
    with TableWriter(scratch.out / "annotations.parquet", schema(section)) as table:
        for batch in documents:
            rows = published.joined(annotated(batch, labels, section), batch)
            table.write(rows)
            count += rows.num_rows
            size += sum(rows["bytes"].to_pylist())
            scratch.progress(size, size, "bytes", documents=count)
    summary = {"documents": count, "bytes": size, "skipped": documents.rejects.summary()}
    rejects = documents.rejects.with_those(published.rejects)
    rejects.check(count, section.max_rejects, documents.path)
    rejects.write(scratch.out / "rejects.jsonl.gz")
    if lost := rejects.counts["truncated"]:
        scratch.warn(f"source {part.id}: {lost} of its files ends before its end, {count} documents could be read")
    return {**summary, "unused": published.rejects.summary()}
