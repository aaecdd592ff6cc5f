"""The stage ``vocabulary``: a byte-level BPE learnt from the training text, or one that is given.

BPE as in Sennrich et al. 2016 (arXiv:1508.07909), over bytes as in Radford et al. 2019 (GPT-2), by the library
``tokenizers``. Every byte is in the alphabet, so that any text can be encoded and decoded without loss.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from hominis.config.tokenise import VocabularySection
from hominis.corpus import given
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary

if TYPE_CHECKING:
    import pyarrow as pa
    from tokenizers import Tokenizer

TRAIN, HELDOUT = "train", "heldout"

_FILE = "vocabulary.file"


def parts(section: VocabularySection, inputs: Inputs) -> Sequence[Part]:
    """Return the only part: one vocabulary for all corpora. One that is given reads none of them."""
    if section.file is None:
        return [Part("all")]
    return [Part("all", {"sha256": given.hash_of(section.file, _FILE)}, {"select": []})]


def work(section: VocabularySection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Learn ``tokenizer.json``, or take it.

    Returns:
        Summary: ``vocab_size`` (smaller than asked where the text has too few pairs) and, per corpus and in all,
        the documents and UTF-8 bytes learnt from.

    Raises:
        InputError: no document has the split ``train``; the file to take isn't what the settings say.
    """
    limit_threads(section.threads)
    if section.file is not None:
        return _take(section, section.file, part, scratch)
    available = _bytes_by_corpus(inputs["select"], section.batch_documents)
    if not available:
        raise InputError(
            "no training text to learn a vocabulary from",
            where="stage select",
            remedy="loosen the selection policy or add sources",
        )
    fractions = _fractions(available, section.max_bytes)
    sample = _Sample(inputs["select"], fractions, section.batch_documents)
    total = float(sum(available[corpus] * share for corpus, share in fractions.items()))
    tokenizer = _train(section, _reported(sample, total, scratch))
    tokenizer.save(str(scratch.out / "tokenizer.json"), pretty=True)
    return {
        "vocab_size": tokenizer.get_vocab_size(),
        "documents": sum(sample.documents.values()),
        "bytes": sum(sample.bytes.values()),
        "corpora": {c: {"documents": sample.documents[c], "bytes": sample.bytes[c]} for c in sorted(available)},
    }


def _take(section: VocabularySection, file: Path, part: Part, scratch: Scratch) -> Summary:
    from tokenizers import Tokenizer

    shutil.copyfile(file, scratch.out / "tokenizer.json")
    given.check(scratch.out / "tokenizer.json", part.params["sha256"], _FILE)
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:  # the library knows no narrower one
        raise InputError(
            f"it is no tokenizer: {error}", where=file, remedy="give the tokenizer.json of a model"
        ) from None
    size = tokenizer.get_vocab_size()
    if size != section.vocab_size:
        problem = f"the vocabulary has {size} entries, vocabulary.vocab_size is {section.vocab_size}"
        raise InputError(problem, where=file, remedy=f"set vocabulary.vocab_size to {size}")
    if tokenizer.token_to_id(section.end_of_text) is None:
        remedy = "set vocabulary.end_of_text to its token for that; eos_token of tokenizer_config.json names it"
        raise InputError(f"the vocabulary has no token {section.end_of_text}", where=file, remedy=remedy)
    scratch.progress(1, 1, "files")
    return {"vocab_size": size, "documents": 0, "bytes": 0, "corpora": {}}


def limit_threads(threads: int) -> None:
    """Bound the threads of ``tokenizers`` in this process; it must not have worked yet. 0 leaves one per core."""
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
    if threads:
        os.environ["RAYON_NUM_THREADS"] = str(threads)


def batches(artefacts: Iterable[Artefact], columns: Sequence[str], rows: int) -> Iterator[pa.RecordBatch]:
    """Stream columns of the selected documents, source by source, in the order in which they were written."""
    import pyarrow.parquet as pq

    for artefact in artefacts:
        with pq.ParquetFile(artefact.path / "documents.parquet", pre_buffer=False) as file:
            yield from file.iter_batches(batch_size=rows, columns=list(columns))


def train_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows whose split is ``train``."""
    import pyarrow.compute as pc

    return batch.filter(pc.equal(batch.column("split"), TRAIN))


def _bytes_by_corpus(artefacts: Sequence[Artefact], rows: int) -> dict[str, int]:
    import pyarrow.compute as pc

    found: dict[str, int] = {}
    for artefact in artefacts:
        for batch in batches([artefact], ["split", "text"], rows):
            size = pc.sum(pc.binary_length(train_rows(batch).column("text"))).as_py() or 0
            corpus = artefact.summary["corpus"]
            found[corpus] = found.get(corpus, 0) + size
    return {corpus: size for corpus, size in found.items() if size}


def _fractions(available: Mapping[str, int], budget: int) -> dict[str, Fraction]:
    """Return the fraction of each corpus to learn from: equal shares, what a small one leaves goes to the larger."""
    fractions: dict[str, Fraction] = {}
    left = Fraction(budget)
    for done, (corpus, size) in enumerate(sorted(available.items(), key=lambda item: (item[1], item[0]))):
        share = min(Fraction(size), left / (len(available) - done))
        fractions[corpus] = share / size
        left -= share
    return fractions


class _Sample:
    """The texts to learn from: documents whose id hashes below their corpus's fraction. Counts while it is read."""

    def __init__(self, artefacts: Sequence[Artefact], fractions: Mapping[str, Fraction], rows: int) -> None:
        self._artefacts, self._fractions, self._rows = artefacts, fractions, rows
        self.documents = dict.fromkeys(fractions, 0)
        self.bytes = dict.fromkeys(fractions, 0)

    def __iter__(self) -> Iterator[list[str]]:
        for artefact in self._artefacts:
            corpus = artefact.summary["corpus"]
            for batch in batches([artefact], ["id", "split", "text"], self._rows):
                yield self._counted(corpus, train_rows(batch))

    def _counted(self, corpus: str, rows: pa.RecordBatch) -> list[str]:
        bound = self._fractions.get(corpus, Fraction(0)) * 2**64
        ids: list[str] = rows.column("id").to_pylist()
        texts: list[str] = rows.column("text").to_pylist()
        if bound < 2**64:
            texts = [text for id_, text in zip(ids, texts, strict=True) if _hash(id_) < bound]
        if texts:
            self.documents[corpus] += len(texts)
            self.bytes[corpus] += sum(len(text.encode()) for text in texts)
        return texts


def _hash(id_: str) -> int:
    return int.from_bytes(hashlib.blake2b(id_.encode(), digest_size=8).digest(), "little")


def _reported(sample: _Sample, total: float, scratch: Scratch) -> Iterator[list[str]]:
    for texts in sample:
        yield texts
        scratch.progress(sum(sample.bytes.values()), total, "bytes")


def _train(section: VocabularySection, texts: Iterator[list[str]]) -> Tokenizer:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=section.vocab_size,
        min_frequency=section.min_frequency,
        special_tokens=[section.end_of_text],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
