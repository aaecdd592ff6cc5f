"""The stage ``tokenise``: the selected text of a corpus as Megatron token shards, training and held-out apart."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from hominis.config.tokenise import TokeniseSection, VocabularySection
from hominis.corpus.encode import Encoder, Tokens
from hominis.corpus.pipeline import paired, processes
from hominis.corpus.vocabulary import HELDOUT, TRAIN, batches
from hominis.errors import InputError
from hominis.store.cores import cores
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa
    from tokenizers import Tokenizer

    from hominis.corpus.indexed import ShardWriter


LEAST_DOCUMENTS = 500
"""Documents for which another process is worth its start."""


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

    vocabulary = inputs["vocabulary"][0].path / "tokenizer.json"
    tokenizer = load(vocabulary)
    size, end = tokenizer.get_vocab_size(), _end_of_text(tokenizer, inputs["vocabulary"][0])
    heldout: list[tuple[str, str]] = []
    with ShardWriter(scratch.out / TRAIN, size) as train, ShardWriter(scratch.out / HELDOUT, size) as held:
        splits = {TRAIN: _Split(train), HELDOUT: _Split(held)}
        total = _documents(inputs["select"])
        read = batches(inputs["select"], ["id", "split", "text"], section.batch_documents)
        workers = min(section.workers or cores(), total // LEAST_DOCUMENTS)
        if workers < 2:
            prepare(vocabulary, end)
        pools = partial(processes, prepare=partial(prepare, vocabulary, end))
        for batch, tokens in paired(read, encode, workers, pools):
            heldout += _add(batch, tokens, splits)
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

    def __init__(self, writer: ShardWriter) -> None:
        self.writer = writer
        self._bytes = 0

    def add(self, texts: Sequence[str], tokens: Sequence[Tokens]) -> None:
        self.writer.add(tokens)
        self._bytes += sum(len(text.encode()) for text in texts)

    def counts(self) -> dict[str, int]:
        return {"documents": self.writer.documents, "tokens": self.writer.tokens, "bytes": self._bytes}


_ENCODER: list[tuple[Encoder, int]] = []
"""The encoder of this process, which remembers for the next batch, and the token that ends a text."""


def prepare(vocabulary: Path, end: int) -> None:
    """Load the vocabulary into this process; every text is to end with ``end``."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    _ENCODER[:] = [(Encoder(load(vocabulary)), end)]


def encode(batch: pa.RecordBatch) -> list[Tokens]:
    """Return the tokens of each document's text with the end of text."""
    encoder, end = _ENCODER[0]
    return encoder.encode(batch.column("text").to_pylist(), end)


def _end_of_text(tokenizer: Tokenizer, vocabulary: Artefact) -> int:
    """Return the token; the stage ``vocabulary`` has seen to it that there is one."""
    end = tokenizer.token_to_id(VocabularySection.model_validate(vocabulary.receipt.section).end_of_text)
    assert end is not None
    return end


def load(vocabulary: Path) -> Tokenizer:
    """Load the vocabulary such that ``<|endoftext|>`` inside a document is text, not the end of one."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.encode_special_tokens = True
    return tokenizer


def _add(batch: pa.RecordBatch, tokens: Sequence[Tokens], splits: dict[str, _Split]) -> list[tuple[str, str]]:
    """Write a batch's documents into their splits; return the held-out ones as (id, text)."""
    ids, names, texts = (batch.column(name).to_pylist() for name in ("id", "split", "text"))
    for name, split in splits.items():
        its = [i for i, found in enumerate(names) if found == name]
        split.add([texts[i] for i in its], [tokens[i] for i in its])
    return [(ids[i], texts[i]) for i, name in enumerate(names) if name == HELDOUT]


def _documents(artefacts: Sequence[Artefact]) -> int:
    import pyarrow.parquet as pq

    return sum(pq.read_metadata(artefact.path / "documents.parquet").num_rows for artefact in artefacts)


def _write_text(path: Path, documents: list[tuple[str, str]]) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for id_, text in sorted(documents):
            file.write(json.dumps({"id": id_, "text": text}, ensure_ascii=False) + "\n")
