"""Tokenising and writing shards beside Megatron's own way of preprocessing, on the same cores, in one run.

    python -m benchmarks.tokenise [--megabytes 40] [--workers 2] [--times 3]

Megatron's script (not in its wheel) reads JSON lines, hands each to a pool of processes, tokenises it there with a
Hugging Face tokenizer, and adds each document to an IndexedDatasetBuilder in the parent. The same is done here, with
the same tokenizer on the same text: Python's own and its packages' sources. The two pairs of files must be equal.
"""

import argparse
import json
import multiprocessing
import os
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from hominis.config.tokenise import TokeniseSection, VocabularySection
from hominis.corpus import tokenise, vocabulary
from hominis.store.types import Artefact, Part, Receipt
from hominis.store.work import Work

END = "<|endoftext|>"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=int, default=40)
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    parser.add_argument("--times", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        texts = sources(given.megabytes * 10**6)
        selected, words = prepared(root, texts)
        lines = root / "documents.jsonl"
        lines.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        theirs, ours = [], []
        for turn in range(given.times):
            theirs.append(seconds(lambda at: pool(lines, words.path, at, given.workers), root / f"theirs{turn}"))
            ours.append(seconds(lambda at: stage(selected, words, at, given.workers), root / f"ours{turn}"))
        for end in ("bin", "idx"):
            mine = next((root / "ours0").rglob(f"train.{end}")).read_bytes()
            assert mine == (root / "theirs0" / f"train.{end}").read_bytes(), f"the .{end} files differ"
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"{len(texts)} documents, {size:.0f} MB, {given.workers} cores; the files are equal")
    for title, taken in (("Megatron's way", theirs), ("hominis tokenise", ours)):
        print(f"{title:17} {median(taken):6.1f} s  {size / median(taken):5.1f} MB/s")
    ratios = sorted(peer / mine for peer, mine in zip(theirs, ours, strict=True))
    print(f"ratio {median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}); limit 2")


def seconds(work: Callable[[Path], None], folder: Path) -> float:
    """Return how long ``work`` takes in a new folder."""
    folder.mkdir()
    begun = time.perf_counter()
    work(folder)
    return time.perf_counter() - begun


def sources(wanted: int) -> list[str]:
    """Return the texts of installed Python files, ``wanted`` bytes of them or all."""
    texts, size = [], 0
    for place in ("stdlib", "purelib"):
        for path in sorted(Path(sysconfig.get_path(place)).rglob("*.py")):
            text = path.read_text(encoding="utf-8", errors="ignore")
            if size < wanted and text:
                texts.append(text)
                size += len(text.encode())
    return texts


def prepared(root: Path, texts: list[str]) -> tuple[Artefact, Artefact]:
    """Return the texts as ``select`` publishes them, and a vocabulary trained on them."""
    folder = root / "select"
    folder.mkdir()
    count = len(texts)
    table = {"id": [f"{i:08}" for i in range(count)], "split": ["train"] * count, "text": texts}
    pq.write_table(pa.table(table), folder / "documents.parquet")
    selected = artefact(folder, "select", {"corpus": "code"})
    work = Work(root / "vocabulary", root / "records")
    vocabulary.work(VocabularySection(vocab_size=8192, max_bytes=8_000_000), {"select": [selected]}, Part("all"), work)
    return selected, artefact(work.out, "vocabulary", {})


def artefact(path: Path, stage: str, summary: dict[str, Any]) -> Artefact:
    """Return a folder as the artefact of a stage."""
    return Artefact(path, Receipt(stage, 1, "key", "all", {}, {}, {}, {}, summary))


def stage(selected: Artefact, words: Artefact, folder: Path, workers: int) -> None:
    """Run the stage as a job does."""
    part = Part("code", {"corpus": "code"})
    inputs = {"select": [selected], "vocabulary": [words]}
    tokenise.work(TokeniseSection(workers=workers), inputs, part, Work(folder, folder / "records"))


_TOKENIZER: Any = None


def prepare(words: str) -> None:
    """Load the tokenizer in a worker of the pool."""
    global _TOKENIZER  # noqa: PLW0603
    from transformers import PreTrainedTokenizerFast

    _TOKENIZER = PreTrainedTokenizerFast(tokenizer_file=words, clean_up_tokenization_spaces=False)
    _TOKENIZER.backend_tokenizer.encode_special_tokens = True


def encode(line: str) -> list[int]:
    """Return a document's tokens, with the end of text."""
    ids: list[int] = _TOKENIZER(json.loads(line)["text"], add_special_tokens=False)["input_ids"]
    return [*ids, _TOKENIZER.convert_tokens_to_ids(END)]


def pool(lines: Path, words: Path, folder: Path, workers: int) -> None:
    """Preprocess as Megatron does."""
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    builder = IndexedDatasetBuilder(str(folder / "train.bin"), dtype=np.uint16)
    with (
        multiprocessing.get_context("spawn").Pool(workers, prepare, [str(words / "tokenizer.json")]) as processes,
        lines.open() as stream,
    ):
        for ids in processes.imap(encode, stream, 32):
            builder.add_document(ids, [len(ids)])
    builder.finalize(str(folder / "train.idx"))


if __name__ == "__main__":
    main()
