"""The launcher is killed without warning: no rank may go on writing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from hominis.store.types import Inputs
from tests.unit.train import part
from tests.unit.train.conftest import section

PATIENCE_SECONDS = 60


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < end, "gave up waiting"
        time.sleep(0.05)


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.mark.skipif(sys.platform != "linux", reason="looks processes up as Linux shows them")
def test_no_rank_outlives_a_launcher_killed_with_9(inputs: Inputs, tmp_path: Path) -> None:
    settings = section(steps=100_000, epochs=1e4, layout={"tp": 2}, checkpoint_every=20)
    order = part.order(settings, inputs, tmp_path)
    launcher = subprocess.Popen([sys.executable, "-m", part.__name__, str(order)])
    try:
        wait_until(lambda: any((tmp_path / "checkpoints").glob("step-*[0-9]")))
        ranks = psutil.Process(launcher.pid).children(recursive=True)
        assert [rank for rank in ranks if alive(rank)] == ranks
        assert len(ranks) == 2  # and no process beside them that could be left behind
    finally:
        os.kill(launcher.pid, signal.SIGKILL)
        launcher.wait()
    wait_until(lambda: not any(alive(rank) for rank in ranks))
    before = (tmp_path / "checkpoints" / "progress.jsonl").stat().st_size
    time.sleep(0.5)
    assert (tmp_path / "checkpoints" / "progress.jsonl").stat().st_size == before
