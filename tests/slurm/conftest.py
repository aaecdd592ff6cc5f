"""A real Slurm for the tests that need one: started once per session, skipped by name where it isn't installed."""

import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.machine import PACKAGES, missing

SHARED = pytest.StashKey[Cluster]()


@pytest.fixture(scope="session")
def cluster(pytestconfig):
    """Four booster nodes, a serial and a CPU node; the same for all modules that import this fixture."""
    if lacking := missing():
        pytest.skip(f"Slurm's daemons are not installed ({', '.join(lacking)}): apt-get install {PACKAGES}")
    if SHARED not in pytestconfig.stash:
        folder = tempfile.mkdtemp(prefix="slurm-", dir="/tmp")  # pytest's folders are too long for unix sockets
        end = ExitStack()
        end.callback(shutil.rmtree, folder)
        pytestconfig.stash[SHARED] = end.enter_context(Cluster(Path(folder)))
        pytestconfig.add_cleanup(end.close)
    return pytestconfig.stash[SHARED]
