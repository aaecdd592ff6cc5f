"""A training run cut after any step and resumed is the run that was not cut, to the byte: weights, optimiser, metrics,
held-out loss, and the hash of the samples used.

An uninterrupted run writes a checkpoint after every step; one of them alone is what a kill leaves to the next attempt.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hominis.train import checkpoints
from tests.faults.figures import FULL, note
from tests.unit.train import part
from tests.unit.train.conftest import Folder, contents, inputs, section, train  # noqa: F401

STEPS = 20
CUTS = 50 if FULL else 4
"""Cut points, shared out among the layouts."""
KILLS = 10 if FULL else 2
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


def killed_while_it_saves(order, folder, seconds):
    """Run a part that saves all the time, and kill it so many seconds after its first checkpoint, ranks and all."""
    before = {path.name for path in (folder / "checkpoints").glob("step-*")}
    launcher = subprocess.Popen([sys.executable, "-m", part.__name__, str(order)])
    while {path.name for path in (folder / "checkpoints").glob("step-*[0-9]")} <= before:
        assert launcher.poll() is None
        time.sleep(0.01)
    time.sleep(seconds)
    processes = [psutil.Process(launcher.pid), *psutil.Process(launcher.pid).children(recursive=True)]
    for process in processes:
        os.kill(process.pid, signal.SIGKILL)
    launcher.wait()
    psutil.wait_procs(processes, timeout=30)


def test_a_kill_at_any_moment_leaves_whole_checkpoints_and_unfinished_ones(inputs, tmp_path):  # noqa: F811
    busy = section(steps=100_000, epochs=1e4, layout={"tp": 2}, checkpoint_every=1, keep_checkpoints=5)
    order, chance, unfinished = part.order(busy, inputs, tmp_path), random.Random(5), 0
    for _ in range(KILLS):
        killed_while_it_saves(order, tmp_path, chance.uniform(0, 1))
        found = list((tmp_path / "checkpoints").glob("step-*"))
        unfinished += sum(path.suffix == ".part" for path in found)
        whole = [path for path in found if path.suffix != ".part"]
        assert whole
        assert not [damage for path in whole for damage in checkpoints.damages(path)]
    note("R9", "killed while it saves", KILLS, unfinished_checkpoints=unfinished, damaged_checkpoints=0)
