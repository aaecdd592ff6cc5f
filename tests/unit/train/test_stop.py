"""A request to stop is neither lost nor deadly, however early it comes."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from hominis.train import stop

LATE_LISTENER = """
import sys
sys.stdin.read(1)
from hominis.train import stop
stop.listen()
sys.exit(stop.RESUME_CODE if stop.asked() else 0)
"""


@pytest.mark.parametrize("number", stop.SIGNALS)
def test_a_signal_sent_before_the_process_listens_is_heard(number: signal.Signals) -> None:
    with stop.held_back():
        child = subprocess.Popen([sys.executable, "-c", LATE_LISTENER], stdin=subprocess.PIPE)
    child.send_signal(number)
    child.communicate(b".")
    assert child.returncode == stop.RESUME_CODE


def test_holding_signals_back_ends_with_the_block() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with stop.held_back():
        assert set(stop.SIGNALS) <= signal.pthread_sigmask(signal.SIG_BLOCK, [])
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == before
