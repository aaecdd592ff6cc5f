"""A stage of many cheap parts, to do harm to: `fetch` of small files, on the tests' cluster or on this machine."""

import contextlib
import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise
from pathlib import Path

import psutil

from tests.slurm.configuration import ACCOUNT, BOOSTER
from tests.workflow import tiny

ASKED = {"slurm_account": ACCOUNT, "slurm_partition": BOOSTER, "runtime": 5, "mem_mb": 1000}
QUICK = {"poll_s": 0.3, "slowest_poll_s": 1.0, "grace_s": 6.0, "warn_s": 10}
PATIENCE_S = 400


class CheapRun(tiny.Run):
    """A run of which only `fetch` is done, a part per source.

    Args:
        cluster: where its jobs run; None: here.
        slurm: settings of the section `slurm`, beside QUICK. `setup=["sleep 1"]` makes every job last longer.
    """

    stage = "fetch"

    def __init__(self, folder, cluster=None, parts=8, **slurm):
        (folder / "sources").mkdir(parents=True)
        self.cluster, self.said, self.asked = cluster, folder / "said", dict(ASKED)
        settings = tiny.settings(write_sources(folder / "sources", parts))
        if cluster:
            settings |= {"backend": "slurm", "slurm": QUICK | slurm}
        here = Path(sys.executable).parent
        variables = {"PATH": f"{folder}/bin:{here}:{os.environ['PATH']}:/usr/sbin:/usr/bin"}
        super().__init__(folder, settings, variables | (cluster.environment if cluster else {}))

    def wrap_sbatch(self, body):
        """Put a program before sbatch on the driver's PATH: lines of sh, in which `real "$@"` calls the real one.

        Every call is noted (see `calls`); `$calls` is the file.
        """
        program, real = self.folder / "bin" / "sbatch", shutil.which("sbatch", path=os.environ["PATH"] + ":/usr/bin")
        program.parent.mkdir(exist_ok=True)
        calls = self.folder / "calls"
        submit = f'real() {{ {real} "$@" && echo taken >> $calls; }}'
        program.write_text(f"#!/bin/sh\ncalls={calls}\necho called >> $calls\n{submit}\n{body}\n")
        program.chmod(0o755)

    def calls(self, what):
        """Return how often sbatch was `called`, or a job `taken` by the real one."""
        path = self.folder / "calls"
        return path.read_text().split().count(what) if path.exists() else 0

    def driver(self, *before, jobs=2, said=None):
        """Start `hominis fetch` in a session of its own, after words such as `unshare …`; what it says is in `said`."""
        asked = [f"--resource={name}={value}" for name, value in self.asked.items()] if self.cluster else []
        hominis = [str(Path(sys.executable).parent / "hominis"), self.stage, "--config", str(self.config)]
        with (said or self.said).open("ab") as file:
            return subprocess.Popen(
                [*before, *hominis, "--jobs", str(jobs), *asked],
                cwd=self.folder,
                stdout=file,
                stderr=file,
                env=self.environment(),
                start_new_session=True,
            )

    def snakemake(self):
        """Start the same by Snakemake; what it and the driver say is in `snakemake.log`."""
        asked = ["--default-resources", *(f"{name}={value}" for name, value in ASKED.items())] if self.cluster else []
        return self.start(*asked, "--", "results/tiny/receipts/fetch.json")

    def processes(self, kind=""):
        """As of any run; the rule's shell, which pipes what the driver says into its log, is a kind too."""
        if kind != "rule's shell":
            return super().processes(kind)
        with contextlib.suppress(psutil.NoSuchProcess):
            return [p for p in super().processes("other") if "| tee" in " ".join(p.cmdline())]
        return []

    def words(self):
        """Return all that was said."""
        return "".join(path.read_text() for path in (self.said, self.folder / "snakemake.log") if path.exists())

    def get_done(self):
        """Start a driver and see it end well; returns what it said."""
        before = len(self.said.read_text()) if self.said.exists() else 0
        assert self.driver().wait(timeout=PATIENCE_S) == 0, self.said.read_text()
        return self.said.read_text()[before:]

    @property
    def parts(self):
        return len(list((self.folder / "sources").glob("*.gz")))

    def intents(self):
        """Return batch name → the path of its intent."""
        paths = (self.folder / "site" / "jobs" / self.stage).glob("*/batches/*.json")
        return {json.loads(path.read_text())["name"]: path for path in sorted(paths)}

    def bare(self):
        """Return the intents of which no driver has recorded what became of them."""
        beside = (".job", ".refused", ".end")
        return [path for path in self.intents().values() if not any(path.with_suffix(s).exists() for s in beside)]

    def charged(self, *others):
        """Return sacct's rows of every job that was submitted from this run's folder, once none is under way.

        Others that share its site may be named beside it. Accounting is told late: it has half a minute to know of a
        job for every intent.
        """
        folders = {str(run.folder) for run in (self, *others)}
        begun, fields = time.monotonic(), "JobID,JobName,State,ExitCode,ElapsedRaw,WorkDir"
        since = time.strftime("%Y-%m-%d", time.localtime(time.time() - 86400))
        while True:
            rows = [r for r in self.cluster.sacct(fields, "-D", "-S", since) if r["WorkDir"] in folders]
            over = not {row["State"] for row in rows} & {"PENDING", "RUNNING"}
            known = self.intents().keys() <= {row["JobName"] for row in rows}
            waited = time.monotonic() - begun
            if over and (known or waited > 30):
                return [row | {"array": row["JobID"].partition("_")[0]} for row in rows]
            assert waited < PATIENCE_S, f"jobs don't end: {rows}"
            time.sleep(0.3)

    def each_part_once(self):
        """Whether each part was published once, and no two attempts at one overlap."""
        rows = [row for row in self.ledger() if row["key"]]  # what Slurm charged for without an attempt has none
        published = Counter(row["part"] for row in rows if row["outcome"] == "published")
        spans = sorted((row["part"], row["opened"], row["last"]) for row in rows)
        apart = all(a[2] <= b[1] for a, b in pairwise(spans) if a[0] == b[0])
        return apart and len(published) == self.parts and set(published.values()) == {1}

    def duplicates(self, rows):
        """Return how many arrays there are beyond one for each name, and tasks that ran more than once."""
        arrays, ids = {(row["JobName"], row["array"]) for row in rows}, [row["JobID"] for row in rows]
        return len(arrays) - len({name for name, _ in arrays}) + len(ids) - len(set(ids))

    def lost(self, rows):
        """Return how many jobs belong to no intent, and intents that have no job."""
        names = {row["JobName"] for row in rows}
        return len(names ^ self.intents().keys())


def write_sources(folder, count):
    """Write small sources, the same everywhere, and the table that names them; returns the table."""
    rows = [
        tiny._source(folder, f"s{i:04}", ("code", "web")[i % 2], [(f"d{i}", f"The text of document {i}.")])
        for i in range(count)
    ]
    with (table := folder / "sources.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return table
