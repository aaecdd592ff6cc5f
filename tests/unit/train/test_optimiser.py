"""The update in two halves, between which a guard may say no."""

from __future__ import annotations

from pathlib import Path

from hominis.store.types import Inputs
from hominis.train import launch
from hominis.train.blend import blend_sources
from hominis.train.brief import Brief
from tests.unit.train.conftest import VOCABULARY, Folder, section


def test_the_two_halves_do_what_megatron_s_step_does(inputs: Inputs, tmp_path: Path) -> None:
    settings = section(
        layout={"dp": 2, "distributed_optimizer": True},
        precision="bf16",
        schedule={"warmup_steps": 2, "decay_steps": 4, "learning_rate": 0.01, "clip": 0.1},
    )
    folder, path = Folder(tmp_path), tmp_path / "brief.json"
    sources = blend_sources(settings.blend, inputs["tokenise"], settings.model.sequence)[0]
    Brief(settings, tuple(sources), VOCABULARY, 0, folder.checkpoints, folder.out).write(path)
    ranks = launch.Launch("tests.unit.train.two_ways", [str(path)], 2, 1, tmp_path)
    launch.run(ranks, poll=lambda: None, stopping=lambda: False)
