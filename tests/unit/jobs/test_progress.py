"""Progress: rare, and right about the time that is left."""

import pytest

from hominis.jobs.progress import Progress, duration, shown


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (59.4, "59 s"), (61, "1 min 01 s"), (3599.7, "1 h 00 min"), (7260, "2 h 01 min")]
)
def test_durations_for_people(seconds, text):
    assert duration(seconds) == text


class Clock:
    t = 1000.0

    def __call__(self):
        return self.t


def made(total):
    clock, said = Clock(), []
    return clock, said, Progress(total, said.append, clock)


def test_it_says_the_rest_of_a_part_by_its_pace():
    clock, said, progress = made(1)
    clock.t += 5
    progress.report(0, [{"done": 10, "total": 100, "unit": "steps"}])
    clock.t += 10
    progress.report(0, [{"done": 20, "total": 100, "unit": "steps", "loss": 5.4321}])
    assert said[-1] == "20/100 steps loss 5.432 · about 1 min 20 s left"


def test_it_says_the_rest_of_many_parts():
    clock, said, progress = made(10)
    clock.t += 5
    progress.report(2, [])
    clock.t += 10
    progress.report(6, [])
    assert said[-1] == "6/10 parts · about 10 s left"


def test_it_keeps_quiet_between_times():
    clock, said, progress = made(10)
    for _ in range(40):
        clock.t += 0.1
        progress.report(1, [])
    assert said == []


def test_the_same_line_is_not_said_twice():
    clock, said, progress = made(10)
    for _ in range(5):
        clock.t += 6
        progress.report(0, [])
    assert len(said) == 1


def test_a_part_that_knows_its_rest_is_believed():
    clock, said, progress = made(1)
    clock.t += 5
    progress.report(0, [{"done": 10, "total": 100, "unit": "steps", "left_s": 3600.0}])
    assert said[-1] == "10/100 steps · about 1 h 00 min left"


def test_a_training_part_shows_what_people_ask_for():
    seen = {"done": 1200, "total": 5000, "unit": "steps", "kept": 1150, "loss": 2.3456, "grad_norm": 0.41}
    seen |= {"learning_rate": 3e-4, "tokens_per_s": 912_345.6, "mfu": 0.4312, "skipped": 2, "from_step": 800}
    assert shown(seen) == "1,200/5,000 steps loss 2.346, 912,346 tokens/s, MFU 43.1%, 2 skipped"
