"""How a batch's tasks stand, from what the queue and the accounting say in turn."""

import pytest

from hominis.jobs import intents
from hominis.jobs.accounting import Charged
from hominis.jobs.batch import LOST, Batch, Round
from hominis.jobs.queue import Queued
from hominis.jobs.states import VANISHED, Decision

PATIENT, AT_ONCE = 3600.0, -1.0
"""How long a task may be in no list."""


@pytest.fixture
def intent(site):
    made = intents.write(site.jobs("fetch", "k1"), "a-run", ["p0", "p1"], [])
    made.taken("5")
    return made


def queued(intent, **states):
    """Return what squeue says of the tasks `p0` and `p1`."""
    rows = {part: Queued("5", "6", state, "None", "n1", None) for part, state in states.items()}
    return {(intent.name, int(part[1:])): [row] for part, row in rows.items()}


def charged(intent, **states):
    """Return what sacct says of the tasks, each state with its exit code if it has one: `FAILED 1:0`."""
    found = {}
    for part, words in states.items():
        state, _, code = words.partition(" ")
        row = Charged(intent.name, int(part[1:]), "5", "6", state, code or "0:0", 9, 1, "n1", 1000.0, 0.0, 9)
        found[intent.name, int(part[1:])] = [row]
    return found


def stands(batch, *looks):
    """Return the state of each part after some looks."""
    for look in looks:
        found = batch.jobs(["p0", "p1"], look)
    return {part: job.state for part, job in found.items()}


def test_two_equal_looks_say_that_a_task_has_ended_one_does_not(intent):
    batch = Batch(intent, PATIENT)
    once = Round(queued(intent, p1="RUNNING"), charged(intent, p0="NODE_FAIL"))
    assert stands(batch, once) == {"p0": "ENDING", "p1": "RUNNING"}
    assert batch.proof(0) is None
    assert stands(batch, once) == {"p0": "NODE_FAIL", "p1": "RUNNING"}
    assert batch.proof(0) == "job 5_0 was NODE_FAIL"
    assert batch.open and intent.ends is None


def test_the_queue_is_believed_before_the_accounting(intent):
    look = Round(queued(intent, p0="PENDING", p1="RUNNING"), charged(intent, p0="NODE_FAIL", p1="FAILED 1:0"))
    assert stands(Batch(intent, PATIENT), look, look) == {"p0": "PENDING", "p1": "RUNNING"}


def test_ends_are_on_record_for_the_next_driver_once_none_is_under_way(intent):
    look = Round({}, charged(intent, p0="NODE_FAIL", p1="FAILED 75:0"))
    stands(Batch(intent, PATIENT), look, look)
    (p0, p1) = Batch(intents.read(intent.path), PATIENT).jobs(["p0", "p1"], Round({}, {})).values()
    assert (p0.state, p0.rule.decision, p0.where) == ("NODE_FAIL", Decision.ELSEWHERE, ("n1",))
    assert (p1.state, p1.rule.words) == ("FAILED", "stopped when asked to")


@pytest.mark.parametrize("remembered", [{}, {"p0": "CANCELLED"}])
def test_a_task_that_the_accounting_never_heard_of_was_cancelled_while_it_waited(intent, remembered):
    look = Round(queued(intent, **remembered, p1="RUNNING"), charged(intent, p1="RUNNING"))
    assert stands(Batch(intent, PATIENT), look, look)["p0"] == "UNKNOWN"
    assert stands(Batch(intent, AT_ONCE), look)["p0"] == VANISHED


def test_a_task_whose_end_the_queue_remembers_is_not_taken_for_cancelled_though_the_accounting_is_late(intent):
    look = Round(queued(intent, p0="FAILED", p1="RUNNING"), charged(intent, p1="RUNNING"))
    batch = Batch(intent, AT_ONCE)
    assert stands(batch, look, look)["p0"] == "UNKNOWN"
    told = Round(look.queued, charged(intent, p0="FAILED 0:9", p1="RUNNING"))
    assert stands(batch, told, told)["p0"] == "FAILED"


@pytest.mark.parametrize("rows", [{}, {"p0": "RUNNING", "p1": "RUNNING"}])
def test_an_accounting_that_knows_no_end_ends_nothing_however_long_it_takes(intent, rows):
    (p0, p1) = Batch(intent, AT_ONCE).jobs(["p0", "p1"], Round({}, charged(intent, **rows))).values()
    assert p0.alive and p1.alive
    assert p0.reason == p1.reason == LOST


def test_without_the_accounting_nothing_ends_and_no_time_passes(intent):
    batch, silence = Batch(intent, AT_ONCE), Round(queued(intent, p1="RUNNING"), None)
    assert stands(batch, silence, silence) == {"p0": "UNKNOWN", "p1": "RUNNING"}


def test_a_task_that_runs_though_its_part_is_there_is_no_ghost_at_once(intent):
    look = Round(queued(intent, p0="RUNNING", p1="RUNNING"), {})
    assert list(Batch(intent, PATIENT).ghosts({"p1"}, look)) == []
