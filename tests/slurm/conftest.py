"""A real Slurm for the tests that need one: started once per session, skipped by name where it isn't installed."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.machine import PACKAGES, missing


@pytest.fixture(scope="session")
def cluster():
    """Four booster nodes, a serial and a CPU node."""
    if lacking := missing():
        pytest.skip(f"Slurm's daemons are not installed ({', '.join(lacking)}): apt-get install {PACKAGES}")
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))  # pytest's folders are too long for unix sockets
    with Cluster(folder) as cluster:
        yield cluster
    shutil.rmtree(folder)
