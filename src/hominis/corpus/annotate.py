"""Stage ``annotate``: measure every document of a raw file once; policies choose among the measures later."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from hominis.config.corpus import AnnotateSection
from hominis.corpus import given
from hominis.corpus.pipeline import paired
from hominis.store.cores import cores
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

_ROW = ("corpus", "licence", "file", "format", "include", "licences", "revision", "text_field")
"""What of a source's row tells how to read its file and what its documents are."""


_DOMAINS = "annotate.domains"


def preload() -> None:
    """Load what measuring needs."""
    import hominis.corpus.domains
    import hominis.corpus.published
    import hominis.corpus.readers.documents
    import hominis.corpus.tables  # noqa: F401
    from hominis.corpus import annotations

    annotations.preload()


def parts(section: AnnotateSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source of documents, which reads the sources ``of`` it, too.

    Raises:
        InputError: the map of domains cannot be read.
    """
    domains = {"domains": given.hash_of(section.domains, _DOMAINS)} if section.domains else {}
    return [
        Part(
            artefact.part,
            {name: artefact.receipt.params[name] for name in _ROW} | domains,
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
        Summary: ``documents``, ``bytes`` (of text, UTF-8), ``skipped`` (records by reason), ``noted`` (documents by
        what was done about them) and ``unused`` (what is published about documents and isn't used, by reason).

    Raises:
        InputError: the raw file is damaged, or more of its records are than the section allows, or no document in it
            can be read; or the map of domains changed since the stage was asked for.
    """
    import pyarrow.compute as pc

    from hominis.corpus.annotations import annotated, schema
    from hominis.corpus.domains import Domains, read_domains
    from hominis.corpus.published import Published
    from hominis.corpus.readers.documents import Documents
    from hominis.corpus.tables import TableWriter

    (raw,) = (artefact for artefact in inputs["fetch"] if not _of(artefact))
    about = [artefact.path / artefact.receipt.params["file"] for artefact in inputs["fetch"] if _of(artefact)]
    documents = Documents.of(raw, section.max_document_bytes)
    published = Published(about, signatures=section.signature == "redpajama")
    if section.domains:
        given.check(section.domains, part.params["domains"], _DOMAINS)
    domains = Domains(read_domains(section.domains) if section.domains else {})
    measure = partial(annotated, labels={"source": part.id, "corpus": part.params["corpus"]}, section=section)
    count = size = 0
    with TableWriter(scratch.out / "annotations.parquet", schema(section)) as table:
        for batch, measured in paired(map(published.with_signatures, documents), measure, section.workers or cores()):
            rows = published.joined(domains.joined(measured), batch)
            table.write(rows)
            count += rows.num_rows
            size += pc.sum(rows["bytes"]).as_py()
            scratch.progress(size, size, "bytes", documents=count)
    summary = {"documents": count, "bytes": size, "skipped": documents.rejects.summary()}
    summary |= {"noted": dict(sorted(documents.rejects.notes.items()))}
    rejects = documents.rejects.with_those(published.rejects)
    rejects.check(count, section.max_rejects, documents.path)
    rejects.write(scratch.out / "rejects.jsonl.gz")
    if lost := rejects.counts["truncated"]:
        scratch.warn(f"{lost} of its files ends before its end; {count} documents are read")
    return {**summary, "unused": published.rejects.summary()}
