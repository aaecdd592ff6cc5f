"""The stage ``export``: the trained weights as a Hugging Face folder, proven equal. Light: it starts two processes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from hominis.config.train import ExportSection
from hominis.store.types import Inputs, Part, Scratch, Summary
from hominis.train import alone, llama


@dataclass(frozen=True)
class ExportBrief:
    """What ``hominis.train.exporter`` is told.

    Attributes:
        pretrained: folder of the artefact of ``pretrain`` or ``decay``.
        out: the Hugging Face folder.
        reference: where tokens and megatron's logits go.
        threads: of the process.
    """

    pretrained: str
    out: str
    reference: str
    threads: int


def parts(section: ExportSection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part. Of a run with a decay it reads that, not what the decay was branched off."""
    return [Part("all", inputs={"pretrain": []} if "decay" in inputs else {})]


def work(section: ExportSection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Write the Hugging Face folder and compare its logits with megatron's on real tokens.

    Raises:
        StageFailed: the logits differ by more than ``section.tolerance``.
    """
    pretrained = (inputs.get("decay") or inputs["pretrain"])[0].path
    reference, threads = scratch.checkpoints / "reference.safetensors", section.threads
    described = json.loads((pretrained / "model.json").read_text())
    llama.describe(scratch.out, described, inputs["vocabulary"][0].path / "tokenizer.json")
    scratch.progress(0, 2, "processes")
    alone.run("exporter", ExportBrief(str(pretrained), str(scratch.out), str(reference), threads), scratch, threads)
    scratch.progress(1, 2, "processes")
    return alone.compare(scratch.out, reference, scratch, tolerance=section.tolerance, threads=threads)
