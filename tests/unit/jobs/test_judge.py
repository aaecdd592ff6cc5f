"""When a part is submitted again, and when it is given up."""

import pytest

from hominis.jobs.backend import Job
from hominis.jobs.judge import TRIES, Judge
from hominis.jobs.local import Local
from hominis.jobs.states import rule
from hominis.store.attempts import DEAD, ENDED, Standing


@pytest.fixture
def judge(tmp_path):
    return Judge(Local(tmp_path / "task.json", tmp_path / "logs", 1))


def lost(n, kept=None):
    """Return how an attempt stands that was killed, with a checkpoint of so many steps."""
    return Standing(n, DEAD, "job 5_0 was NODE_FAIL", last={"progress": {} if kept is None else {"kept": kept}})


def failed(n, words="no such file"):
    return Standing(n, ENDED, "failed", last={"outcome": "failed", "error": words})


def job(state, exit_code="0:0", where=()):
    return Job(state, rule(state, exit_code), where)


def ends(judge, *stands, state="NODE_FAIL"):
    """Submit a part anew after each end; returns why it is given up, and after how many ends."""
    before = Standing(0, ENDED)
    for count, stand in enumerate(stands, 1):
        judge.submitted("p", before)
        judge.judge("p", stand, job(state))
        if judge.failed:
            return count, judge.failed["p"]
        before = stand
    return None


def test_ends_without_a_newer_checkpoint_are_bounded(judge):
    count, why = ends(judge, *(lost(n, kept=30) for n in range(1, 9)))
    assert count == TRIES + 1, "the first end came with a checkpoint"
    assert why == f"{TRIES} attempts ended without a newer checkpoint, the last: its node failed"


def test_a_newer_checkpoint_gives_all_tries_anew(judge):
    assert ends(judge, *(lost(n, kept=n // 2) for n in range(1, 20))) is None


def test_a_part_without_checkpoints_has_three_tries(judge):
    assert ends(judge, *(lost(n) for n in range(1, 9)))[0] == TRIES


def test_a_part_that_failed_by_itself_is_given_up_at_once_in_its_own_words(judge):
    assert ends(judge, failed(1), state="FAILED") == (1, "no such file")


def test_how_an_attempt_before_the_submission_ended_means_nothing(judge):
    judge.submitted("p", failed(1))
    judge.judge("p", failed(1), job("NODE_FAIL"))
    assert judge.failed == {}


def test_what_another_driver_left_has_its_tries_anew(judge):
    judge.judge("p", failed(3), job("CANCELLED by 0"))
    assert judge.failed == {} and not judge.knows("p")


@pytest.mark.parametrize("state", ["VANISHED", "OUT_OF_MEMORY", "DEADLINE"])
def test_what_was_stopped_or_would_happen_again_is_given_up_with_a_remedy(judge, state):
    count, why = ends(judge, lost(1), state=state)
    assert (count, why) == (1, f"{rule(state).words}\n  remedy: {rule(state).remedy}")


def test_a_job_that_did_not_reach_its_part_is_told_with_the_end_of_its_log(judge, tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "p.log").write_text("x" * 5000 + "\npython: not found\n")
    judge.submitted("p", lost(4))
    judge.judge("p", lost(4), job("FAILED", "127:0"))
    why = judge.failed["p"]
    assert why.startswith("did not start (ended with exit code 127): xxx") and why.endswith("python: not found")
    assert len(why) < 2100


def test_only_nodes_that_failed_are_avoided(judge):
    jobs = {
        "p0": job("NODE_FAIL", where=("n1",)),
        "p1": job("PREEMPTED", where=("n2",)),
        "p2": job("BOOT_FAIL", where=("n3",)),
        "p3": job("NODE_FAIL", where=("n4",)),
    }
    assert judge.avoid(["p0", "p1", "p2"], jobs) == {"n1", "n3"}
