"""What an attempt records of its progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from hominis.store.work import Work


def test_what_a_kill_would_leave_is_recorded_where_it_is_known(tmp_path: Path) -> None:
    work = Work(tmp_path / "scratch", tmp_path / "records")
    work.progress(7, 10, "steps", kept=5, loss=2.5)
    assert work.latest == {"done": 7, "total": 10, "unit": "steps", "kept": 5, "loss": 2.5}
    work.progress(8, 10, "steps")
    assert "kept" not in work.latest


def test_a_warning_reaches_the_log_and_the_next_heartbeat(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    work = Work(tmp_path / "scratch", tmp_path / "records")
    work.warn("a checkpoint is damaged")
    assert capsys.readouterr().err == "a checkpoint is damaged\n"
    assert work.warnings == ["a checkpoint is damaged"]
