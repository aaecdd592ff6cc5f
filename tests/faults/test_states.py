"""Each state of Slurm, provoked on a real one, is met with the decision of the table `jobs/states.py`."""

import contextlib
import json
import os
import re
import signal

import psutil
import pytest

from hominis.jobs.states import TABLE
from tests.faults.figures import FULL, note
from tests.faults.held_run import HeldRun
from tests.slurm.configuration import BOOSTER, PREEMPTABLE
from tests.slurm.daemons import wait_for

WHOLE_NODE = {"cpus_per_task": 32}
STRUCK = {
    "s0": ("PREEMPTED", "0:0"),
    "s1": ("FAILED", "75:0"),
    "s2": ("NODE_FAIL", "0:0"),
    "s3": ("FAILED", "0:9"),
    "s4": ("COMPLETED", "0:0"),
}
"""What happens to each part: preempted, asked to stop, its node fails, killed, and one that is spared."""

HANGS_ONCE = "hung=$HOMINIS_TEST_FOLDER/hung; [ -e $hung ] || { touch $hung; trap '' USR2 TERM; sleep 1000; }"


@pytest.fixture
def held(cluster, tmp_path):
    """Make runs on the cluster that leave nothing on it."""
    with contextlib.ExitStack() as made:
        yield lambda **options: made.enter_context(contextlib.closing(HeldRun(tmp_path / "run", cluster, **options)))


def note_landed(run, *states, **figures):
    """Note faults of which Slurm itself says that they landed, and that nothing was submitted twice."""
    run.nothing_twice()
    assert not FULL or run.conserves()
    for state in states:
        note("R3", state, 1, **figures)


@pytest.fixture(scope="module")
def struck(cluster, tmp_path_factory):
    """A run whose parts were each hit by another fault while they were at work, a node each; all got done."""
    asked = {"qos": PREEMPTABLE, **WHOLE_NODE}
    with contextlib.closing(HeldRun(tmp_path_factory.mktemp("struck"), cluster, parts=5, asked=asked)) as run:
        run.begin("s0", "s1", "s2", "s3")
        cluster.preempt(run.job("s0"))
        run.refusal = cluster.command("scontrol", "requeue", run.job("s1")).stderr
        run.unharmed = cluster.state(run.job("s1"))
        cluster.output("scancel", "--batch", "--signal=USR2", run.job("s1"))
        run.failed_node = cluster.job(run.job("s2"))["NodeList"]
        cluster.node_down(run.failed_node)
        try:
            os.kill(run.at_work("s3")["pid"], signal.SIGKILL)
            run.index.release()
            run.ended(0)
        finally:
            cluster.node_up(run.failed_node)
        yield run


@pytest.mark.parametrize("part", STRUCK)
def test_what_the_system_ended_is_submitted_again_once(struck, part):
    rows = struck.rows(part)
    assert (rows[0]["State"], rows[0]["ExitCode"]) == STRUCK[part]
    assert [row["State"] for row in rows[1:]] == ([] if part == "s4" else ["COMPLETED"])
    assert struck.each_part_once()
    note_landed(struck, " ".join(STRUCK[part]), decision="submitted again" if part != "s4" else "spared")


def test_a_node_that_failed_is_avoided_by_the_next_submission(struck):
    name = struck.rows("s2")[-1]["JobName"]
    assert json.loads(struck.intents()[name].read_text())["avoid"] == [struck.failed_node]
    assert f"#SBATCH --exclude={struck.failed_node}\n" in struck.intents()[name].with_suffix(".sh").read_text()
    assert struck.rows("s2")[-1]["NodeList"] != struck.failed_node


def test_a_job_that_slurm_may_not_requeue_is_unharmed_when_it_is_told_to(struck):
    assert "Requested operation is presently disabled" in struck.refusal
    assert struck.unharmed == "RUNNING"


