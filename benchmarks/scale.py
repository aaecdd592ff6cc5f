"""A run of 10,000 parts on a real Slurm that knows 3,456 nodes, most of them not there: what its driver costs.

    python -m benchmarks.scale [--parts 10000] [--lost 37] [--drivers 4] [--folder /tmp/hominis-scale]

Submits all parts while no node takes any, cancels them, puts them into the store without jobs, looks at them again,
loses some, and lets several drivers wait at once. It takes some minutes.
"""

import argparse
import os
import random
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import many
from benchmarks.watch import Driver, calls, counting, hominis, machine, run
from tests.slurm.cluster import Cluster
from tests.slurm.configuration import ACCOUNT, BOOSTER

ROOT = Path(__file__).parents[1]
NODES, MAX_ARRAY = 3456, 1001
ASKED = {"slurm_account": ACCOUNT, "slurm_partition": BOOSTER, "runtime": 5, "mem_mb": 1000}
FETCH = ["fetch", *(word for name, value in ASKED.items() for word in ("--resource", f"{name}={value}"))]
WAIT_S = 100  # after which a driver that sees no change looks as seldom as it ever does
WATCH_S = 120


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=10_000)
    parser.add_argument("--lost", type=int, default=37)
    parser.add_argument("--drivers", type=int, default=4)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hominis-scale"))
    given = parser.parse_args()
    folder = given.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    with Cluster(folder / "c", nodes=4, absent=NODES - 4, max_array_size=MAX_ARRAY) as cluster:
        env = counting(folder, cluster.slurm_conf)
        print(machine(env))
        with no_node_takes_jobs(cluster):
            submitted(folder, given.parts, cluster, env)
            shared(folder, given.drivers, env)
        config = filled(folder, given.parts)
        looked_at_again(folder, config, env)
        some_missing(folder, config, given.lost, cluster, env)
    shutil.rmtree(folder)


def row(what: str, figures: str) -> None:
    """Print a line of the table."""
    print(f"{what:<44}{figures}", flush=True)


@contextmanager
def no_node_takes_jobs(cluster: Cluster) -> Iterator[None]:
    """Let every job wait; cancel those that do at the end."""
    cluster.partition("DOWN")
    yield
    cluster.output("scancel", "--user", str(os.getuid()))
    cluster.partition("UP")


def submitted(folder: Path, parts: int, cluster: Cluster, env: dict[str, str]) -> None:
    """Submit all parts, see what it costs to wait for them, cancel them behind the driver's back."""
    config = many.write_run(folder / "waiting", parts, backend="slurm", slurm={"array": parts})
    with Driver([*hominis(*FETCH), "--config", str(config)], folder / "driver.log", env) as driver:
        first = driver.until(lambda: _arrays(driver) > 0, 60)
        rest = driver.until(lambda: len(cluster.squeue()) == parts, 60)
        row("submit", f"{parts} parts in {_arrays(driver)} arrays; first after {first:.1f} s, all {rest:.1f} s later")
        time.sleep(WAIT_S)
        used, begun, rounds = driver.cpu_s(), time.monotonic(), calls(folder)["squeue"]
        time.sleep(WATCH_S)
        used, seconds, rounds = driver.cpu_s() - used, time.monotonic() - begun, calls(folder)["squeue"] - rounds
        memory = driver.process.memory_info().rss / 2**20
        row("wait", f"{100 * used / seconds:.2f} % of a core with its squeue (limit 1 %), {memory:.0f} MiB")
        look = config.parent / f"site/polls/{os.getuid()}/squeue"
        size = look.stat().st_size / 1e3
        row("a round", f"{used / rounds:.3f} s of a core, {size:.0f} kB; {rounds} in {seconds:.0f} s")
        cluster.output("scancel", "--user", str(os.getuid()))
        begun = time.monotonic()
        driver.process.wait(120)
        why = next(line for line in driver.said if "could not be had" in line)
        row("cancelled behind its back", f"after {time.monotonic() - begun:.1f} s: {why}")


def _arrays(driver: Driver) -> int:
    return sum("submitted job" in line for line in driver.said)


def shared(folder: Path, drivers: int, env: dict[str, str]) -> None:
    """Let one driver wait, then several of the same user at one site: how often is Slurm asked?"""
    for count in (1, drivers):
        configs = [_small(folder / f"{count}-{i}", folder / f"site-{count}") for i in range(count)]
        with ExitStack() as ends:
            for config in configs:
                driver = ends.enter_context(Driver([*hominis(*FETCH), "-c", str(config)], config.parent / "log", env))
                driver.until(lambda driver=driver: _arrays(driver) > 0, 60)
            time.sleep(2)
            before = calls(folder)
            time.sleep(20)
            asked = ", ".join(f"{n} {name}" for name, n in sorted((calls(folder) - before).items()))
        row(f"{count} drivers, poll_s 1", f"in 20 s: {asked}")


def _small(folder: Path, site: Path) -> Path:
    """Write a run of 5 parts with names of its own."""
    slurm = {"poll_s": 1, "slowest_poll_s": 1}
    where = {"root": str(site), "results": str(folder / "results")}
    return many.write_run(folder, 5, f"s{folder.name}-", backend="slurm", slurm=slurm, site=where)


def filled(folder: Path, parts: int) -> Path:
    """Return a run whose parts were put into the store without jobs."""
    config = many.write_run(folder / "full", parts, backend="slurm")
    begun = time.perf_counter()
    made = many.publish(config)
    row("(put into the store without jobs)", f"{made} parts in {time.perf_counter() - begun:.0f} s")
    return config


def looked_at_again(folder: Path, config: Path, env: dict[str, str]) -> None:
    """See what a run costs in which nothing is missing."""
    receipt = config.parent / "results/tiny/receipts/fetch.json"
    profile = ["--profile", str(ROOT / "profiles/ci-slurm"), "--snakefile", str(ROOT / "Snakefile")]
    where = ["--directory", str(config.parent), str(receipt), "--configfile", str(config)]
    snakemake = [sys.executable, "-m", "snakemake", *profile, *where]
    for what, command in (
        ("hominis fetch, all there", [*hominis(*FETCH), "--config", str(config)]),
        ("snakemake, receipt there", snakemake),
        ("snakemake, receipt gone", snakemake),
        ("hominis status", hominis("status", "--config", str(config))),
        ("hominis ledger", hominis("ledger", "--config", str(config))),
    ):
        if what == "snakemake, receipt gone":
            receipt.unlink()
        before = calls(folder)["sbatch"]
        cost = run(command, folder, env)
        limit = "; limits 10 s, 500 MiB" if "snakemake" in what or "all there" in what else ""
        jobs = calls(folder)["sbatch"] - before
        row(what, f"{cost.seconds:.1f} s, {cost.cpu_s:.1f} s of a core, {cost.peak_mib:.0f} MiB, {jobs} jobs{limit}")


def some_missing(folder: Path, config: Path, lost: int, cluster: Cluster, env: dict[str, str]) -> None:
    """Lose some parts, and see that just those are submitted."""
    names = random.Random(4).sample(list(many.task(config).parts), lost)
    many.lose(config, names)
    cost = run([*hominis(*FETCH), "--config", str(config)], folder, env)
    submitted = [line for line in cost.printed.splitlines() if "submitted" in line]
    rows = cluster.sacct("JobID,State", "--name", submitted[0].split("(")[1].split(")")[0])
    done = sum(row["State"] == "COMPLETED" for row in rows)
    row(f"{lost} lost", f"{submitted[0].split('fetch  ')[1].strip()}; {done} jobs completed; {cost.seconds:.1f} s")


if __name__ == "__main__":
    main()
