"""What it costs to get parts done on Slurm: ours against Snakemake's own Slurm plugin, in one run on one cluster.

    python -m benchmarks.slurm [--parts 24] [--stages 5] [--folder /tmp/hominis-slurm-benchmark]

Every job runs the same command, `hominis part` on a small file to fetch. It is submitted by `hominis fetch`, called by
a rule of Snakemake as in our workflow; by the plugin, a rule a part, as jobs and as arrays; or by a bare
`sbatch --array`, which is what the others are compared with. All is done twice: with each one's own default settings,
and with both looking at the queue every second.

* parts: that don't need each other.
* chain: rules with one part each, one after another. A gap is from a job's end to the next submission, by sacct.
* killed: a part killed twice by signal 9 before it begins, and the gaps until it is submitted again.

The plugin is installed into a folder that is deleted in the end, not into the environment.
"""

import argparse
import os
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from benchmarks import many
from benchmarks.watch import counting, machine, run
from tests.slurm.cluster import Cluster
from tests.slurm.configuration import ACCOUNT, BOOSTER

PLUGIN = ("snakemake-executor-plugin-slurm==2.8.0", "snakemake-executor-plugin-slurm-jobstep==0.6.1")
ASKED = {"slurm_account": ACCOUNT, "slurm_partition": BOOSTER, "runtime": 5, "mem_mb": 1000}
KILLED_TWICE = "echo >> {tries}; [ $(wc -l < {tries}) -gt 2 ] || kill -9 $$"
LOOKS = (
    ("default", {}, ()),
    ("1-s", {"poll_s": 1, "slowest_poll_s": 1}, ("--slurm-init-seconds-before-status-checks", "1")),
)
"""How often the queue is looked at: name, our settings, the plugin's options."""


@dataclass(frozen=True)
class Job:
    """A rule: its command, and the rule whose end it waits for."""

    name: str
    command: str
    after: str = ""


@dataclass(frozen=True)
class Figures:
    """What getting jobs done cost, all told.

    Attributes:
        driver_s: of a core, for whatever submits and waits. ``jobs_s``: of a core, within the jobs.
        gaps: seconds from each job's end to the next submission.
    """

    seconds: float
    driver_s: float
    jobs_s: float
    gaps: list[float]


