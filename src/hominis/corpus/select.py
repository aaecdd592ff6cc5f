"""Stage ``select``: the documents that duplicates and policies leave, with their text, and which are held out."""

from __future__ import annotations

from collections.abc import Sequence

from hominis.config.corpus import SelectSection
from hominis.errors import InputError
from hominis.store.types import Inputs, Part, Scratch, Summary


def parts(section: SelectSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source. It reads the annotations of its whole corpus, whose held-out documents it must know.

    Raises:
        ConfigError: a source has no policy, nor has its corpus.
    """
    corpora: dict[str, list[str]] = {}
    for artefact in inputs["annotate"]:
        corpora.setdefault(artefact.receipt.params["corpus"], []).append(artefact.part)
        section.policy_of(artefact.part, artefact.receipt.params["corpus"])
    return [
        Part(name, {"corpus": corpus}, {"fetch": [name], "annotate": names})
        for corpus, names in corpora.items()
        for name in names
    ]


def work(section: SelectSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``documents.parquet`` in file order: who a document is (see ``choice``), its ``text`` and ``split``.

    Returns:
        Summary: ``source``, ``corpus``, what was ``read`` and ``kept``, and the ``funnel``: per rule the documents and
        bytes that it removed, a document counting under the first rule that removes it.

    Raises:
        InputError: the raw file cannot be read.
    """
    from hominis.corpus.choice import chosen, figures, kept_batches, schema
    from hominis.corpus.tables import TableWriter

    corpus = part.params["corpus"]
    policies = {artefact.part: section.policy_of(artefact.part, corpus) for artefact in inputs["annotate"]}
    annotations = [artefact.path / "annotations.parquet" for artefact in inputs["annotate"]]
    (duplicates,) = inputs["deduplicate"]
    decided = chosen(annotations, duplicates.path / "duplicates.parquet", policies, section)
    own = decided.filter(source=part.id)
    (raw,) = inputs["fetch"]
    done = 0
    with TableWriter(scratch.out / "documents.parquet", schema()) as table:
        for rows in kept_batches(raw, own, inputs["annotate"][0].receipt.section["max_document_bytes"]):
            table.write(rows)
            done += rows.num_rows
            scratch.progress(done, len(own), "documents")
    summary = {"source": part.id, "corpus": corpus, **figures(own, policies[part.id])}
    if done != summary["kept"]["documents"]:
        raise InputError(
            f"source {part.id!r} gives {done} of the {summary['kept']['documents']} documents that were chosen",
            where=raw.path,
            remedy="annotate it again: its annotations are of another reading",
        )
    return summary
