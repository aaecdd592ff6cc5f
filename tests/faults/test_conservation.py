"""What the ledger sums up is what Slurm charged for, whatever happened to the jobs."""

import contextlib
import os
import signal
import time

import pytest

from tests.faults.figures import FULL, note
from tests.faults.held_run import HeldRun

CHARGED_S = 3
"""How long parts are at work, lest there be nothing to charge for."""
DIES_ONCE = "died=$HOMINIS_TEST_FOLDER/died$SLURM_ARRAY_TASK_ID; [ -e $died ] || { touch $died; sleep 2; kill -9 $$; }"
"""The first start of each task ends before it takes its part."""


@pytest.fixture
def held(frail, tmp_path):
    """Make runs on the cluster that leave nothing on it."""
    with contextlib.ExitStack() as made:
        yield lambda **options: made.enter_context(contextlib.closing(HeldRun(tmp_path / "run", frail, **options)))


def check(run, what, *states):
    """Compare the ledger's totals with sacct's, and see that each of some states is among them."""
    (node_seconds, joules, starts), totals = run.by_sacct(), run.totals()
    assert set(states) <= starts.keys() and sum(starts.values()) > run.parts
    assert (totals["all"]["node_seconds"], totals["all"]["joules"]) == (node_seconds, joules)
    assert node_seconds > 0 and (joules > 0 or not run.cluster.shape.energy_watts)
    shown = {f"of_{state}": n for state, n in starts.items()} | {"node_seconds": node_seconds, "joules": joules}
    note("R10", what, sum(starts.values()), **shown, difference=totals["all"]["node_seconds"] - node_seconds)
    return totals


def test_the_ledger_of_many_faults_sums_to_what_slurm_charged(frail, held):
    """Jobs of two nodes: starts without an attempt, parts killed, stopped, cancelled at work and while they wait."""
    run = held(parts=5, setup=[DIES_ONCE], throttle=3, asked={"nodes": 2, "tasks": 2})
    run.begin("s0", "s1", "s2")
    time.sleep(CHARGED_S)
    os.kill(run.at_work("s0")["pid"], signal.SIGKILL)
    frail.output("scancel", "--batch", "--signal=USR2", run.job("s1"))
    frail.output("scancel", run.job("s2"))
    run.index.release()
    run.ended(1)
    run.get_done()
    totals = check(run, "two nodes, many faults", "FAILED", "CANCELLED", "COMPLETED")
    assert totals["unclaimed"]["node_seconds"] > 0
    assert totals["published"]["attempts"] == run.parts


@pytest.mark.skipif(not FULL, reason="at full length only")
def test_the_ledger_of_requeued_jobs_sums_to_what_slurm_charged(frail, held):
    run = held(parts=2, asked={"slurm_extra": "--requeue", "cpus_per_task": 32})
    run.begin("s0", "s1")
    time.sleep(CHARGED_S)
    frail.requeue(run.job("s0"))
    frail.node_down(node := run.at_work("s1")["slurm"]["nodes"])
    frail.node_up(node)
    run.at_work("s0", 2)
    run.at_work("s1", 2)
    time.sleep(CHARGED_S)
    run.index.release()
    run.ended(0)
    totals = check(run, "requeued by Slurm", "REQUEUED", "NODE_FAIL", "COMPLETED")
    assert totals["all"]["node_seconds"] > totals["published"]["node_seconds"] > 0
