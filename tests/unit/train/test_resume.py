"""A run that is resumed under another layout is the same run within rounding, on the same samples."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any

import pytest

from hominis.store.types import Inputs
from hominis.train import checkpoints
from tests.unit.train import several
from tests.unit.train.conftest import Folder, Run, losses, section

STEPS, EVERY = 20, 4
LAYOUTS: dict[str, dict[str, Any]] = {
    "tensor": {"tp": 2},
    "pipeline": {"pp": 2},
    "data": {"dp": 2, "distributed_optimizer": True},
    "one": {},
}
"""Each takes the run over from the one before, four steps later: the last has losses of all."""


@pytest.fixture(scope="module")
def ends(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> tuple[Folder, Folder]:
    """A run on one rank, and the last of those that take over from each other."""
    root, names = tmp_path_factory.mktemp("route"), list(LAYOUTS)
    runs = {
        name: section(layout=layout, steps=STEPS, checkpoint_every=EVERY, keep_checkpoints=STEPS)
        for name, layout in LAYOUTS.items()
    }
    left = {
        after: root / before / "checkpoints" / checkpoints.name(EVERY * number)
        for number, (before, after) in enumerate(pairwise(names), 1)
    }
    several.train({name: runs[name] for name in names[:-1]}, inputs, root, left)
    alone = several.train({"alone": runs["one"], "one": runs["one"]}, inputs, root, left)
    return alone["alone"], alone["one"]


def samples(folder: Folder) -> str:
    described: dict[str, str] = json.loads((folder.out / "model.json").read_text())
    return described["samples"]


def test_a_run_that_changes_its_layout_on_the_way_has_the_losses_of_one_that_does_not(
    ends: tuple[Folder, Folder],
) -> None:
    plain, moved = ends
    assert len(losses(moved)) == STEPS
    assert losses(moved) != losses(plain)  # else nothing was taken over
    assert losses(moved) == pytest.approx(losses(plain), abs=1e-5, rel=0)


def test_a_run_that_changes_its_layout_on_the_way_uses_the_same_samples(ends: tuple[Folder, Folder]) -> None:
    plain, moved = ends
    assert samples(moved) == samples(plain)


def test_the_hash_of_the_samples_tells_a_run_with_others(ends: tuple[Folder, Folder], one_rank: Run) -> None:
    assert samples(ends[0]) != samples(one_rank.folder)  # which is shorter
