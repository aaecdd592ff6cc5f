"""The stage ``ngram``: bits per byte of byte n-gram models, the floor that a language model has to beat."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from hominis.config.evaluate import NgramSection
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

if TYPE_CHECKING:
    from hominis.evaluate.markov import Markov

DIGITS = 6
"""Places kept: the last bits of a logarithm differ from one processor to the next."""


def parts(section: NgramSection, inputs: Inputs) -> Sequence[Part]:
    """Return the only part: one model, learnt from all corpora."""
    return [Part("all")]


def work(section: NgramSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Count the training text of all corpora, measure their held-out text, write ``ngram.json``.

    Returns:
        Summary: per corpus and over all, bits per byte by ``order1`` (one byte of context) to ``order3`` and the
        ``bytes`` measured; and ``train_bytes``. A corpus without held-out text is left out.

    Raises:
        InputError: there is no training text or no held-out text.
    """
    model, train_bytes = _counted(section, inputs, scratch)
    spent = {artefact.summary["corpus"]: _measured(model, artefact) for artefact in inputs["tokenise"]}
    spent = {corpus: figures for corpus, figures in sorted(spent.items()) if figures[0]}
    if not spent or not train_bytes:
        raise InputError(
            f"n-grams need training text ({train_bytes} bytes) and held-out text ({len(spent)} corpora have some)",
            where="stages select and tokenise",
            remedy="add sources or hold more documents out",
        )
    together = [sum(column) for column in zip(*spent.values(), strict=True)]
    corpora = {corpus: _per_byte(figures) for corpus, figures in spent.items()}
    summary = {"corpora": corpora, "all": _per_byte(together), "train_bytes": train_bytes}
    (scratch.out / "ngram.json").write_text(json.dumps(summary, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return summary


def _counted(section: NgramSection, inputs: Inputs, scratch: Scratch) -> tuple[Markov, int]:
    from hominis.evaluate.markov import Counter

    counter, counted = Counter(), 0
    total = sum(artefact.summary["train"]["bytes"] for artefact in inputs["tokenise"])
    for documents in _chunks(inputs["select"], section.batch_bytes):
        counter.add(documents)
        counted += sum(map(len, documents))
        scratch.progress(counted, total, "bytes")
    return counter.model(), counted


def _chunks(artefacts: Sequence[Artefact], size: int) -> Iterator[list[bytes]]:
    """Yield the training documents of all sources in lists of at least ``size`` bytes, the last one excepted."""
    chunk: list[bytes] = []
    held = 0
    for documents in _train(artefacts):
        chunk += documents
        held += sum(map(len, documents))
        if held >= size:
            yield chunk
            chunk, held = [], 0
    if chunk:
        yield chunk


def _train(artefacts: Sequence[Artefact]) -> Iterator[list[bytes]]:
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for artefact in artefacts:
        with pq.ParquetFile(artefact.path / "documents.parquet", pre_buffer=False) as file:
            for batch in file.iter_batches(batch_size=256, columns=["split", "text"]):
                rows = batch.filter(pc.equal(batch.column("split"), "train"))
                yield rows.column("text").cast(pa.binary()).to_pylist()


def _measured(model: Markov, artefact: Artefact) -> list[float]:
    """Return the bytes of a corpus's held-out documents and the bits that each order spends on them."""
    with (artefact.path / "heldout.jsonl").open(encoding="utf-8", newline="\n") as lines:
        documents = [json.loads(line)["text"].encode() for line in lines]
    size = sum(map(len, documents))
    return [size, *model.bits(documents)] if size else [0]


def _per_byte(figures: Sequence[float]) -> dict[str, float]:
    size, *bits = figures
    orders = {f"order{order}": round(spent / size, DIGITS) for order, spent in enumerate(bits, 1)}
    return orders | {"bytes": int(size)}
