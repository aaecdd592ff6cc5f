"""The table of states: what follows from each."""

import os
import signal

import pytest

from hominis.jobs.states import EXIT_BUSY, EXIT_RESUME, TABLE, VANISHED, Decision, rule

UNDER_WAY = (
    "PENDING CONFIGURING RUNNING COMPLETING SUSPENDED STOPPED SIGNALING STAGE_OUT RESIZING REQUEUED REQUEUE_HOLD "
    "REQUEUE_FED SPECIAL_EXIT RESV_DEL_HOLD POWER_UP_NODE UPDATE_DB"
)
ENDS = {
    "COMPLETED": Decision.RESUME,
    "TIMEOUT": Decision.RESUME,
    "PREEMPTED": Decision.RESUME,
    "REVOKED": Decision.RESUME,
    "CANCELLED": Decision.RESUME,
    "NODE_FAIL": Decision.ELSEWHERE,
    "BOOT_FAIL": Decision.ELSEWHERE,
    "LAUNCH_FAILED": Decision.ELSEWHERE,
    "RECONFIG_FAIL": Decision.ELSEWHERE,
    "OUT_OF_MEMORY": Decision.GIVE_UP,
    "DEADLINE": Decision.GIVE_UP,
    VANISHED: Decision.STOP,
    "FAILED": Decision.BROKEN,
}


@pytest.mark.parametrize("state", UNDER_WAY.split())
def test_what_is_under_way_is_waited_for(state):
    assert rule(state).decision is Decision.ATTACH


@pytest.mark.parametrize(("state", "decision"), ENDS.items())
def test_what_has_ended_has_its_decision_and_words_for_people(state, decision):
    found = rule(state, "1:0")
    assert found.decision is decision
    assert found.words


def test_no_other_state_is_in_the_table():
    assert TABLE.keys() == {*UNDER_WAY.split(), *ENDS}


@pytest.mark.parametrize("state", ["QUANTUM_FAIL", "", "running", "TIMEOUT "])
def test_what_is_not_understood_is_waited_for_never_submitted_again(state):
    assert rule(state).decision is Decision.ATTACH


def test_only_its_own_user_cancels_a_job_for_good():
    assert rule("CANCELLED by 1000", uid=1000).decision is Decision.STOP
    assert rule("CANCELLED by 0", uid=1000).decision is Decision.RESUME
    assert rule(f"CANCELLED by {os.getuid()}").decision is Decision.STOP
    assert "start again" in rule("CANCELLED by 1000", uid=1000).remedy


@pytest.mark.parametrize(
    ("exit_code", "decision", "words"),
    [
        (f"{EXIT_RESUME}:0", Decision.RESUME, "stopped when asked to"),
        (f"{EXIT_BUSY}:0", Decision.RESUME, "another attempt"),
        ("0:9", Decision.RESUME, "killed by signal 9"),
        (f"{128 + signal.SIGTERM}:0", Decision.RESUME, f"killed by signal {int(signal.SIGTERM)}"),
        ("1:0", Decision.BROKEN, "exit code 1"),
        ("127:0", Decision.BROKEN, "exit code 127"),
        ("255:0", Decision.BROKEN, "exit code 255"),
    ],
)
def test_the_exit_code_tells_a_stopped_job_from_a_broken_one(exit_code, decision, words):
    found = rule("FAILED", exit_code)
    assert found.decision is decision
    assert words in found.words


def test_only_a_failed_job_is_judged_by_its_exit_code():
    assert rule("TIMEOUT", "1:0").decision is Decision.RESUME
    assert rule("NODE_FAIL", f"{EXIT_RESUME}:0").decision is Decision.ELSEWHERE
