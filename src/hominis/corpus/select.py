"""Stage ``select``: the documents that duplicates and policies leave, with their text, and which are held out."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from hominis.config.corpus import SelectSection
from hominis.config.policy import CONTAMINATED
from hominis.store.cores import cores
from hominis.store.types import Inputs, Part, Scratch, Summary

if TYPE_CHECKING:
    import polars as pl

    from hominis.corpus.clean import Written
    from hominis.corpus.contamination import Item


def preload() -> None:
    """Load what reading and cleaning need."""
    import hominis.corpus.choice
    import hominis.corpus.readers.documents  # noqa: F401
    from hominis.corpus import clean

    clean.preload()


def parts(section: SelectSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per source. It reads the annotations of its whole corpus, whose held-out documents it must know.

    Raises:
        ConfigError: a source has no policy, nor has its corpus.
    """
    corpora: dict[str, list[str]] = {}
    for artefact in inputs["annotate"]:
        corpora.setdefault(artefact.receipt.params["corpus"], []).append(artefact.part)
        section.policy_of(artefact.part, artefact.receipt.params["corpus"])
    asking = [artefact.part for artefact in inputs.get("questions", ()) if artefact.summary["items"]]
    return [
        Part(name, {"corpus": corpus}, {"fetch": [name], "annotate": names, "questions": asking})
        for corpus, names in corpora.items()
        for name in names
    ]


def work(section: SelectSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``documents.parquet`` in file order: who a document is (see ``kept``), its ``text`` and ``split``.

    Beside it, ``contaminated.parquet``: the documents that left since they hold an evaluation item (``id``, ``task``,
    ``item``, the ``words`` that both have); ``pii.parquet``: what was replaced (``id``, ``kind``, ``start``, ``end``).

    Returns:
        Summary: ``source``, ``corpus``, what was ``read`` and ``kept``; the ``funnel``: per rule the documents and
        bytes that it removed, a document counting under the first rule that removes it; ``contamination``: per task
        its ``items``, those ``undecidable`` and the ``documents`` that hold one; ``pii``: spans by kind; and what
        ``card`` says of the documents.

    Raises:
        InputError: the raw file cannot be read, or isn't the one that was annotated.
    """
    import polars as pl

    from hominis.corpus.choice import chosen, figures, having, others_held, without
    from hominis.corpus.clean import LEFT
    from hominis.corpus.contamination import Contamination
    from hominis.corpus.policy import rule_names
    from hominis.corpus.tables import TableWriter

    corpus = part.params["corpus"]
    policies = {artefact.part: section.policy_of(artefact.part, corpus) for artefact in inputs["annotate"]}
    annotations = {artefact.part: artefact.path / "annotations.parquet" for artefact in inputs["annotate"]}
    (duplicates,) = inputs["deduplicate"]
    own = chosen(part.id, annotations, duplicates.path / "duplicates.parquet", policies, section)
    items = _items(inputs)
    read = partial(_written, section, inputs, annotations[part.id], items=items, scratch=scratch)
    written = first = read(own)
    decided = own
    if first.contaminated.num_rows:
        decided = without(own, having(annotations[part.id], pl.Series(first.contaminated["id"])), section)
    if others_held(decided, own):
        written = read(decided)
    with TableWriter(scratch.out / "contaminated.parquet", LEFT) as table:
        table.write(first.contaminated)
    rules = [*rule_names(policies[part.id]), *([CONTAMINATED] if items else [])]
    return {
        "source": part.id,
        "corpus": corpus,
        **figures(decided, rules),
        "contamination": Contamination(items).told(first.contaminated["task"].to_pylist()),
        "pii": written.spans,
        **written.card.summary(),
    }


def _items(inputs: Inputs) -> list[Item]:
    """Return what evaluation asks."""
    lines = [line for artefact in inputs.get("questions", ()) for line in _lines(artefact.path / "items.jsonl")]
    return [(item["task"], item["item"], item["text"]) for item in map(json.loads, lines)]


def _lines(path: Path) -> list[str]:
    with path.open(encoding="utf-8", newline="\n") as lines:
        return list(lines)


def _written(
    section: SelectSection,
    inputs: Inputs,
    annotations: Path,
    decided: pl.DataFrame,
    *,
    items: Sequence[Item],
    scratch: Scratch,
) -> Written:
    """Read the documents that stay again, clean them and write them."""
    from hominis.corpus.clean import write
    from hominis.corpus.kept import kept_batches
    from hominis.corpus.readers.documents import Documents

    (raw,) = inputs["fetch"]
    documents = Documents.of(raw, inputs["annotate"][0].receipt.section["max_document_bytes"])
    total, done = decided["removed_by"].null_count(), 0

    def seen(number: int) -> None:
        nonlocal done
        done += number
        scratch.progress(done, total, "documents")

    batches = kept_batches(documents, annotations, decided)
    return write(batches, scratch.out, items, section.pii, section.workers or cores(), seen)
