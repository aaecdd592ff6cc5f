"""Proof of death: silence proves nothing."""

import subprocess
import sys

import pytest

from hominis.store.owner import death, myself, started


def test_this_process_lives():
    assert death(myself()) is None


@pytest.mark.parametrize(
    ("difference", "proof"),
    [
        ({"start": "another"}, "process gone"),
        ({"boot": "another"}, "host rebooted"),
        ({"boot": "another", "host": "elsewhere"}, None),
        ({"namespace": "another"}, None),
        ({"host": "elsewhere", "start": "another"}, None),
    ],
)
def test_only_what_can_be_known_from_here_is_proof(difference, proof):
    assert death(myself() | difference) == proof


def test_an_ended_process_and_a_zombie_are_gone():
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    owner = myself() | {"pid": child.pid, "start": started(child.pid)}
    assert death(owner) is None
    child.kill()
    while started(child.pid) is not None:
        pass
    assert death(owner) == "process gone", "it is a zombie: nobody has waited for it yet"
    child.wait()
    assert death(owner) == "process gone"
