"""First half of the stage ``adopt``, with megatron: ``python -m hominis.train.adopter BRIEF``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.config.train import LayoutSection, ModelSection
from hominis.train import lifeline, stop
from hominis.train.adopt import CHECKPOINT, AdoptBrief

if TYPE_CHECKING:
    from megatron.core.models.gpt import GPTModel

PROBE = (2, 64)
"""Sequences and, at most, tokens of each that the two models are compared on."""


def adopt(path: Path) -> int:
    """Write the weights as a checkpoint and megatron's logits on a probe; return the exit code."""
    from hominis.train.process import distributed

    brief = AdoptBrief(**json.loads(path.read_text()))
    described = json.loads((Path(brief.out) / "model.json").read_text())
    with distributed(LayoutSection(), brief.threads, seed=0):
        _adopt(brief, described)
    return 0


def _adopt(brief: AdoptBrief, described: dict[str, Any]) -> None:
    import torch

    from hominis.train.entire import entire, leave_logits
    from hominis.train.state import save_weights

    section, vocab_size = ModelSection.model_validate(described["model"]), described["vocab_size"]
    model = entire(section, described["padded_vocab_size"])
    _fill(model, section, described, Path(brief.folder))
    save_weights(model, Path(brief.out) / CHECKPOINT)
    shape = (PROBE[0], min(PROBE[1], section.sequence))
    tokens = torch.randint(vocab_size, shape, generator=torch.Generator().manual_seed(0))
    (Path(brief.out) / "probe.json").write_text(json.dumps({"tokens": tokens.tolist()}) + "\n")
    leave_logits(model, tokens, vocab_size, Path(brief.reference))


def _fill(model: GPTModel, section: ModelSection, described: dict[str, Any], folder: Path) -> None:
    import torch

    from hominis.train.safe import Weights
    from hominis.train.translate import pairs, to_megatron

    vocab_size, rows = described["vocab_size"], described["padded_vocab_size"]
    weights, own = Weights(folder), dict(model.named_parameters())
    weights.check({name for pair in pairs(section, vocab_size, rows) for name in pair.theirs})
    with torch.no_grad():
        for name, weight in to_megatron(weights.read, section, vocab_size, rows):
            own.pop(name).copy_(weight)
    assert not own, f"weights without a translation: {sorted(own)}"


if __name__ == "__main__":
    lifeline.hold_on()
    stop.die()
    from hominis.train.process import guarded

    sys.exit(guarded(lambda: adopt(Path(sys.argv[1]))))
