"""What the launcher tells the ranks, as one JSON file, and where both find each other's files."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from hominis.config.train import PretrainSection
from hominis.train.blend import Source


@dataclass(frozen=True)
class Brief:
    """A training run as the ranks see it.

    Attributes:
        vocab_size: the tokenizer's true size, without padding.
        end_of_document: the token that ends a document.
        checkpoints: folder that outlives the attempt.
        out: folder of the artefact.
        resume: the checkpoint to start from; empty for a fresh start.
        weights: folder of the first weights of a fresh start; empty for random ones.
        samples: of how many samples the order of the data is drawn; 0: of those that the run uses.
        began, launched: unix times at which the attempt's work began, and at which it starts the ranks.
    """

    section: PretrainSection
    sources: tuple[Source, ...]
    vocab_size: int
    end_of_document: int
    checkpoints: Path
    out: Path
    resume: str = ""
    weights: str = ""
    samples: int = 0
    began: float = 0.0
    launched: float = 0.0

    @property
    def cache(self) -> Path:
        """Folder of the dataset's index: made anew by each attempt, for a killed one may have left half of it."""
        return self.checkpoints / "index"

    @property
    def progress(self) -> Path:
        """JSON lines that the reporting rank appends after each step."""
        return self.checkpoints / "progress.jsonl"

    @property
    def start(self) -> Path:
        """Seconds by what the reporting rank's start was spent on; there before the first line of ``progress``."""
        return self.checkpoints / "start.json"

    def write(self, path: Path) -> None:
        """Write the brief for the ranks."""
        values = {
            "section": self.section.model_dump(mode="json"),
            "sources": [asdict(source) for source in self.sources],
            "vocab_size": self.vocab_size,
            "end_of_document": self.end_of_document,
            "checkpoints": str(self.checkpoints),
            "out": str(self.out),
            "resume": self.resume,
            "weights": self.weights,
            "samples": self.samples,
            "began": self.began,
            "launched": self.launched,
        }
        path.write_text(json.dumps(values, indent=1, sort_keys=True))

    @classmethod
    def read(cls, path: Path) -> Brief:
        """Return the brief that ``write`` wrote."""
        values = json.loads(path.read_text())
        return cls(
            section=PretrainSection.model_validate(values["section"]),
            sources=tuple(Source(**source) for source in values["sources"]),
            vocab_size=values["vocab_size"],
            end_of_document=values["end_of_document"],
            checkpoints=Path(values["checkpoints"]),
            out=Path(values["out"]),
            resume=values["resume"],
            weights=values["weights"],
            samples=values["samples"],
            began=values["began"],
            launched=values["launched"],
        )
