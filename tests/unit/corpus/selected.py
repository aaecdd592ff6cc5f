"""A hand-made artefact of ``select``, and a scratch that keeps what was reported."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from hominis.store.types import Artefact, Part, Receipt, Summary


class LocalScratch:
    """A scratch in a plain directory."""

    stopping = False

    def __init__(self, root: Path) -> None:
        self.out, self.checkpoints, self.records = root / "out", root / "checkpoints", root / "records"
        self.out.mkdir(parents=True)
        self.checkpoints.mkdir()
        self.records.mkdir()
        self.reports: list[tuple[float, float, str]] = []

    def reading(self) -> dict[str, float | str]:
        return {}

    def progress(self, done: float, total: float, unit: str, **figures: float) -> None:
        self.reports.append((done, total, unit))

    def warn(self, words: str) -> None:
        raise AssertionError(words)


def artefact(path: Path, stage: str, part: str, summary: Summary) -> Artefact:
    return Artefact(path, Receipt(stage, 1, part, part, {}, {}, {}, {}, summary))


def selected(root: Path, source: str, corpus: str, texts: dict[str, list[str]]) -> Artefact:
    """Write the documents of one source, given by split."""
    rows = [
        {"id": f"{source}/{split}{n}", "source": source, "corpus": corpus, "language": "en", "text": t, "split": split}
        for split, of_split in texts.items()
        for n, t in enumerate(of_split)
    ]
    path = root / source
    path.mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist(rows), path / "documents.parquet")
    return artefact(path, "select", source, {"source": source, "corpus": corpus})


def run(stage: Any, section: Any, inputs: dict[str, list[Artefact]], root: Path) -> dict[str, Artefact]:
    """Do every part of a stage's module, as the store would."""
    done = {}
    for part in stage.parts(section, inputs):
        scratch = LocalScratch(root / part.id)
        summary = stage.work(section, _read_by(part, inputs), part, scratch)
        assert scratch.reports
        done[part.id] = artefact(scratch.out, "stage", part.id, summary)
    return done


def _read_by(part: Part, inputs: dict[str, list[Artefact]]) -> dict[str, list[Artefact]]:
    return {
        stage: [one for one in artefacts if one.part in part.inputs.get(stage, [one.part])]
        for stage, artefacts in inputs.items()
    }
