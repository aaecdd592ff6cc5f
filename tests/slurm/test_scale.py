"""Many parts, in small: 300 stand for 10,000, which `python -m benchmarks.scale` tries."""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

import pytest
from benchmarks import many
from benchmarks.watch import Driver, calls, counting, hominis, run

from tests.slurm.cluster import Cluster
from tests.slurm.configuration import ACCOUNT, BOOSTER
from tests.workflow.tiny import ROOT

PARTS = 300
FETCH = hominis(
    *("fetch", "--resource", f"slurm_account={ACCOUNT}", "--resource", f"slurm_partition={BOOSTER}"),
    *("--resource", "runtime=5", "--resource", "mem_mb=1000", "--config"),
)


@pytest.fixture(scope="module")
def crowded(cluster):
    """A controller that knows 3,456 nodes, of which one is there, and takes arrays of 101 tasks; nothing starts."""
    shape = {"nodes": 1, "absent": 3455, "max_array_size": 101, "accounting": False}
    with tempfile.TemporaryDirectory(prefix="slurm-", dir="/tmp") as folder, Cluster(Path(folder), **shape) as crowded:
        crowded.partition("DOWN")
        yield crowded


@pytest.fixture
def start(crowded, tmp_path):
    """A function that starts the driver of a run; they and their jobs end with the test."""
    drivers = []

    def start(config):
        drivers.append(Driver([*FETCH, str(config)], config.parent / "log", counting(tmp_path, crowded.slurm_conf)))
        return drivers[-1]

    yield start
    for driver in drivers:
        driver.stop()
    crowded.output("scancel", "--user", str(os.getuid()))


@pytest.mark.parametrize(("wanted", "sizes"), [(1000, [101, 101, 98]), (75, [75] * 4)])
def test_a_run_is_submitted_as_few_throttled_arrays_within_the_sites_limit(crowded, start, tmp_path, wanted, sizes):
    config = many.write_run(tmp_path / "run", PARTS, backend="slurm", slurm={"array": wanted, "throttle": 7})
    driver = start(config)
    driver.until(lambda: len(crowded.squeue()) == PARTS, 120)
    tasks = [row["array"] for row in crowded.squeue()]
    assert [tasks.count(array) for array in sorted(set(tasks), key=int)] == sizes
    assert {crowded.job(array)["ArrayTaskThrottle"] for array in tasks} == {"7"}


def test_a_driver_that_waits_uses_less_than_a_hundredth_of_a_core(crowded, start, tmp_path):
    config = many.write_run(tmp_path / "run", PARTS, backend="slurm", slurm={"poll_s": 5, "slowest_poll_s": 5})
    driver = start(config)
    driver.until(lambda: len(crowded.squeue()) == PARTS, 120)
    time.sleep(1)
    begun, used = time.monotonic(), driver.cpu_s()
    before = calls(tmp_path)["squeue"]
    driver.until(lambda: calls(tmp_path)["squeue"] >= before + 2, 120)
    assert driver.cpu_s() - used < 0.01 * (time.monotonic() - begun)


def test_two_drivers_ask_for_the_queue_once_a_round_together(start, tmp_path):
    site = {"root": str(tmp_path / "site"), "results": str(tmp_path / "results")}
    pace = {"poll_s": 0.5, "slowest_poll_s": 0.5}
    drivers = [
        start(many.write_run(tmp_path / name, 5, name, run=name, backend="slurm", slurm=pace, site=site))
        for name in ("one", "two")
    ]
    for driver in drivers:
        driver.until(lambda driver=driver: "submitted" in "".join(driver.said), 120)
    begun, before = time.monotonic(), calls(tmp_path)
    for driver in drivers:
        driver.until(lambda driver=driver: "5 pending (PartitionDown)" in "".join(driver.said), 120)
    asked = calls(tmp_path) - before
    assert asked["squeue"] <= (time.monotonic() - begun) / 0.45 + 1  # a look is shared for nine tenths of a round
    assert not asked["sacct"]


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A run whose parts are all there, and its stage's receipt too."""
    config = many.write_run(tmp_path_factory.mktemp("many") / "run", PARTS, backend="slurm", slurm={"poll_s": 0.5})
    assert many.publish(config) == PARTS
    run([*FETCH, str(config)], config.parent, os.environ)
    return config


def test_nothing_missing_is_seen_without_asking_slurm_and_within_bounds(cluster, full, tmp_path):
    receipt = full.parent / "results/tiny/receipts/fetch.json"
    before = receipt.read_bytes()
    receipt.unlink()
    profile = ["--profile", str(ROOT / "profiles/ci-slurm"), "--snakefile", str(ROOT / "Snakefile")]
    where = ["--directory", str(full.parent), str(receipt), "--configfile", str(full)]
    env = counting(tmp_path, cluster.slurm_conf)
    cost = run([sys.executable, "-m", "snakemake", *profile, *where], tmp_path, env)
    assert receipt.read_bytes() == before
    assert cost.cpu_s < 10
    assert cost.peak_mib < 500
    assert not calls(tmp_path)["sbatch"] + calls(tmp_path)["squeue"] + calls(tmp_path)["sacct"]


def test_missing_parts_are_submitted_and_no_others(cluster, full, tmp_path):
    lost = random.Random(7).sample(list(many.task(full).parts), 7)
    many.lose(full, lost)
    cost = run([*FETCH, str(full)], tmp_path, counting(tmp_path, cluster.slurm_conf))
    assert [sorted(parts) for parts in many.submitted(full)] == [sorted(lost)]
    assert calls(tmp_path)["sbatch"] == 1
    assert "300 of 300" in run([*FETCH, str(full)], tmp_path, os.environ).printed, cost.printed
