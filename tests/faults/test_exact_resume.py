"""A training run cut after any step and resumed is the run that was not cut, to the byte: weights, optimiser, metrics,
held-out loss, and the hash of the samples used.

An uninterrupted run writes a checkpoint after every step, each of which a kill may leave to the next attempt.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import time

import psutil
import pytest

from hominis.train import checkpoints
from tests.faults.figures import FULL, note
from tests.unit.train import part, several
from tests.unit.train.conftest import contents, inputs, section  # noqa: F401

STEPS = 20
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


CUT = random.Random(20).choices(range(1, STEPS), k=50 if FULL else 4)
"""After which steps runs are cut, the layouts one after the other."""


def settings(name, checkpoint_every):
    kept = {"checkpoint_every": checkpoint_every, "keep_checkpoints": STEPS, "keep_optimizer": True}
    return section(**{"model": MODEL, "steps": STEPS, **kept, **RUNS[name]})


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("ranks", sorted({settings(name, 1).layout.world for name in RUNS}))
def test_a_run_cut_anywhere_and_resumed_is_the_run_that_was_not_cut(ranks, inputs, tmp_path):  # noqa: F811
    runs = {name: settings(name, 1) for name in RUNS if settings(name, 1).layout.world == ranks}
    whole = several.train(runs, inputs, tmp_path / "whole")
    cuts = [(name, cut) for name, cut in zip(itertools.cycle(RUNS), CUT) if name in runs]
    named = {f"{name} {number}": (name, cut) for number, (name, cut) in enumerate(cuts)}
    resumed = several.train(
        {each: settings(name, 1000) for each, (name, _) in named.items()},
        inputs,
        tmp_path / "resumed",
        {each: whole[name].checkpoints / checkpoints.name(cut) for each, (name, cut) in named.items()},
    )
    for each, (name, _) in named.items():
        assert contents(resumed[each].out) == contents(whole[name].out), each
    note("R9", f"training resumed, {ranks} ranks, {len(runs)} layouts", len(cuts), files_that_differ=0)


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
