"""What squeue and sacct print, as real clusters printed it, becomes tasks."""

import pytest

from hominis.jobs.accounting import accounting
from hominis.jobs.backend import Unclear
from hominis.jobs.queue import queue, queue_of
from tests.unit.jobs.programs import put

SQUEUE = """\
hominis-fetch-aa|6|2|6|PENDING|JobArrayTaskLimit||N/A
hominis-fetch-aa|6|0|7|RUNNING|None|lrdn0001|1795322224
other-job|9|N/A|9|RUNNING|None|lrdn0002|1795322224
"""
SACCT = """\
5_[2-4,7%64]|5|hominis-fetch-bb|CANCELLED by 0|0:0|0|1|None assigned|None|1795322300||0
5_1|7|hominis-fetch-bb|NODE_FAIL|0:0|11|2|lrdn[0001-0002]|1795322200|1795322211||44
5_1|7|hominis-fetch-bb|COMPLETED|0:0|7|2|lrdn[0003-0004]|1795322290|1795322297|2100|28
5_0|6|hominis-fetch-bb|FAILED|75:0|3|1|lrdn0001|1795322200|1795322203|0|3
"""


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    (tmp_path / "squeue.txt").write_text(SQUEUE)
    (tmp_path / "sacct.txt").write_text(SACCT)
    count = f"echo x >> {tmp_path}/calls"
    put(
        tmp_path / "bin",
        monkeypatch,
        squeue=f"{count}; cat {tmp_path}/squeue.txt",
        sacct=f'{count}; echo "$@" > {tmp_path}/asked; cat {tmp_path}/sacct.txt',
    )
    return lambda: len((tmp_path / "calls").read_text().split())


def test_only_our_tasks_are_seen_by_name_and_index(slurm, tmp_path):
    found = queue(tmp_path / "polls", 5)
    assert set(found) == {("hominis-fetch-aa", 2), ("hominis-fetch-aa", 0)}
    (waiting,), (running,) = found["hominis-fetch-aa", 2], found["hominis-fetch-aa", 0]
    assert (waiting.state, waiting.reason, waiting.start) == ("PENDING", "JobArrayTaskLimit", None)
    assert (running.job, running.raw, running.nodes, running.start) == ("6", "7", "lrdn0001", 1795322224.0)


def test_many_drivers_share_one_look(slurm, tmp_path):
    assert [queue(tmp_path / "polls", 60) for _ in range(5)][4] and slurm() == 1
    queue(tmp_path / "polls", 0)
    assert slurm() == 2, "an old look is not used"
    queue_of("hominis-fetch-aa")
    assert slurm() == 3, "a question about one batch is asked now"


def test_a_row_for_tasks_that_never_started_stands_for_each(slurm):
    found = accounting(["hominis-fetch-bb"], 1795322000)
    assert [found["hominis-fetch-bb", i][0].state for i in (2, 3, 4, 7)] == ["CANCELLED by 0"] * 4
    assert ("hominis-fetch-bb", 5) not in found
    assert found["hominis-fetch-bb", 2][0].start is None


def test_tries_are_in_their_order_with_what_they_cost(slurm):
    first, second = accounting(["hominis-fetch-bb"], 1795322000)["hominis-fetch-bb", 1]
    assert (first.state, first.seconds, first.nodes, first.joules) == ("NODE_FAIL", 11, 2, 0.0)
    assert (second.state, second.joules, second.where) == ("COMPLETED", 2100.0, "lrdn[0003-0004]")


def test_joules_that_slurm_leaves_out_of_a_job_are_those_of_its_largest_step(slurm, tmp_path):
    """As without srun, and of a requeued job. Steps that run side by side each have all that their nodes consumed."""
    job = "5_1|7|hominis-fetch-bb|REQUEUED|0:0|11|2|lrdn[1-2]|{}|{}|{}|44\n"
    step = "5_1.{0}|7.{0}|{0}|COMPLETED|0:0|11|2|lrdn[1-2]|10|21|{1}|44\n"
    steps = step.format("batch", 1000) + step.format("0", 2000) + step.format("1", 1900)
    (tmp_path / "sacct.txt").write_text(
        job.format(10, 21, "") + steps + job.format(30, 41, 3900) + steps + job.format(50, 61, "")
    )
    joules = [row.joules for row in accounting(["hominis-fetch-bb"], 0.0, energy=True)["hominis-fetch-bb", 1]]
    assert joules == [2000.0, 3900.0, 0.0]


def test_nothing_is_asked_about_nothing(slurm, tmp_path):
    assert accounting([], 0.0) == {} and not (tmp_path / "asked").exists()


def test_a_tasks_own_row_is_newer_than_one_that_it_shares_and_a_waiting_one_the_newest(slurm, tmp_path):
    own = "5_2|9|hominis-fetch-bb|TIMEOUT|0:0|60|1|lrdn0001|1795322100|1795322160|0|60\n"
    waits = "5_2|9|hominis-fetch-bb|PENDING|0:0|0|1|None assigned|Unknown|Unknown||0\n"
    (tmp_path / "sacct.txt").write_text(waits + own + SACCT)
    states = [row.state for row in accounting(["hominis-fetch-bb"], 1795322000)["hominis-fetch-bb", 2]]
    assert states == ["CANCELLED by 0", "TIMEOUT", "PENDING"]


@pytest.mark.parametrize("garbled", ["hominis-fetch-aa|6|2", "hominis-fetch-aa|6|2|6|PENDING|a|b|c|d"])
def test_a_garbled_answer_is_unclear(slurm, tmp_path, garbled):
    for name in ("squeue", "sacct"):
        (tmp_path / f"{name}.txt").write_text(garbled + "\n")
    with pytest.raises(Unclear, match="squeue answered 'hominis"):
        queue(tmp_path / "polls", 0)
    with pytest.raises(Unclear, match="sacct answered"):
        accounting(["hominis-fetch-bb"], 0.0)


def test_silence_is_unclear(tmp_path, monkeypatch):
    put(tmp_path / "bin", monkeypatch, squeue="exit 1")
    with pytest.raises(Unclear, match="squeue: exit code 1"):
        queue(tmp_path / "polls", 0)
