"""How the launcher tells a rank that failed from one that was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from hominis.errors import HominisError, Interrupted, StageFailed
from hominis.train import launch

RANK = """
import os, sys, time
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
