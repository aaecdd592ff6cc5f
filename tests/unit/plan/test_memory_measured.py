"""Predicted bytes against those of real models on the CPU: weights, gradients, optimiser, activations.

Not measured here: what only a GPU has (its context, communicators, fragmentation) and what lives within one layer.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hominis.config.train import PretrainSection
from hominis.plan.hardware import gpu
from hominis.plan.memory import loss_bytes, memory
from hominis.plan.shapes import Shape
from hominis.plan.training import Layout, Training
from tests.unit.plan.measure import VOCABULARY

pytest.importorskip("torch")
MODEL = {"layers": 4, "hidden": 256, "heads": 8, "kv_heads": 4, "ffn": 704, "sequence": 128}
EXPERTS = {**MODEL, "layers": 2, "experts": 4, "experts_per_token": 2}
ONE_RANK = [
    {"precision": "fp32"},
    {"precision": "bf16"},
    {"precision": "bf16", "recompute": "selective"},
    {"precision": "bf16", "recompute": "full"},
    {"precision": "bf16", "kernels": "unfused"},
    {"precision": "bf16", "model": EXPERTS},
]
SPLIT = [{"precision": "bf16", "layout": {"tp": 2, "sequence_parallel": True}}]
SHARDED = [{"precision": each, "layout": {"dp": 2, "distributed_optimizer": True}} for each in ("fp32", "bf16")]
CONTEXT = [{"precision": "bf16", "layout": {"cp": 2}}]
EXPERT = [{"precision": "bf16", "model": EXPERTS, "layout": {"dp": 2, "ep": 2}}]


@pytest.mark.parametrize(
    "cases",
    [ONE_RANK, SPLIT, SHARDED, CONTEXT, EXPERT],
    ids=["one rank", "tensor parallel", "data parallel", "context parallel", "expert parallel"],
)
def test_every_part_is_within_a_tenth_of_what_a_real_model_has(cases: list[dict[str, Any]], tmp_path: Path) -> None:
    sections = [_section(case) for case in cases]
    for section, measured in zip(sections, _measure(sections, tmp_path), strict=True):
        predicted = _predicted(section)
        pairs = {part: (predicted[part], size) for part, size in measured.items()}
        wrong = {part: pair for part, pair in pairs.items() if abs(pair[0] / pair[1] - 1) > 0.1}
        assert not wrong, f"predicted and measured bytes of {section.precision} {section.recompute}: {wrong}"


def _predicted(section: PretrainSection) -> dict[str, float]:
    shape, rank = Shape.of(section.model, VOCABULARY, section.layout.tp), Layout.of(section)
    training = Training(
        shape=shape,
        gpu=gpu("a100-64gb"),
        gpus=rank.world,
        batch=section.micro_batch * rank.dp,
        precision=section.precision,
        flash=section.kernels != "unfused",
        fused=False,
    )
    parts = vars(memory(training, rank))
    return {**parts, "activations": parts["activations"] + loss_bytes(training, rank)}


def _section(case: dict[str, Any]) -> PretrainSection:
    usual = {"model": MODEL, "blend": {"any": 1.0}, "kernels": "torch", "micro_batch": 2, "global_batch": 4}
    return PretrainSection.model_validate({**usual, **case})


def _measure(sections: list[PretrainSection], folder: Path) -> list[dict[str, int]]:
    settings = json.dumps([section.model_dump(mode="json") for section in sections])
    command = [sys.executable, "-m", "tests.unit.plan.measure", settings, str(folder / "bytes.json")]
    world = sections[0].layout.world
    where = {"HOMINIS_RENDEZVOUS": (folder / "meet").as_uri(), "WORLD_SIZE": str(world)}
    ranks = [
        subprocess.Popen(command, env={**os.environ, **where, "RANK": str(rank), "LOCAL_RANK": str(rank)})
        for rank in range(world)
    ]
    assert [rank.wait(timeout=300) for rank in ranks] == [0] * world
    measured: list[dict[str, int]] = json.loads((folder / "bytes.json").read_text())
    return measured
