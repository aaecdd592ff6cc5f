"""Looking soon while things change, seldom while they don't; clocks that can't be right."""

import time

from hominis.jobs.backend import Job
from hominis.jobs.clocks import Clocks
from hominis.jobs.pace import Pace
from hominis.jobs.states import rule
from hominis.store.attempts import ALIVE, Standing


def pauses(pace, seen):
    found = []
    for what in seen:
        begun = time.monotonic()
        pace.wait(what)
        found.append(time.monotonic() - begun)
    return found


def test_pauses_grow_to_their_limit_and_shrink_at_a_change():
    found = pauses(Pace(0.01, 0.04), ["a"] * 12 + ["b"])
    assert found[0] < 0.03 and found[11] > 0.03 and found[12] < 0.03


def told(opened, since=0.0):
    said = []
    stands = {"p": Standing(1, ALIVE, owner={"host": "node7"}, opened=opened)}
    clocks = Clocks(said.append, now=lambda: 1000.0)
    for _ in range(3):
        clocks.look(["p"], stands, {"p": Job("RUNNING", rule("RUNNING"), since=since)})
    return said


def test_an_attempt_from_the_future_tells_of_a_clock_ahead():
    (line,) = told(1060.0)
    assert "node7 is at least 60 s ahead of this machine's" in line


def test_an_attempt_from_before_its_submission_tells_of_a_clock_behind():
    (line,) = told(700.0, since=900.0)
    assert "node7 is at least 200 s behind this machine's" in line


def test_clocks_that_may_be_right_are_not_spoken_of():
    assert told(995.0, since=900.0) == []


def test_costly_rounds_are_seldom_though_things_change():
    pace, slept = Pace(0.01, 0.4, share=0.1), []
    for burnt in (0.3, 0.02, 0.3):  # the first, which submits, is let off
        until = time.process_time() + burnt
        while time.process_time() < until:
            pass
        begun = time.monotonic()
        pace.wait(object())
        slept.append(time.monotonic() - begun)
    first, cheap, costly = slept
    assert first < 0.15 < cheap < costly
    assert costly > 0.3
