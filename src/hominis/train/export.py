"""The stage ``export``: the trained weights as a Hugging Face folder, proven equal. Light: it starts two processes.

The first builds megatron's model, the second transformers' one from the written files alone. They can't share a
process: on a CPU megatron needs patches under which transformers reads wrong weights.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from hominis.config.train import ExportSection
from hominis.store.types import Inputs, Part, Scratch, Summary
from hominis.train import launch


@dataclass(frozen=True)
class ExportBrief:
    """What the two processes are told.

    Attributes:
        pretrained: folder of the artefact of ``pretrain``.
        tokenizer: the file ``tokenizer.json``.
        out: the Hugging Face folder.
        reference: safetensors file with the ``tokens`` compared on and megatron's ``logits``.
        result: JSON with the comparison's figures.
        tolerance: largest difference of a logit.
        threads: of each process.
    """

    pretrained: str
    tokenizer: str
    out: str
    reference: str
    result: str
    tolerance: float
    threads: int

    def write(self, path: Path) -> None:
        """Write the brief for the processes."""
        path.write_text(json.dumps(asdict(self), indent=1))

    @classmethod
    def read(cls, path: Path) -> ExportBrief:
        """Return the brief that ``write`` wrote."""
        return cls(**json.loads(path.read_text()))


def parts(section: ExportSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part."""
    return [Part("all")]


def work(section: ExportSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write the Hugging Face folder and compare its logits with megatron's on real tokens.

    Raises:
        StageFailed: the logits differ by more than ``section.tolerance``.
    """
    folder = scratch.checkpoints
    brief = ExportBrief(
        pretrained=str(inputs["pretrain"][0].path),
        tokenizer=str(inputs["vocabulary"][0].path / "tokenizer.json"),
        out=str(scratch.out),
        reference=str(folder / "reference.safetensors"),
        result=str(folder / "result.json"),
        tolerance=section.tolerance,
        threads=section.threads,
    )
    path = folder / "brief.json"
    brief.write(path)
    for done, module in enumerate(("hominis.train.exporter", "hominis.train.comparer")):
        scratch.progress(done, 2, "processes")
        process = launch.Launch(module, [str(path)], 1, section.threads, folder)
        launch.run(process, poll=lambda: None, stopping=lambda: scratch.stopping)
    summary: Summary = json.loads(Path(brief.result).read_text())
    return summary
