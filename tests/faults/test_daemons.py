"""Slurm's daemons die, forget and come back; memory runs out: met as the table of states says."""

import contextlib
import os
import signal
import time

import pytest

from tests.faults.figures import FULL, note
from tests.faults.held_run import HeldRun
from tests.slurm.daemons import wait_for

AWAY_S = 60 if FULL else 0
"""After the driver has met it: its words alone prove that."""
NO_CONTROLLER = "waiting: squeue: slurm_load_jobs error: Unable to contact slurm controller"


@pytest.fixture
def held(frail, tmp_path):
    """Make runs on the cluster that leave nothing on it."""
    with contextlib.ExitStack() as made:
        yield lambda **options: made.enter_context(contextlib.closing(HeldRun(tmp_path / "run", frail, **options)))


def kill(run, part):
    os.kill(run.at_work(part)["pid"], signal.SIGKILL)


def test_a_controller_that_is_away_is_waited_for(frail, held):
    """One part is published meanwhile, another killed: what became of them is learnt afterwards."""
    run = held(parts=2)
    run.begin("s0", "s1")
    frail.kill_controller(saved=True)
    run.index.release("s0")
    kill(run, "s1")
    wait_for(lambda: NO_CONTROLLER in run.words(), 120, run.words)
    time.sleep(AWAY_S)
    frail.start_controller()
    run.at_work("s1", 2)
    run.index.release()
    run.ended(0)
    assert [row["State"] for row in run.rows("s0")] == ["COMPLETED"]
    assert [(row["State"], row["ExitCode"]) for row in run.rows("s1")] == [("FAILED", "0:9"), ("COMPLETED", "0:0")]
    assert run.each_part_once()
    run.nothing_twice()
    note("R3", f"slurmctld down for {AWAY_S} s", 1, decision="waited")


def forget(frail, run):
    """Let a part begin, and the controller forget its job; returns the job's id and the attempt's owner."""
    with frail.forgotten():
        run.begin("s0")
        job, owner = run.job("s0").partition("_")[0], run.at_work("s0")
    return job, owner


def see_lost(run):
    """See the driver wait for a job that no list knows, and say so: it may run."""
    wait_for(lambda: "1 tasks have been in no queue" in run.words(), 60, "the driver doesn't say that its job is lost")
    assert run.latest.poll() is None and len(run.intents()) == 1, "nobody submits it again"
    assert "`hominis cancel` and start again" in run.words()


def start_again(run):
    """Do as the driver said."""
    run.hominis("cancel")
    run.ended(1)
    run.driver()
    run.at_work("s0", 2)


def test_a_jobs_id_that_is_given_out_anew_is_not_taken_for_the_job(frail, held):
    """The other's job has the id; the forgotten one works on, in no list, unless its node was told to end it."""
    run = held(grace_s=3)
    job, owner = forget(frail, run)
    other = frail.sbatch("true", "--job-name=other", "--hold")
    assert (str(other), frail.job(job)["JobName"]) == (job, "other")
    see_lost(run)
    if run.gone(owner):
        start_again(run)
    run.index.release()
    run.ended(0)
    assert [row["outcome"] for row in run.ledger()].count("published") == 1
    assert frail.state(job) == "PENDING", "the other's job is none of ours"
    frail.cancel(job)
    note("R3", "job id given out anew after a crash of slurmctld", 1, decision="waited")


@pytest.mark.skipif(not FULL, reason="at full length only")
def test_a_job_that_slurm_forgot_and_ended_is_started_anew_once_a_person_says_so(frail, held):
    run = held(grace_s=3)
    _, owner = forget(frail, run)
    frail.daemon(owner["slurm"]["nodes"]).kill()
    frail.start_daemon(owner["slurm"]["nodes"])
    wait_for(lambda: run.gone(owner), 60, "a node that registers is told to end what the controller doesn't know")
    see_lost(run)
    start_again(run)
    run.index.release()
    run.ended(0)
    assert [row["outcome"] for row in run.ledger()].count("published") == 1
    note("R3", "a job that slurmctld forgot and ended", 1, decision="waited, told a person")


@pytest.mark.skipif(not FULL, reason="a ghost is one after a minute: at full length only")
def test_a_task_that_runs_in_slurms_books_alone_is_cancelled(frail, held):
    run = held()
    run.begin("s0")
    job = run.job("s0")
    time.sleep(6)  # the controller writes its state within 5 s
    with frail.forgotten():
        run.index.release()
        wait_for(lambda: frail.state(job) == "COMPLETED", 60, "the part didn't end")
    assert frail.state(job) == "RUNNING"
    assert "runs on though its part has been there for 60 s: cancelling it" in run.ended(0)
    assert [row["State"] for row in run.rows("s0")] == [f"CANCELLED by {os.getuid()}"]
    assert run.each_part_once()
    note("R3", "a ghost: RUNNING in Slurm's books alone", 1, decision="cancelled after a minute")


def test_an_accounting_that_is_away_is_waited_for(frail, held):
    run = held()
    run.begin("s0")
    frail.accounting_down()
    try:
        kill(run, "s0")
        frail.wait_state(run.job("s0"), "FAILED")
        wait_for(lambda: "waiting for the accounting: sacct" in run.words(), 60, "the driver doesn't say why it waits")
        time.sleep(3)
        assert len(run.intents()) == 1
    finally:
        frail.accounting_up()
    run.at_work("s0", 2)
    run.index.release()
    run.ended(0)
    assert [row["State"] for row in run.rows("s0")] == ["FAILED", "COMPLETED"]
    run.nothing_twice()
    note("R3", "slurmdbd down", 1, decision="waited")


def test_a_part_whose_memory_runs_out_is_given_up_with_a_remedy(frail, held):
    if not frail.shape.cgroups:
        pytest.skip("memory can't be limited here (root and cgroup v1 are needed); the table's own test has the state")
    run = held(setup=["tail /dev/zero || exit 1"], asked={"mem_mb": 100})
    run.driver()
    said = run.ended(1)
    assert "s0: memory ran out\n  remedy: raise `mem_mb`" in said
    assert [row["State"] for row in run.rows("s0")] == ["OUT_OF_MEMORY"]
    run.nothing_twice()
    note("R3", "OUT_OF_MEMORY", 1, decision="stop")
