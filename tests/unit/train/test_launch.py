"""How the launcher tells a rank that failed from one that was killed, and one to be resumed from both."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from hominis.errors import ConfigError, HominisError, Interrupted, StageFailed
from hominis.train import launch, srun

RANK = """
import os, sys, time
from hominis.errors import InputError, Interrupted
from hominis.train.process import guarded
def say(error):
    raise error
print("rank", os.environ["RANK"], "says its last", flush=True)
if os.environ["RANK"] == "1":
    {end}
time.sleep(600)
"""


def launched(folder: Path, monkeypatch: pytest.MonkeyPatch, end: str) -> HominisError:
    """Run two ranks, the second of which ends in this way; return the error."""
    (folder / "doomed.py").write_text(RANK.format(end=end))
    monkeypatch.setenv("PYTHONPATH", str(folder))
    ranks = launch.Launch("doomed", [], world=2, threads=1, folder=folder)
    with pytest.raises(HominisError) as caught:
        launch.run(ranks, poll=lambda: None, stopping=lambda: False)
    return caught.value


@pytest.mark.parametrize(("number", "blamed"), [(9, True), (11, False)])
def test_killed_rank_is_an_interruption_to_resume_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, blamed: bool
) -> None:
    error = launched(tmp_path, monkeypatch, f"os.kill(os.getpid(), {number})")
    assert isinstance(error, Interrupted)
    assert f"rank 1 of 2 was killed by signal {number} (" in error.problem
    assert ("memory ran out" in error.problem) == blamed
    assert "rank 1 says its last" in error.problem


def test_rank_with_an_error_code_is_a_failure_that_shows_its_log_and_no_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = launched(tmp_path, monkeypatch, "sys.exit(3)")
    assert isinstance(error, StageFailed)
    assert "rank 1 of 2 ended with code 3" in error.problem
    assert "rank 1 says its last" in error.problem
    assert str(tmp_path) not in str(error)


def test_rank_that_fails_because_another_was_killed_does_not_hide_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed = tmp_path / "killed"
    monkeypatch.setattr(launch, "POLL_SECONDS", 3.0)
    end = f"open({str(killed)!r}, 'w').close(); os.kill(os.getpid(), 9)"
    waits = f"while not os.path.exists({str(killed)!r}): time.sleep(0.05)"
    error = launched(tmp_path, monkeypatch, f"{end}\n{waits}\nsys.exit(1)")
    assert isinstance(error, Interrupted)
    assert "rank 1 of 2" in error.problem


def test_rank_that_failed_is_named_and_not_those_that_lost_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "POLL_SECONDS", 3.0)
    error = launched(tmp_path, monkeypatch, "sys.exit(3)\nsys.exit(guarded(lambda: say(Interrupted('no contact'))))")
    assert isinstance(error, StageFailed)
    assert "rank 1 of 2 ended with code 3" in error.problem


def test_ranks_that_all_lost_contact_are_to_be_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    both = "pass\nsys.exit(guarded(lambda: say(Interrupted('no contact', remedy='again'))))"
    error = launched(tmp_path, monkeypatch, both)
    assert isinstance(error, Interrupted)
    assert (error.problem, error.remedy) == ("no contact", "again")


def test_ranks_run_under_the_python_that_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMINIS_PYTHON", f"env CONTAINER='i.sif 1' {sys.executable}")
    error = launched(tmp_path, monkeypatch, "print('within', os.environ['CONTAINER']); sys.exit(3)")
    assert "within i.sif 1" in error.problem


def test_srun_outside_of_a_job_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOMINIS_LAUNCH", "srun")
    monkeypatch.delenv("SLURM_JOB_NODELIST", raising=False)
    assert isinstance(launched(tmp_path, monkeypatch, "pass"), ConfigError)


def test_jobs_that_share_a_node_and_a_requeued_job_meet_at_other_ports() -> None:
    ports = {srun.port(job, restarts) for job in range(4_000_000, 4_000_100) for restarts in range(5)}
    assert len(ports) == 500
    assert min(ports) >= 20_000
    assert max(ports) < 30_000
