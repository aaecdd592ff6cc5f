"""sbatch is accepted but its answer is lost, late or garbled: the job is found by its token, never submitted again."""

import random

import pytest

from tests.faults.figures import FULL, note
from tests.faults.slurm_run import CheapRun

RUNS, LOST = (5, 10) if FULL else (1, 8)
NO_CONTACT = 'echo "sbatch: error: Batch job submission failed: Unable to contact slurm controller" >&2; exit 1'
CALL = "$(grep -c called $calls)"
ANSWERS = {
    "an error": f'real "$@" > /dev/null; {NO_CONTACT}',
    "an error, and the job comes later": f'(sleep 2; real "$@") > /dev/null 2>&1 & {NO_CONTACT}',
    "garbage": 'real "$@" > /dev/null; head -c 80 /dev/urandom',
    "another job's id": 'real "$@" > /dev/null; echo 999999',
    "half an answer": 'real "$@" > /dev/null; echo ";leonardo"',
    "silence": 'real "$@" > /dev/null',
    "silence, sbatch being killed": 'real "$@" > /dev/null; sleep 0.5; kill -9 $$',
    "an answer after long": 'answer=$(real "$@"); sleep 3; echo "$answer"',
}


def in_turn(answers):
    """Return a wrapper whose first call answers in one way, the second in another."""
    return f"case {CALL} in\n" + "\n".join(f"{i}) {ANSWERS[a]};;" for i, a in enumerate(answers, 1)) + "\nesac"


def counted(run):
    """Return how many arrays there are twice, and how many jobs were lost."""
    rows = run.charged()
    return run.duplicates(rows), run.lost(rows)


@pytest.mark.timeout(1800 if FULL else 600)
def test_a_job_whose_answer_was_lost_is_found_by_its_token(cluster, tmp_path):
    shuffled, found = random.Random(2), []
    for n in range(RUNS):
        answers = shuffled.sample([*ANSWERS, *ANSWERS], LOST) if FULL else list(ANSWERS)
        run = CheapRun(tmp_path / str(n), cluster, parts=LOST, array=1)
        run.wrap_sbatch(in_turn(answers))
        said = run.get_done()
        assert run.calls("called") == run.calls("taken") == len(run.intents()) == LOST, said
        assert counted(run) == (0, 0)
        assert run.each_part_once()
        assert said.count("adopted job") == LOST - sum(
            a in ("another job's id", "an answer after long") for a in answers
        )
        found += answers
    note("R2", "sbatch took the job, its answer was lost", len(found), **{"submitted again": 0, "jobs lost": 0})


def test_what_sbatch_did_not_take_is_sent_again_under_the_same_token(cluster, tmp_path):
    run = CheapRun(tmp_path / "run", cluster, parts=2)
    run.wrap_sbatch(f'if [ {CALL} = 1 ]; then {NO_CONTACT}; fi; real "$@"')
    said = run.get_done()
    assert "waiting: sbatch: " in said and "Unable to contact slurm controller" in said
    assert "sending the same intent again" in said and "in no queue" not in said
    assert (run.calls("called"), run.calls("taken"), len(run.intents())) == (2, 1, 1)
    assert counted(run) == (0, 0)
    note("R2", "sbatch did not take it and said so unclearly", 1, **{"jobs twice": 0, "jobs lost": 0})


@pytest.mark.skipif(not FULL, reason="sbatch is waited for two minutes: at full length only")
def test_sbatch_that_never_ends_is_given_up_and_its_job_found(cluster, tmp_path):
    run = CheapRun(tmp_path / "run", cluster, parts=2)
    run.wrap_sbatch('real "$@" > /dev/null; exec sleep 1000')
    said = run.get_done()
    assert "waiting: sbatch has not answered" in said and "adopted job" in said
    assert run.calls("called") == run.calls("taken") == 1
    assert counted(run) == (0, 0)
    note("R2", "sbatch took the job and hangs", 1, **{"submitted again": 0, "jobs lost": 0})


def test_of_a_batch_that_was_taken_twice_after_all_one_is_cancelled(cluster, tmp_path):
    """The cancelled one says nothing of the other, whose tasks die once here and are submitted again."""
    die_once = (
        "died=$HOMINIS_TEST_FOLDER/died$SLURM_ARRAY_TASK_ID; [ -e $died ] || { sleep 5; touch $died; kill -9 $$; }"
    )
    run = CheapRun(tmp_path / "run", cluster, parts=4, setup=[die_once])
    late = f'(while [ {CALL} = 1 ]; do sleep 0.1; done; sleep 2; real "$@") > /dev/null 2>&1 &'
    run.wrap_sbatch(f'if [ {CALL} = 1 ]; then {late} {NO_CONTACT}; fi; real "$@"')
    said = run.get_done()
    assert "is a second one of" in said
    assert said.count("submitted job") == run.calls("taken") - 1 == len(run.intents())
    assert run.each_part_once()
    note("R2", "sbatch took the job twice after all", 1, **{"second one cancelled": 1, "published twice": 0})
