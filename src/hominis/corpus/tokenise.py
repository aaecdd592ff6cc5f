"""The stage ``tokenise``: the selected text of a corpus as Megatron token shards, training and held-out apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from hominis.config.tokenise import TokeniseSection
from hominis.corpus.vocabulary import END_ID, HELDOUT, TRAIN, batches, limit_threads
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from tokenizers import Tokenizer

    from hominis.corpus.indexed import ShardWriter


def parts(section: TokeniseSection, inputs: Inputs) -> Sequence[Part]:
    """Return a part per corpus, which reads that corpus's part of ``select`` and the vocabulary."""
    sources: dict[str, list[str]] = {}
    for artefact in inputs["select"]:
        sources.setdefault(artefact.summary["corpus"], []).append(artefact.part)
    vocabulary = [artefact.part for artefact in inputs["vocabulary"]]
    return [
        Part(corpus, {"corpus": corpus}, {"select": sources[corpus], "vocabulary": vocabulary})
        for corpus in sorted(sources)
    ]


def work(section: TokeniseSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write ``train`` and ``heldout`` as ``.bin``/``.idx`` pairs and the held-out text as ``heldout.jsonl``.

    Returns:
        Summary: the corpus, ``vocab_size``, and per split its documents, tokens (ends of text counted) and UTF-8
        bytes of text.

    Raises:
        InputError: the corpus has no document to train on.
    """
    from hominis.corpus.indexed import ShardWriter

    limit_threads(section.threads)
    tokenizer = _tokenizer(inputs["vocabulary"][0].path / "tokenizer.json")
    size = tokenizer.get_vocab_size()
    heldout: list[tuple[str, str]] = []
    with ShardWriter(scratch.out / TRAIN, size) as train, ShardWriter(scratch.out / HELDOUT, size) as held:
        splits = {TRAIN: _Split(train, tokenizer), HELDOUT: _Split(held, tokenizer)}
        total = _documents(inputs["select"])
        for batch in batches(inputs["select"], ["id", "split", "text"], section.batch_documents):
            heldout += _add(batch, splits)
            scratch.progress(sum(split.writer.documents for split in splits.values()), total, "documents")
    if not train.documents:
        raise InputError(
            f"corpus {part.id!r} has no document to train on",
            where="stage select",
            remedy="loosen its selection policy, add sources, or take the corpus out of the configuration",
        )
    _write_text(scratch.out / "heldout.jsonl", heldout)
    return {"corpus": part.id, "vocab_size": size} | {name: split.counts() for name, split in splits.items()}


class _Split:
    """One split's shard and its counts."""

    def __init__(self, writer: ShardWriter, tokenizer: Tokenizer) -> None:
        self.writer, self._tokenizer = writer, tokenizer
        self._bytes = 0

    def add(self, texts: Sequence[str]) -> None:
        encodings = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        self.writer.add([[*encoding.ids, END_ID] for encoding in encodings])
        self._bytes += sum(len(text.encode()) for text in texts)

    def counts(self) -> dict[str, int]:
        return {"documents": self.writer.documents, "tokens": self.writer.tokens, "bytes": self._bytes}


def _tokenizer(path: Path) -> Tokenizer:
    """Load the vocabulary such that ``<|endoftext|>`` inside a document is text, not the end of one."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _add(batch: pa.RecordBatch, splits: dict[str, _Split]) -> list[tuple[str, str]]:
    """Encode a batch's documents into their splits; return the held-out ones as (id, text)."""
    names, texts = batch.column("split").to_pylist(), batch.column("text").to_pylist()
    for name, split in splits.items():
        split.add([text for text, its in zip(texts, names, strict=True) if its == name])
    ids = batch.column("id").to_pylist()
    return [(id_, text) for id_, text, its in zip(ids, texts, names, strict=True) if its == HELDOUT]


def _documents(artefacts: Sequence[Artefact]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(artefact.path / "documents.parquet").num_rows for artefact in artefacts)


def _write_text(path: Path, documents: list[tuple[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for id_, text in sorted(documents):
            file.write(json.dumps({"id": id_, "text": text}, ensure_ascii=False) + "\n")
