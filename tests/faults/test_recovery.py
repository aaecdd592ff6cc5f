"""How soon a training run over two nodes trains again after a fault, and how many steps it does once more."""

import contextlib
import json
import os
import random
import shutil
import signal
import statistics
import time

import psutil
import pytest

from tests.faults.figures import FULL, note
from tests.faults.watched_run import WatchedRun
from tests.slurm.daemons import wait_for
from tests.workflow.conftest import annotated, corpora, tokenised  # noqa: F401

INTERVAL = 200 if FULL else 60
"""Steps between two checkpoints: some seconds."""
TIMES = 4 if FULL else 1
"""How often each fault lands."""
PATIENCE_S = 180


class TrainRun(WatchedRun):
    """A run that trains for longer than any test waits, on two nodes.

    Args:
        ready: a run whose text is tokenised.
        asked: resources beside those of every run here.
    """

    stage = "pretrain"

    def __init__(self, folder, ready, cluster, warn_s=10, **asked):
        super().__init__(folder, cluster, parts=1)
        for name in ("site", "results"):
            shutil.copytree(ready.folder / name, folder / name)
        slurm = self.settings["slurm"] | {"setup": ["export GLOO_SOCKET_IFNAME=lo"], "warn_s": warn_s}
        long = {"layout": {"tp": 2}, "steps": 100_000, "epochs": 1e4, "checkpoint_every": INTERVAL}
        pretrain = ready.settings["pretrain"] | long
        self.write({**ready.settings, "backend": "slurm", "slurm": slurm, "pretrain": pretrain})
        self.asked |= {"nodes": 2, "tasks": 2, "mem_mb": 4000, "runtime": 30, **asked}

    def trained(self):
        """Return the number of the attempt that has the scratch, and the first and last step in it; None before."""
        with contextlib.suppress(FileNotFoundError):  # a takeover moves it
            for path in self.folder.glob("site/scratch/*/checkpoints/progress.jsonl"):
                lines = path.read_text().rpartition("\n")[0].splitlines()
                steps = [json.loads(line)["step"] for line in (lines[0], lines[-1])] if lines else []
                return (int(path.parents[1].suffix[1:]), *steps) if steps else None
        return None

    def trains(self):
        """Wait until the newest attempt has told of a checkpoint of its own; returns what ``trained`` does."""
        wait_for(lambda: self.trained() is not None, PATIENCE_S, self.words)
        wait_for(lambda: self.kept() >= self.trained()[1], PATIENCE_S, lambda: f"no checkpoint: {self.words()}")
        return self.trained()

    def kept(self):
        """Return the newest checkpoint's step, as the newest attempt has told it."""
        return self.attempts("all")[-1][-1].get("progress", {}).get("kept", 0)

    def recovery(self, strike):
        """Strike, and return after how many seconds a next step was done, and how many steps were rolled back."""
        n, first, last = self.trained()
        begun = time.monotonic()
        strike()
        while True:
            now = self.trained()
            if now and now[0] > n and (now[1] > first or now[2] < last):  # the file is begun anew a moment later
                return time.monotonic() - begun, max(last - (now[1] - 1), 0)  # a step is told after its checkpoint
            last = max(last, now[2]) if now else last
            assert time.monotonic() - begun < PATIENCE_S, self.words()
            time.sleep(0.03)


def kill_part(run):
    """Slurm asks the ranks to stop when the part is dead."""
    os.kill(run.at_work("all", len(run.attempts("all")))["pid"], signal.SIGKILL)


def kill_rank(run):
    run.processes("rank")[0].kill()


def kill_all(run):
    """As when memory runs out, or a node loses its power: nobody is asked."""
    job = run.attempts("all")[-1][0]["owner"]["slurm"]["job"]
    for process in run.cluster.job_processes(job=job):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def lose_node(run):
    """Kill what runs on the second of its nodes and set that down, until the job has failed of it."""
    job = run.job("all")
    node = run.cluster.output("scontrol", "show", "hostnames", run.cluster.job(job)["NodeList"]).split()[1]
    for process in run.cluster.job_processes(node=node):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    run.cluster.node_down(node)
    try:
        run.cluster.wait_state(job, "NODE_FAIL")
    finally:
        run.cluster.node_up(node)


def ask_to_stop(run):
    run.cluster.output("scancel", "--batch", "--signal=USR2", run.job("all"))


FAULTS = {"its processes killed": kill_all, "node lost": lose_node}
if FULL:
    FAULTS |= {"asked to stop": ask_to_stop, "its part killed": kill_part, "a rank killed": kill_rank}


@pytest.fixture
def training(cluster, tokenised, tmp_path):  # noqa: F811
    """Make runs that train on the cluster and leave nothing on it."""
    with contextlib.ExitStack() as made:
        yield lambda **asked: made.enter_context(
            contextlib.closing(TrainRun(tmp_path / "run", tokenised, cluster, **asked))
        )


@pytest.mark.timeout(3000)
def test_after_a_fault_training_goes_on_from_the_last_checkpoint(training):
    run, chance = training(), random.Random(8)
    run.begin("all")
    found = {name: [] for name in FAULTS}
    for name in [*FAULTS] * TIMES:
        run.trains()
        time.sleep(chance.uniform(0, 3))
        seconds, steps = run.recovery(lambda name=name: FAULTS[name](run))
        assert steps <= INTERVAL
        found[name].append((seconds, steps))
    run.hominis("cancel")
    run.ended(1)
    assert [row["State"] for row in run.rows("all")].count("NODE_FAIL") == TIMES
    run.nothing_twice()
    for name, measured in found.items():
        report(name, measured)
    report("all of these", [one for measured in found.values() for one in measured])


def report(name, measured):
    seconds, steps = (sorted(values) for values in zip(*measured, strict=True))
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
    figures = {
        "p50_s": round(statistics.median(seconds), 1),
        "p95_s": round(p95, 1),
        "most_steps_rolled_back": steps[-1],
    }
    note("R8", f"{name}, until the next training step", len(measured), **figures, checkpoint_interval=INTERVAL)


@pytest.mark.timeout(1200)
@pytest.mark.skipif(not FULL, reason="a wall time is a minute and more: at full length only")
def test_a_run_longer_than_the_wall_time_is_a_chain_of_segments(training):
    run = training(runtime=1, warn_s=15)
    run.begin("all")
    for segment in (1, 2):
        n, first, last = run.trains()
        assert n == segment
        seconds, steps = run.recovery(lambda: None)
        assert steps == 0
        note("R8", f"wall time, segment {segment}", 1, seconds_to_the_end_and_the_next_step=round(seconds, 1))
    run.hominis("cancel")
    run.ended(1)
    assert [(row["State"], row["ExitCode"]) for row in run.rows("all")][:2] == [("FAILED", "75:0")] * 2
    run.nothing_twice()
