"""A small real corpus, tokenised in the format that ``tokenise`` publishes, and a folder to train in."""

from __future__ import annotations

import json
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from hominis.config.train import PretrainSection
from hominis.store import receipts
from hominis.store.types import Artefact, Inputs, Part, Receipt, Summary
from hominis.train import pretrain
from hominis.train.tokenizer import END_OF_DOCUMENT

VOCABULARY = 300
SIZES = {"web": ("argparse.py", "ast.py", "calendar.py"), "code": ("tarfile.py", "zipfile.py", "cgi.py")}


def artefact(
    path: Path, stage: str, part: str, summary: Summary | None = None, vocabulary: Artefact | None = None
) -> Artefact:
    inputs = {"vocabulary": [receipts.digest(vocabulary.receipt)]} if vocabulary else {}
    return Artefact(path, Receipt(stage, 1, "key", part, {}, {}, inputs, {}, summary or {}))


@dataclass
class Folder:
    """A scratch in a plain folder, its meter one watt.

    ``on_progress`` sees each report and may ask to stop by returning true.
    """

    root: Path
    on_progress: Callable[[int], bool | None] = lambda done: None
    reports: list[tuple[float, dict[str, float]]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopping: bool = False
    begun: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.out.mkdir(parents=True)
        self.checkpoints.mkdir(exist_ok=True)
        self.records.mkdir(exist_ok=True)

    @property
    def out(self) -> Path:
        return self.root / "out"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def records(self) -> Path:
        return self.root / "records"

    def reading(self) -> dict[str, float | str]:
        return {"energy_kwh": (time.monotonic() - self.begun) / 3.6e6}

    def progress(self, done: float, total: float, unit: str, **figures: float) -> None:
        self.reports.append((done, figures))
        self.stopping |= bool(self.on_progress(int(done)))

    def warn(self, words: str) -> None:
        self.warnings.append(words)


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Two corpora of Python's own sources with a byte-level vocabulary trained on them."""
    root = tmp_path_factory.mktemp("tokens")
    texts = {corpus: [_read(name) for name in names] for corpus, names in SIZES.items()}
    tokenizer = _tokenizer([text for found in texts.values() for text in found])
    (root / "vocabulary").mkdir()
    tokenizer.save(str(root / "vocabulary" / "tokenizer.json"))
    vocabulary = artefact(root / "vocabulary", "vocabulary", "all", {"vocab_size": VOCABULARY})
    corpora = [_tokenise(root / corpus, corpus, tokenizer, found, vocabulary) for corpus, found in texts.items()]
    return {"tokenise": corpora, "vocabulary": [vocabulary]}


def _read(name: str) -> str:
    return (Path(sysconfig.get_path("stdlib")) / name).read_text()


def _tokenizer(texts: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    special = [END_OF_DOCUMENT]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _tokenise(folder: Path, corpus: str, tokenizer: Any, texts: list[str], vocabulary: Artefact) -> Artefact:
    import numpy as np
    from megatron.core.datasets.indexed_dataset import IndexedDatasetBuilder

    folder.mkdir()
    summary: dict[str, Any] = {"corpus": corpus, "vocab_size": VOCABULARY}
    for split, documents in (("train", texts[:-1]), ("heldout", texts[-1:])):
        builder = IndexedDatasetBuilder(str(folder / f"{split}.bin"), dtype=np.uint16)
        tokens = [np.array([*tokenizer.encode(text).ids, 0], dtype=np.uint16) for text in documents]
        for document in tokens:
            builder.add_document(document, [len(document)])
        builder.finalize(str(folder / f"{split}.idx"))
        size = sum(len(text.encode()) for text in documents)
        summary[split] = {"documents": len(documents), "tokens": sum(map(len, tokens)), "bytes": size}
    return artefact(folder, "tokenise", corpus, summary, vocabulary)


def section(**changes: Any) -> PretrainSection:
    """Return the settings of a tiny run; ``changes`` replace whole fields."""
    tiny = {
        "model": {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32},
        "schedule": {"warmup_steps": 2, "decay_steps": 4, "learning_rate": 0.01},
        "blend": {"web": 0.5, "code": 0.5},
        "epochs": 100.0,
        "steps": 12,
        "global_batch": 8,
        "micro_batch": 2,
        "validation_samples": 8,
        "checkpoint_every": 4,
    }
    return PretrainSection.model_validate({**tiny, **changes})


def train(settings: PretrainSection, inputs: Inputs, scratch: Folder) -> Summary:
    return pretrain.work(settings, inputs, Part("all"), scratch)


def losses(folder: Folder) -> list[float]:
    return [json.loads(line)["loss"] for line in (folder.out / "metrics.jsonl").read_text().splitlines()]


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file of a folder, by its relative path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@dataclass(frozen=True)
class Run:
    """A finished run that several tests look at."""

    folder: Folder
    summary: Summary
    settings: PretrainSection


@pytest.fixture(scope="session")
def one_rank(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return _run(section(), inputs, tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="session")
def two_ranks(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two tensor-parallel ranks."""
    return _run(section(layout={"tp": 2}), inputs, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="session")
def data_ranks(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two data-parallel ranks that share out the optimiser's state, which the artefact keeps, as it does milestones."""
    settings = section(layout={"dp": 2, "distributed_optimizer": True}, keep_optimizer=True, keep_every=6)
    return _run(settings, inputs, tmp_path_factory.mktemp("data"))


def _run(settings: PretrainSection, inputs: Inputs, root: Path) -> Run:
    folder = Folder(root)
    return Run(folder, train(settings, inputs, folder), settings)
