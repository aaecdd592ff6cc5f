"""The seconds of a start, by name."""

from __future__ import annotations

import pytest

from hominis.train import laps


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    times = [12.0, 13.0, 17.0, 19.0, 30.0]
    monkeypatch.setattr(laps, "_marks", [])
    monkeypatch.setattr("hominis.train.laps.time.time", lambda: times.pop(0))
    return times


def test_what_is_done_in_two_turns_is_added_and_what_comes_after_the_first_step_is_not_told(clock: list[float]) -> None:
    for name in (laps.LAUNCH, laps.IMPORTS, laps.MODEL, laps.IMPORTS):
        laps.mark(name)
    assert laps.seconds(since=10.0) == {laps.LAUNCH: 2.0, laps.IMPORTS: 3.0, laps.MODEL: 4.0}
    laps.mark(laps.FIRST_STEP)
    assert laps.seconds(since=10.0)[laps.FIRST_STEP] == 11.0


def test_the_seconds_add_up_to_the_time_from_the_launch_to_the_end_of_the_first_step(clock: list[float]) -> None:
    for name in (laps.LAUNCH, laps.IMPORTS, laps.MODEL, laps.FIRST_STEP, laps.DATA):
        laps.mark(name)
    assert sum(laps.seconds(since=10.0).values()) == 19.0 - 10.0
