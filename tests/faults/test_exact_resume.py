"""A training run cut after any step and resumed is the run that was not cut, to the byte: weights, optimiser, metrics,
held-out loss, and the hash of the samples used.

An uninterrupted run writes a checkpoint after every step; one of them alone is what a kill leaves to the next attempt.
"""

import random
import shutil

import pytest

from hominis.train import checkpoints
from tests.faults.figures import FULL, note
from tests.unit.train.conftest import Folder, contents, inputs, section, train  # noqa: F401

STEPS = 20
CUTS = 50 if FULL else 4
"""Cut points, shared out among the layouts."""
MODEL = {"layers": 4, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 32, "dropout": 0.1}
EXPERTS = {**MODEL, "experts": 4}
SHARED = {"dp": 2, "distributed_optimizer": True}
RUNS = {"tensor parallel": {"layout": {"tp": 2}}, "data parallel, shared optimiser": {"layout": SHARED}}
if FULL:
    RUNS |= {
        "one rank": {},
        "one rank, bf16": {"precision": "bf16"},
        "data parallel": {"layout": {"dp": 2}},
        "data parallel, shared optimiser, bf16": {"layout": SHARED, "precision": "bf16"},
        "tensor and sequence parallel": {"layout": {"tp": 2, "sequence_parallel": True}},
        "pipeline": {"layout": {"pp": 2}},
        "interleaved pipeline": {"layout": {"pp": 2, "vp": 2}},
        "context parallel": {"layout": {"cp": 2}},
        "experts, shared out": {"layout": {**SHARED, "ep": 2}, "model": EXPERTS},
        "recomputation": {"recompute": "full"},
    }


def settings(name):
    """Return a run with dropout that writes a checkpoint after every step, keeps them all, and the optimiser."""
    every = {"checkpoint_every": 1, "keep_checkpoints": STEPS, "keep_optimizer": True, "steps": STEPS}
    return section(**{"model": MODEL, **every, **RUNS[name]})


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", RUNS)
def test_a_run_cut_anywhere_and_resumed_is_the_run_that_was_not_cut(name, inputs, tmp_path):  # noqa: F811
    whole = Folder(tmp_path / "whole")
    summary = train(settings(name), inputs, whole)
    place = list(RUNS).index(name)
    cuts = random.Random(place).sample(range(1, STEPS), k=len(range(place, CUTS, len(RUNS))))
    for cut in cuts:
        left = checkpoints.name(cut)
        shutil.copytree(whole.checkpoints / left, tmp_path / f"{cut}" / "checkpoints" / left)
        folder = Folder(tmp_path / f"{cut}")
        assert train(settings(name), inputs, folder) == summary
        assert folder.reports[0][0] > cut
        assert contents(folder.out) == contents(whole.out)
    note("R9", f"training resumed, {name}", len(cuts), files_that_differ=0)
