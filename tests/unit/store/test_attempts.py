"""Attempts: the right to a part is one's alone."""

import json
import threading

import pytest

from hominis.errors import CorruptArtefact
from hominis.store import files
from hominis.store.attempts import claim, standing
from hominis.store.owner import myself

OPENING = {"stage": "toy", "part": "p0", "run": "test"}


def race(site, key, takers=8):
    """Return the attempts of several takers who claim at the same instant."""
    won, gate = [], threading.Barrier(takers)

    def take():
        gate.wait()
        won.append(claim(site, key, OPENING))

    threads = [threading.Thread(target=take) for _ in range(takers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == takers
    return [attempt for attempt in won if attempt is not None]


def test_of_several_takers_of_a_dead_attempt_one_wins(site):
    dead = json.dumps({"event": "open", "t": 0, "owner": myself() | {"start": "gone"}, **OPENING}) + "\n"
    for n in range(60):
        key = f"{n:040}"
        files.create(site.attempts(key) / "1", dead)
        (attempt,) = race(site, key)
        assert attempt.n == 2
        assert '"proof": "process gone"' in attempt.path.read_text()


def test_a_name_that_is_taken_keeps_its_text(tmp_path):
    assert files.create(tmp_path / "1", "first\n")
    assert not files.create(tmp_path / "1", "second\n")
    assert (tmp_path / "1").read_text() == "first\n"
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_an_attempt_that_can_t_be_read_is_named(site):
    path = site.attempts("k" * 40) / "1"
    files.create(path, "")
    with pytest.raises(CorruptArtefact, match="can't be read") as caught:
        standing(site, "k" * 40)
    assert str(path) in str(caught.value)
