"""First half of the export, with megatron: ``python -m hominis.train.exporter BRIEF``."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from hominis.config.train import LayoutSection, ModelSection
from hominis.train import lifeline, stop
from hominis.train.export import ExportBrief


def export(path: Path) -> int:
    """Write the weights as safetensors and megatron's logits on the probe; return the exit code."""
    from hominis.train.process import distributed

    brief = ExportBrief(**json.loads(path.read_text()))
    described = json.loads((Path(brief.pretrained) / "model.json").read_text())
    with distributed(LayoutSection(), brief.threads, seed=0):
        _export(brief, described)
    return 0


def _export(brief: ExportBrief, described: dict[str, int | str]) -> None:
    import torch
    from safetensors.torch import save_file

    from hominis.train.entire import entire, leave_logits
    from hominis.train.state import load_weights
    from hominis.train.translate import to_hugging_face

    pretrained, out, vocab_size = Path(brief.pretrained), Path(brief.out), int(described["vocab_size"])
    section = ModelSection.model_validate(described["model"])
    model = entire(section, int(described["padded_vocab_size"]))
    load_weights([model], pretrained / "checkpoint")
    dtype = torch.float32 if described["precision"] == "fp32" else torch.bfloat16
    weights = to_hugging_face(model.state_dict(), section, vocab_size)
    file = out / "model.safetensors"
    save_file({name: weight.to(dtype) for name, weight in weights.items()}, file, metadata={"format": "pt"})
    file.chmod(0o644)  # safetensors lets only the owner read
    tokens = json.loads((pretrained / "probe.json").read_text())["tokens"]
    leave_logits(model, torch.tensor(tokens), vocab_size, Path(brief.reference))


if __name__ == "__main__":
    lifeline.hold_on()
    stop.die()
    from hominis.train.process import guarded

    sys.exit(guarded(lambda: export(Path(sys.argv[1]))))
