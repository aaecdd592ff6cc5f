"""The whole model in one process, in fp32, whatever layout and precision it is trained in."""

from __future__ import annotations

from pathlib import Path

import torch
from megatron.core.models.gpt import GPTModel
from safetensors.torch import save_file

from hominis.config.train import LayoutSection, ModelSection
from hominis.train.model import build, transformer_config


def entire(section: ModelSection, rows: int) -> GPTModel:
    """Return the model with ``rows`` rows of vocabulary, weights not yet set. Needs megatron's process groups."""
    layout = LayoutSection()
    return build(section, layout, transformer_config(section, layout), rows).eval()


def leave_logits(model: GPTModel, tokens: torch.Tensor, vocab_size: int, file: Path) -> None:
    """Write ``tokens`` ``[sequences, tokens]`` and the logits on them ``[sequences, tokens, vocab_size]``."""
    device = torch.device("cuda") if torch.cuda.is_available() else torch.device("cpu")
    positions = torch.arange(tokens.shape[1]).expand(tokens.shape)
    with torch.no_grad():
        logits: torch.Tensor = model.to(device)(tokens.to(device), positions.to(device), None)
    save_file({"tokens": tokens, "logits": logits.float().cpu()[..., :vocab_size].contiguous()}, file)
