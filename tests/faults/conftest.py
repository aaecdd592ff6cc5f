"""The clusters of the fault tests: one that all share, and one whose daemons are killed."""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.conftest import cluster  # noqa: F401

WATTS = 300


@pytest.fixture(scope="session")
def frail(cluster):  # noqa: F811
    """A cluster of two booster nodes of its own; it limits memory and counts joules where this machine lets it."""
    watts = WATTS if _may_cover_sys() else 0
    folder = Path(tempfile.mkdtemp(prefix="frail-", dir="/tmp"))  # pytest's folders are too long for unix sockets
    with Cluster(folder, nodes=2, cgroups=_has_cgroups(), energy_watts=watts) as second:
        yield second
    shutil.rmtree(folder)


def _has_cgroups():
    return os.getuid() == 0 and Path("/sys/fs/cgroup/memory").is_dir()


def _may_cover_sys():
    """Whether a node's slurmd can be shown a /sys of its own, with the counters of its energy."""
    cover = ["unshare", "--mount", "mount", "-t", "overlay", "overlay", "-o", "lowerdir=/usr:/sys", "/sys"]
    return subprocess.run(cover, capture_output=True).returncode == 0
