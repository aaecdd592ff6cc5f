"""A real run whose batch grows and whose rate is a power of the tokens seen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hominis.store.types import Inputs
from hominis.train.schedule import batch_size, consumed, learning_rate
from tests.unit.train.conftest import Folder, Run, losses, section, train

RAMPED = {
    "schedule": {"style": "power", "warmup_steps": 2, "decay_steps": 4, "learning_rate": 0.01, "power_factor": 3.0},
    "batch_ramp": {"start": 4, "increment": 4, "steps": 6},
    "global_batch": 12,
    "validation_samples": 0,
    "steps": 10,
}


@pytest.fixture(scope="module")
def alone(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder, settings = Folder(tmp_path_factory.mktemp("alone")), section(**RAMPED)
    return Run(folder, train(settings, inputs, folder), settings)


def test_rate_and_position_are_those_of_the_step(alone: Run) -> None:
    run, lines = alone.settings, (alone.folder.out / "metrics.jsonl").read_text().splitlines()
    said = [(line["learning_rate"], line["consumed_tokens"]) for line in map(json.loads, lines)]
    assert said == [(learning_rate(run, step), consumed(run, step) * 32) for step in range(1, 11)]
    assert len({rate for rate, _ in said}) == 10  # the power's bound is not reached: each step has its own
    assert [batch_size(run, step) for step in range(1, 11)] == [4] * 3 + [8] * 3 + [12] * 4
    assert losses(alone.folder)[-1] < losses(alone.folder)[0] - 0.2


def test_two_data_parallel_ranks_use_the_same_samples_in_the_same_steps(
    alone: Run, inputs: Inputs, tmp_path: Path
) -> None:
    folder = Folder(tmp_path)
    summary = train(section(**RAMPED, layout={"dp": 2}), inputs, folder)
    assert summary["samples"] == alone.summary["samples"]
    assert losses(folder) == pytest.approx(losses(alone.folder), abs=1e-5, rel=0)
