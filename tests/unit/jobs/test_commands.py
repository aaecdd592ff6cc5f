"""Slurm's answers: a yes, a no, or nothing that one may act upon."""

import fcntl
import json
import os
import subprocess
import sys
import threading
import time

import pytest

from hominis.jobs import commands
from hominis.jobs.backend import Unclear
from hominis.jobs.commands import Full, Refused, ask, sbatch
from tests.unit.jobs.programs import put

FAILED = "sbatch: error: Batch job submission failed:"


@pytest.fixture
def answer(tmp_path, monkeypatch):
    """Return ``answer(script)``: sbatch is that script now; returns what our sbatch makes of it."""

    def do(script):
        put(tmp_path / "bin", monkeypatch, sbatch=script)
        return sbatch("job.sh", os.open(os.devnull, os.O_RDONLY))

    return do


@pytest.mark.parametrize(("said", "job"), [("17", "17"), ("17;leonardo", "17")])
def test_the_id_is_what_it_answers(answer, said, job):
    assert answer(f"echo '{said}'") == job


@pytest.mark.parametrize(
    "script",
    [
        "exit 1",
        "echo 'Submitted, maybe'",
        "true",
        f"echo '{FAILED} Unable to contact slurm controller (connect failure)' >&2; exit 1",
        f"echo '{FAILED} Socket timed out on send/recv operation' >&2; exit 1",
        f"echo '{FAILED} Slurm temporarily unable to accept job, sleeping and retrying' >&2; exit 1",
        "kill -9 $$",
    ],
)
def test_an_unclear_answer_is_no_answer(answer, script):
    with pytest.raises(Unclear):
        answer(script)


def test_an_answer_that_never_comes_is_no_answer(answer, monkeypatch):
    monkeypatch.setattr(commands, "PATIENCE_S", 0.3)
    with pytest.raises(Unclear, match=r"sbatch has not answered for"):
        answer("exec sleep 60")


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ("Invalid account or account/partition combination specified", "slurm_"),
        ("Invalid partition name specified", "slurm_partition"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "runtime"),
        ("Invalid qos specification", "qos"),
        ("Something that nobody foresaw", "profile"),
    ],
)
def test_a_no_carries_the_words_and_a_remedy(answer, words, remedy):
    with pytest.raises(Refused) as no:
        answer(f"echo '{FAILED} {words}' >&2; exit 1")
    assert words in str(no.value) and remedy in no.value.remedy
    assert not isinstance(no.value, Full)


def test_an_option_that_sbatch_does_not_know_is_a_no(answer):
    with pytest.raises(Refused, match="unrecognized option"):
        answer("echo \"sbatch: unrecognized option '--foo'\" >&2; exit 1")


def test_too_many_waiting_jobs_are_told_from_other_limits(answer):
    generic = "Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)"
    with pytest.raises(Full):
        answer(f'echo "sbatch: error: AssocMaxSubmitJobLimit\n{FAILED} {generic}" >&2; exit 1')
    with pytest.raises(Refused) as no:
        answer(f'echo "sbatch: error: QOSMaxNodePerJobLimit\n{FAILED} {generic}" >&2; exit 1')
    assert not isinstance(no.value, Full)


def test_a_command_that_is_not_there_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Refused, match="the command squeue is not there"):
        ask("squeue")


def test_variables_that_stand_for_options_are_kept_out(tmp_path, monkeypatch):
    put(tmp_path / "bin", monkeypatch, squeue="env")
    for name in ("SLURM_MEM_PER_NODE", "SBATCH_PARTITION", "SQUEUE_USERS", "SACCT_FORMAT", "HOMINIS_LAUNCH"):
        monkeypatch.setenv(name, "from-outside")
    monkeypatch.setenv("SLURM_CONF", "kept")
    seen = ask("squeue")
    assert "from-outside" not in seen and "SLURM_CONF=kept" in seen and "SLURM_BITSTR_LEN=0" in seen


HELD = """
import os, sys, subprocess
from hominis.jobs.commands import sbatch
from hominis.jobs.lock import sole_driver
from pathlib import Path
with sole_driver(Path(sys.argv[1]), print) as lock:
    sbatch("job.sh", lock.fileno())
"""


def test_an_sbatch_that_outlives_its_driver_holds_the_lock(tmp_path, monkeypatch):
    """The next driver must not look before it is known whether the job was taken."""
    put(tmp_path / "bin", monkeypatch, sbatch=f"touch {tmp_path}/began; sleep 2; touch {tmp_path}/taken; echo 5")
    driver = subprocess.Popen([sys.executable, "-c", HELD, str(tmp_path / "lock")])
    while not (tmp_path / "began").exists():
        assert driver.poll() is None
    driver.kill()
    driver.wait()
    assert not (tmp_path / "taken").exists(), "the fault landed: the driver died while sbatch was at work"
    from hominis.jobs.lock import sole_driver

    with sole_driver(tmp_path / "lock", lambda _: None):
        assert (tmp_path / "taken").exists()


def test_a_driver_that_has_only_just_taken_the_lock_is_named_to_who_waits_for_it(tmp_path):
    from hominis.jobs.lock import sole_driver
    from hominis.store.owner import myself

    said = []

    def wait():
        with sole_driver(tmp_path / "lock", said.append):
            pass

    with (tmp_path / "lock").open("a+") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = threading.Thread(target=wait)
        waiting.start()
        time.sleep(0.2)  # it has looked by now, and found no name
        held.write(json.dumps(myself()))
        held.flush()
        while not said:
            time.sleep(0.01)
    waiting.join()
    assert f"process {os.getpid()}" in said[0]
