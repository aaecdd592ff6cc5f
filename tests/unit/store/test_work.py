"""What an attempt records of its progress."""

from __future__ import annotations

from pathlib import Path

from hominis.store.work import Work


def test_what_a_kill_would_leave_is_recorded_where_it_is_known(tmp_path: Path) -> None:
    work = Work(tmp_path / "scratch", tmp_path / "records")
    work.progress(7, 10, "steps", kept=5, loss=2.5)
    assert work.latest == {"done": 7, "total": 10, "unit": "steps", "kept": 5, "loss": 2.5}
    work.progress(8, 10, "steps")
    assert "kept" not in work.latest
