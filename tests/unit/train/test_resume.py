"""A run that is resumed under another layout is the same run within rounding, on the same samples."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from hominis.config.train import PretrainSection
from hominis.store.types import Inputs, Summary
from hominis.train import checkpoints
from tests.unit.train.conftest import Folder, losses, section, train

STEPS = 20
SHARED: dict[str, Any] = {"dp": 2, "distributed_optimizer": True}
ROUTE: tuple[dict[str, Any], ...] = ({"tp": 2}, {"pp": 2}, SHARED, {})
"""Layouts, one taking the run over from the one before."""


def settings(layout: dict[str, Any]) -> PretrainSection:
    return section(layout=layout, steps=STEPS, checkpoint_every=4, keep_checkpoints=STEPS)


def left_by(folder: Folder, step: int, root: Path) -> Folder:
    """Return the scratch of the attempt after one that ended after ``step``."""
    name = checkpoints.name(step)
    shutil.copytree(folder.checkpoints / name, root / "checkpoints" / name)
    return Folder(root)


@pytest.fixture(scope="module")
def ends(inputs: Inputs, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[list[float], Summary]]:
    """The losses and summaries of a run on one rank, and of one that changes its layout every few steps."""
    root = tmp_path_factory.mktemp("route")
    one, folder = Folder(root / "one"), Folder(root / "0")
    summaries = [train(settings({}), inputs, one)]
    for number, layout in enumerate(ROUTE, 1):
        summaries.append(train(settings(layout), inputs, folder))
        final, folder = folder, left_by(folder, 4 * number, root / f"{number}")
    return [(losses(one), summaries[0]), (losses(final), summaries[-1])]


def test_a_run_that_changes_its_layout_on_the_way_has_the_losses_of_one_that_does_not(
    ends: list[tuple[list[float], Summary]],
) -> None:
    (plain, _), (moved, _) = ends
    assert len(moved) == STEPS
    assert moved == pytest.approx(plain, abs=1e-5, rel=0)


def test_a_run_that_changes_its_layout_on_the_way_uses_the_same_samples(
    ends: list[tuple[list[float], Summary]],
) -> None:
    (_, plain), (_, moved) = ends
    assert moved["samples"] == plain["samples"]
