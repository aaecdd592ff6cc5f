"""First half of the export, with megatron: ``python -m hominis.train.exporter BRIEF``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.config.train import LayoutSection, ModelSection
from hominis.train import lifeline, stop
from hominis.train.export import ExportBrief

if TYPE_CHECKING:
    import torch
    from megatron.core.models.gpt import GPTModel


def export(path: Path) -> int:
    """Write the weights as safetensors and megatron's logits on the probe; return the exit code."""
    from hominis.train.process import distributed

    brief = ExportBrief.read(path)
    pretrained = Path(brief.pretrained)
    described = json.loads((pretrained / "model.json").read_text())
    tokens = json.loads((pretrained / "probe.json").read_text())["tokens"]
    with distributed(LayoutSection(), brief.threads, seed=0):
        _write(brief, _model(pretrained / "checkpoint", described), described, tokens)
    return 0


def _model(checkpoint: Path, described: dict[str, Any]) -> GPTModel:
    """Return the whole model in fp32, whatever layout and precision it was trained in."""
    from hominis.train.model import build, transformer_config
    from hominis.train.state import load_weights

    section, layout = ModelSection.model_validate(described["model"]), LayoutSection()
    model = build(section, layout, transformer_config(section, layout), described["padded_vocab_size"])
    load_weights(model, checkpoint)
    return model.eval()


def _write(brief: ExportBrief, model: GPTModel, described: dict[str, Any], tokens: list[list[int]]) -> None:
    import torch
    from safetensors.torch import save_file

    from hominis.train.translate import to_llama

    section, vocab_size = ModelSection.model_validate(described["model"]), described["vocab_size"]
    dtype = torch.bfloat16 if described["precision"] == "bf16" else torch.float32
    weights = {name: weight.to(dtype) for name, weight in to_llama(model.state_dict(), section, vocab_size).items()}
    file = Path(brief.out) / "model.safetensors"
    save_file(weights, file, metadata={"format": "pt"})
    file.chmod(0o644)  # safetensors lets only the owner read
    ids = torch.tensor(tokens)
    reference = {"tokens": ids, "logits": _logits(model, ids)[..., :vocab_size].contiguous()}
    save_file(reference, brief.reference)


def _logits(model: GPTModel, tokens: torch.Tensor) -> torch.Tensor:
    """Return the logits ``[sequences, tokens, vocabulary]``."""
    import torch

    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    positions = torch.arange(tokens.shape[1]).expand(tokens.shape)
    with torch.no_grad():
        logits: torch.Tensor = model.to(device)(tokens.to(device), positions.to(device), None)
    return logits.float().cpu()


if __name__ == "__main__":
    lifeline.hold_on()
    stop.die()
    from hominis.train.process import guarded

    sys.exit(guarded(lambda: export(Path(sys.argv[1]))))