def test_where_a_site_requeues_jobs_they_are_the_same_submission(cluster, held):
    run = held(asked={"slurm_extra": "--requeue", "qos": PREEMPTABLE, **WHOLE_NODE})
    run.begin("s0")
    ways = {"REQUEUED": cluster.requeue, "PREEMPTED": cluster.preempt, "NODE_FAIL": lambda job: fail_node(cluster, job)}
    landed = [*ways] if FULL else ["REQUEUED"]
    for n, state in enumerate(landed, 2):
        ways[state](run.job("s0"))
        run.at_work("s0", n)
    run.index.release()
    assert run.ended(0).count("submitted job") == 1
    assert [row["State"] for row in run.rows("s0")] == [*landed, "COMPLETED"]
    ledger = run.ledger()
    assert [row["state"] for row in ledger] == [*landed, "COMPLETED"]
    *unfinished, last = [row["outcome"] for row in ledger]
    assert last == "published" and set(unfinished) <= {"lost", "resume"}
    note_landed(run, *(f"{state}, requeued by Slurm" for state in landed), decision="attached")


def fail_node(cluster, job):
    node = cluster.job(job)["NodeList"]
    cluster.node_down(node)
    cluster.node_up(node)


@pytest.fixture(scope="module")
def stopped(cluster, tmp_path_factory):
    """A run with a part that a user cancelled at work, one cancelled while it waited, and one that fails by itself."""
    with contextlib.closing(
        HeldRun(tmp_path_factory.mktemp("stopped"), cluster, parts=5, spoilt=["s1"], throttle=3, grace_s=3)
    ) as run:
        run.begin("s0", "s1", "s2")
        (array,) = {run.job(part).partition("_")[0] for part in ("s0", "s1", "s2")}
        assert cluster.state(f"{array}_4") == "PENDING"
        cluster.output("scancel", f"{array}_4")
        cluster.output("scancel", f"{array}_0")
        run.index.release()
        run.ended(1)
        yield run


def test_a_task_that_a_user_cancelled_is_not_submitted_again(stopped):
    assert [row["State"] for row in stopped.rows("s0")] == [f"CANCELLED by {os.getuid()}"]
    assert "s0: cancelled by its user" in stopped.words()
    note_landed(stopped, "CANCELLED by its user", decision="stop")


def test_a_pending_task_that_was_cancelled_singly_is_in_no_list_and_not_submitted_again(stopped):
    assert [row for row in stopped.rows("s4") if row["JobName"].startswith("hominis")] == []
    assert "s4: no list of Slurm knows it any more: cancelled while it waited" in stopped.words()
    note_landed(stopped, "a pending task cancelled singly", decision="stop")


def test_a_part_that_fails_by_itself_is_given_up_in_its_own_words(stopped):
    assert [(row["State"], row["ExitCode"]) for row in stopped.rows("s1")] == [("FAILED", "1:0")]
    assert "s1: s1-1.tar.gz is not the file it should be" in stopped.words()
    note_landed(stopped, "FAILED by itself", decision="stop")


def test_the_others_are_done_whatever_stopped_some(stopped):
    assert {row["part"] for row in stopped.ledger() if row["outcome"] == "published"} == {"s2", "s3"}
    assert "fetch: 3 of 5 parts could not be had" in stopped.words()


def test_a_job_cancelled_as_a_whole_is_taken_up_by_the_next_start(cluster, held):
    run = held(parts=3, throttle=2, grace_s=3)
    run.begin("s0", "s1")
    cluster.output("scancel", run.job("s0").partition("_")[0])
    assert run.ended(1).count("\n  remedy: start again to go on") == 3
    assert run.words().count("cancelled by its user") >= 2  # who waited may have been in no list yet
    run.index.release()
    run.get_done()
    assert run.each_part_once()
    note_landed(run, "CANCELLED by its user, all of it", decision="stop")


def test_a_job_that_never_starts_its_part_is_given_up_with_the_words_of_its_log(held):
    run = held(setup=["echo module: command not found: singularity; exit 7"])
    run.driver()
    said = run.ended(1)
    assert "s0: did not start (ended with exit code 7): module: command not found: singularity" in said
    assert [(row["State"], row["ExitCode"]) for row in run.rows("s0")] == [("FAILED", "7:0")]
    note_landed(run, "FAILED before its part began", decision="stop")


