"""The launcher is killed without warning: no rank may go on writing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import psutil
import pytest

from hominis.store.types import Inputs
from tests.unit.train.conftest import section

LAUNCHER = """
import json, sys
from pathlib import Path
from hominis.config.train import PretrainSection
from hominis.store.types import Artefact, Receipt
from tests.unit.train.conftest import Folder, train
settings, upstream, folder = json.loads(sys.argv[1])
inputs = {
    name: [Artefact(Path(path), Receipt(**receipt)) for path, receipt in made] for name, made in upstream.items()
}
train(PretrainSection.model_validate(settings), inputs, Folder(Path(folder)))
"""
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
    settings = section(steps=100_000, layout={"tp": 2}, checkpoint_every=20)
    upstream = {name: [(str(a.path), asdict(a.receipt)) for a in made] for name, made in inputs.items()}
    arguments = json.dumps([settings.model_dump(mode="json"), upstream, str(tmp_path)])
    launcher = subprocess.Popen([sys.executable, "-c", LAUNCHER, arguments])
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