class Bench:
    """A folder, a cluster, and the environment that both ways of submitting share."""

    def __init__(self, folder: Path, cluster: Cluster) -> None:
        self.folder, self._cluster = folder, cluster
        plugin = folder / "plugin"
        install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(plugin), *PLUGIN]
        subprocess.run(install, check=True, stderr=subprocess.DEVNULL)
        self.env = counting(folder, cluster.slurm_conf)
        self.env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(plugin), os.environ.get("PYTHONPATH")]))

    def measure(self, command: Sequence[str], folder: Path) -> Figures:
        """Run a command, and return what it and the jobs that it submitted cost."""
        known = {row[0] for row in self._accounted()}
        cost = run(command, folder, self.env)
        time.sleep(3)  # accounting is told later
        rows = [row for row in self._accounted() if row[0] not in known]
        return Figures(cost.seconds, cost.cpu_s, sum(_seconds(cpu) for *_, cpu in rows), list(_gaps(rows)))

    def _accounted(self) -> list[list[str]]:
        """Return id, submission, end and processor time of every job, its steps together."""
        lines = self._cluster.output("sacct", "-nP", "-o", "JobID,Submit,End,TotalCPU").splitlines()
        return [line.split("|") for line in lines if "." not in line.partition("|")[0]]

    def workflow(self, folder: Path, jobs: Sequence[Job], *options: str) -> list[str]:
        """Write a workflow of jobs, and return the command that runs it."""
        rules = [f"rule all:\n    input: {[f'{job.name}.done' for job in jobs]}\n"]
        for job in jobs:
            after = f"    input: '{job.after}.done'\n" if job.after else ""
            does = f"    output: touch('{job.name}.done')\n    shell: {job.command!r}\n"
            rules.append(f"rule {job.name}:\n{after}{does}")
        (folder / "Snakefile").write_text("\n".join(rules))
        return [sys.executable, "-m", "snakemake", "--snakefile", str(folder / "Snakefile"), *options]

    def ours(self, name: str, jobs: Sequence[Path], chained: bool) -> Figures:
        """Get runs done by `hominis fetch`, each called by a rule."""
        asked = " ".join(f"--resource {key}={value}" for key, value in ASKED.items())
        fetch = f"{sys.executable} -m hominis fetch {asked} --config"
        rules = [Job(f"r{i}", f"{fetch} {config}") for i, config in enumerate(jobs)]
        folder = self._folder(name)
        return self.measure(self.workflow(folder, chain(rules) if chained else rules, "--cores", "4"), folder)

    def plugin(self, name: str, jobs: Sequence[str], chained: bool, *options: str) -> Figures:
        """Get commands done by Snakemake's plugin, a job each."""
        rules = [Job(f"r{i}", command) for i, command in enumerate(jobs)]
        asked = ["--default-resources", *(f"{key}={value}" for key, value in ASKED.items())]
        slurm = ["--executor", "slurm", "--jobs", "1000", *options, *asked]
        folder = self._folder(name)
        return self.measure(self.workflow(folder, chain(rules) if chained else rules, *slurm), folder)

    def bare(self, name: str, jobs: Sequence[str]) -> Figures:
        """Get commands done by one array, looking five times a second whether the queue is empty."""
        folder = self._folder(name)
        (folder / "commands").write_text("\n".join(jobs))
        script = folder / "job.sh"
        script.write_text(f'#!/bin/sh\neval "$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" {folder}/commands)"\n')
        asked = f"--account={ACCOUNT} --partition={BOOSTER} --mem=1000 --time=5 --array=0-{len(jobs) - 1}"
        loop = f"sbatch {asked} {script}; while squeue -h --me | grep -q .; do sleep 0.2; done"
        return self.measure(["sh", "-c", loop], folder)

    def _folder(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir()
        return path


def chain(jobs: Sequence[Job]) -> list[Job]:
    """Return the jobs, each after the one before it."""
    names = ["", *(job.name for job in jobs)]
    return [replace(job, after=before) for job, before in zip(jobs, names, strict=False)]


def _seconds(text: str) -> float:
    """Return seconds from sacct's ``[days-][hours:]minutes:seconds``."""
    days, _, clock = text.rpartition("-")
    total = 0.0
    for field in clock.split(":"):
        total = 60 * total + float(field)
    return total + 86400 * int(days or 0)


def _gaps(rows: Sequence[Sequence[str]]) -> Iterator[float]:
    times = sorted((_time(submit), _time(end)) for _, submit, end, _ in rows)
    for (_, end), (submit, _) in pairwise(times):
        if submit >= end:  # else they were submitted together
            yield submit - end


def _time(text: str) -> float:
    return time.mktime(time.strptime(text, "%Y-%m-%dT%H:%M:%S"))


def parts_of(config: Path) -> list[str]:
    """Return the command of each part of a run, as its jobs would run it."""
    task = many.task(config)
    path = task.write()
    return [shlex.join([sys.executable, "-m", "hominis", "part", str(path), part]) for part in task.parts]


def independent(bench: Bench, count: int) -> None:
    """Compare parts that don't need each other."""
    base = bench.bare("bare", parts_of(many.write_run(bench.folder / "w-bare", count)))
    print(f"\n{f'{count} parts':<32}seconds  x bare  a part, beyond bare: s  core-s of the driver  core-s of the job")
    _show("sbatch --array, nothing else", base, base, count)
    for look, slurm, options in LOOKS:
        ours = many.write_run(bench.folder / f"w-ours-{look}", count, backend="slurm", slurm=slurm)
        _show(f"ours, {look}", bench.ours(f"ours-{look}", [ours], False), base, count)
        for kind, more in (("jobs", ()), ("arrays", ("--slurm-array-jobs", "all"))):
            name = f"{kind}-{look}"
            commands = parts_of(many.write_run(bench.folder / f"w-{name}", count))
            _show(f"plugin, {kind}, {look}", bench.plugin(name, commands, False, *options, *more), base, count)


def _show(name: str, found: Figures, base: Figures, count: int) -> None:
    pairs = zip((found.seconds, found.driver_s, found.jobs_s), (base.seconds, base.driver_s, base.jobs_s), strict=True)
    beyond, driver, jobs = ((mine - bare) / count for mine, bare in pairs)
    print(
        f"{name:<32}{found.seconds:7.1f}{found.seconds / base.seconds:8.1f}{beyond:24.2f}{driver:22.2f}{jobs:19.2f}",
        flush=True,
    )


def chains(bench: Bench, count: int) -> None:
    """Compare jobs that follow one another."""
    print(f"\n{'seconds from an end to the next submission':<44}ours   plugin   plugin / ours")
    for look, slurm, options in LOOKS:
        settings = {"backend": "slurm", "slurm": slurm}
        configs = [many.write_run(bench.folder / f"w-c{i}-{look}", 1, **settings) for i in range(count)]
        ours = bench.ours(f"c-ours-{look}", configs, True)
        configs = [many.write_run(bench.folder / f"w-cp{i}-{look}", 1) for i in range(count)]
        commands = [command for config in configs for command in parts_of(config)]
        _compare(f"chain of {count}, {look}", ours, bench.plugin(f"c-plugin-{look}", commands, True, *options))


def again(bench: Bench) -> None:
    """Compare how soon a killed job is submitted again."""
    for look, slurm, options in LOOKS:
        setup = [KILLED_TWICE.format(tries=bench.folder / f"tries-ours-{look}")]
        config = many.write_run(bench.folder / f"w-k-{look}", 1, backend="slurm", slurm=slurm | {"setup": setup})
        ours = bench.ours(f"k-ours-{look}", [config], False)
        (command,) = parts_of(many.write_run(bench.folder / f"w-kp-{look}", 1))
        commands = [f"{KILLED_TWICE.format(tries=bench.folder / f'tries-plugin-{look}')}; {command}"]
        plugin = bench.plugin(f"k-plugin-{look}", commands, False, *options, "--retries", "3")
        _compare(f"killed twice, {look}", ours, plugin)


def _compare(name: str, ours: Figures, plugin: Figures) -> None:
    """Print the mean gaps; sacct counts whole seconds."""
    mine, other = statistics.mean(ours.gaps), statistics.mean(plugin.gaps)
    print(f"{name:<40}{mine:8.1f} {other:8.1f} {other / mine:15.1f}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=24)
    parser.add_argument("--stages", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hominis-slurm-benchmark"))
    given = parser.parse_args()
    folder = given.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    with Cluster(folder / "c") as cluster:
        bench = Bench(folder, cluster)
        print(machine(bench.env))
        independent(bench, given.parts)
        chains(bench, given.stages)
        again(bench)
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