def test_a_process_that_lives_on_on_a_lost_node_writes_into_nothing(cluster, held):
    run = held()
    run.begin("s0")
    old, node = psutil.Process(run.at_work("s0")["pid"]), cluster.job(run.job("s0"))["NodeList"]
    old.suspend()
    assert old in cluster.stop_daemon(node)
    try:
        new = psutil.Process(run.at_work("s0", 2)["pid"])
        assert cluster.job(run.job("s0"))["ExcNodeList"] == node
        new.suspend()
        run.index.release()
        old.resume()
        assert old.wait(timeout=60) is None
        assert run.attempts("s0")[0][-1]["outcome"] == "failed"
        assert "published" not in str(run.attempts("s0")), "the old process came first, and published nothing"
        new.resume()
        run.ended(0)
    finally:
        cluster.start_daemon(node)
    assert [row["State"] for row in run.rows("s0")] == ["NODE_FAIL", "COMPLETED"]
    assert [row["outcome"] for row in run.ledger()] == ["failed", "published"]
    note_landed(run, "node down, its process alive", decision="submitted again elsewhere")


def test_pending_jobs_wait_for_a_partition_that_is_down_and_status_says_so(cluster, held):
    run = held()
    cluster.partition("DOWN")
    try:
        run.driver()
        wait_for(lambda: "(PartitionDown)" in run.words(), 60, "the driver doesn't say why it waits")
        assert "1 pending · PartitionDown" in run.hominis("status").stdout
    finally:
        cluster.partition("UP")
    run.index.release()
    run.ended(0)
    note_landed(run, f"partition {BOOSTER} down", decision="waited")


def test_an_accounting_that_says_nothing_yet_is_waited_for(cluster, held):
    run = held(grace_s=3)
    run.wrap("sacct", '[ -e $HOMINIS_TEST_FOLDER/silent ] || real "$@"')
    run.begin("s0")
    (run.folder / "silent").touch()
    os.kill(run.at_work("s0")["pid"], signal.SIGKILL)
    cluster.wait_state(run.job("s0"), "FAILED")
    wait_for(lambda: "1 tasks have been in no queue" in run.words(), 60, "the driver doesn't say what it waits for")
    assert len(run.intents()) == 1
    (run.folder / "silent").unlink()
    run.at_work("s0", 2)
    run.index.release()
    run.ended(0)
    note_landed(run, "sacct empty, longer than a grace", decision="waited")


@pytest.mark.skipif(not FULL, reason="tests/unit/jobs/test_batch.py has it in short: at full length only")
def test_an_accounting_that_is_late_for_one_task_is_waited_for(cluster, held):
    """The queue still remembers that the task ended: nobody cancelled it."""
    run = held(parts=2, grace_s=3)
    run.wrap("sacct", 'real "$@" | if [ -e $HOMINIS_TEST_FOLDER/late ]; then grep -v "^[0-9]*_1|"; else cat; fi')
    (run.folder / "late").touch()
    run.begin("s0", "s1")
    os.kill(run.at_work("s1")["pid"], signal.SIGKILL)
    cluster.wait_state(run.job("s1"), "FAILED")
    wait_for(lambda: "1 tasks have been in no queue" in run.words(), 60, "the driver doesn't say what it waits for")
    (run.folder / "late").unlink()
    run.at_work("s1", 2)
    run.index.release()
    run.ended(0)
    note_landed(run, "sacct late, longer than a grace", decision="waited")


@pytest.mark.skipif(not FULL, reason="a wall time is a minute and more: at full length only")
def test_a_job_that_does_not_stop_before_its_wall_time_is_submitted_again(cluster, held):
    run = held(asked={"runtime": 1}, setup=[HANGS_ONCE])
    run.driver()
    run.at_work("s0")
    run.index.release()
    run.ended(0)
    assert [row["State"] for row in run.rows("s0")] == ["TIMEOUT", "COMPLETED"]
    note_landed(run, "TIMEOUT", decision="submitted again")


def test_every_state_that_this_slurm_has_is_in_the_table(cluster):
    said = cluster.command("squeue", "--states=nonsense").stderr
    states = re.search(r"Valid job states include: (\S+)", said)[1].split(",")
    assert len(states) > 20 and set(states) <= TABLE.keys()
