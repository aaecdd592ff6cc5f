"""Says in how far transformers agrees with megatron, without patches: ``python -m hominis.train.comparer BRIEF``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from hominis.errors import StageFailed
from hominis.train import lifeline, stop
from hominis.train.alone import Comparison


def compare(path: Path) -> int:
    """Load the folder and compare; leave the figures and return the exit code.

    Raises:
        StageFailed: the logits differ by more than the tolerance.
    """
    import torch

    brief = Comparison(**json.loads(path.read_text()))
    torch.set_num_threads(brief.threads)
    Path(brief.result).write_text(json.dumps(figures(Path(brief.folder), Path(brief.reference), brief.tolerance)))
    return 0


def figures(folder: Path, reference: Path, tolerance: float) -> dict[str, Any]:
    """Load the Hugging Face ``folder`` in fp32 and compare its logits with those in ``reference``.

    Raises:
        StageFailed: they differ by more than ``tolerance``, or aren't finite.
    """
    import torch
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM

    expected = load_file(reference)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    with torch.no_grad():
        logits = model(expected["tokens"]).logits[..., : expected["logits"].shape[-1]]
    difference = (logits - expected["logits"]).abs().max().item()
    if not difference <= tolerance:  # a NaN fails too
        raise StageFailed(
            f"the Hugging Face model's logits differ from megatron's by {difference:.3g}, more than {tolerance:.3g}",
            where=folder,
            remedy="report it: the translation of the weights is wrong for this shape of model",
        )
    return {
        "parameters": sum(weight.numel() for weight in model.parameters()),
        "vocab_size": logits.shape[-1],
        "logits_max_difference": difference,
        "logits_max": expected["logits"].abs().max().item(),
        "logits_compared": logits.numel(),
    }


if __name__ == "__main__":
    lifeline.hold_on()
    stop.die()
    from hominis.train.process import guarded

    sys.exit(guarded(lambda: compare(Path(sys.argv[1]))))
