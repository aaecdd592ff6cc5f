"""A run that is watched closely: its attempts, the jobs that they are, and what Slurm says of each."""

import contextlib
import json
import os
import shutil
from collections import Counter

import psutil

from hominis.store.owner import started
from tests.faults.slurm_run import PATIENCE_S, CheapRun
from tests.slurm.daemons import wait_for


class WatchedRun(CheapRun):
    """A run whose parts faults are aimed at, one by one."""

    def driver(self, *before, **options):
        self.latest = super().driver(*before, **options)
        return self.latest

    def begin(self, *parts):
        """Start a driver and see parts at work."""
        self.driver()
        for part in parts:
            self.at_work(part)

    def ended(self, code):
        """See the driver end with an exit code; returns what it said."""
        assert self.latest.wait(timeout=PATIENCE_S) == code, self.words()
        return self.words()

    def wrap(self, name, body):
        """Put a program before one of Slurm's on the driver's PATH: lines of sh; `real "$@"` calls the real one."""
        program, real = self.folder / "bin" / name, shutil.which(name, path=os.environ["PATH"] + ":/usr/bin")
        program.parent.mkdir(exist_ok=True)
        program.write_text(f'#!/bin/sh\nreal() {{ {real} "$@"; }}\n{body}\n')
        program.chmod(0o755)

    def attempts(self, part):
        """Return the attempts at a part as lists of events, oldest first."""
        found = []
        for path in sorted((self.folder / "site" / "attempts").glob("??/*/[0-9]*"), key=lambda path: int(path.name)):
            events = [json.loads(line) for line in path.read_text().splitlines() if line.endswith("}")]
            found += [events] if events and (events[0]["stage"], events[0]["part"]) == (self.stage, part) else []
        return found

    def at_work(self, part, attempt=1):
        """Wait until an attempt at a part is at work; returns its owner."""
        wait_for(
            lambda: len(self.attempts(part)) >= attempt or self.latest.poll() is not None,
            PATIENCE_S,
            lambda: f"{part} has no attempt {attempt}: {self.words()}",
        )
        assert len(self.attempts(part)) >= attempt, self.words()
        return self.attempts(part)[attempt - 1][0]["owner"]

    def job(self, part):
        """Return the id of the task that a part's newest attempt is, as Slurm's commands take it: `12_3`."""
        slurm = self.attempts(part)[-1][0]["owner"]["slurm"]
        return f"{self.array(slurm['name'])}_{slurm['index']}"

    def array(self, name):
        """Return the id of a batch's array."""
        return self.intents()[name].with_suffix(".job").read_text()

    def rows(self, part, fields="State,ExitCode,NodeList"):
        """Return sacct's rows of a part's tasks, all tries, oldest first, once none is under way."""
        self.charged()
        found = []
        for name, path in self.intents().items():
            parts = json.loads(path.read_text())["parts"]
            if part in parts:
                task = f"{self.array(name)}_{parts.index(part)}"
                found += self.cluster.sacct(f"Start,JobName,{fields}", "-D", "-j", task)
        return [row for row in found if row["JobName"] in self.intents()]

    def nothing_twice(self):
        """Assert that every job belongs to an intent, every intent has one, and each was submitted once."""
        rows = self.charged()
        assert self.lost(rows) == 0
        assert len({row["array"] for row in rows}) == len(self.intents()) == self.words().count("submitted job")

    def by_sacct(self):
        """Return what sacct says of all jobs of this run, once they are over: node-seconds, joules, starts by state.

        Where a job's own row has no joules it is the largest of its steps: of those side by side each has them all.
        """
        self.charged()
        fields, jobs = "JobID,JobName,State,ElapsedRaw,NNodes,ConsumedEnergyRaw", []
        for line in self.cluster.output("sacct", "-nPD", "-S", "now-1days", "-o", fields).splitlines():
            id_, name, state, seconds, nodes, joules = line.split("|")
            if "." in id_:
                jobs[-1]["steps"].append(int(joules or 0))
            else:
                row = {"name": name, "state": state.split()[0], "seconds": int(seconds) * int(nodes)}
                jobs.append(row | {"own": int(joules or 0), "steps": []})
        mine = [job for job in jobs if job["name"] in self.intents()]
        joules = sum(job["own"] or max(job["steps"], default=0) for job in mine)
        return sum(job["seconds"] for job in mine), joules, Counter(job["state"] for job in mine)

    def totals(self):
        """Return the ledger's totals by outcome."""
        return json.loads(self.hominis("ledger", "--json").stdout)["totals"]

    def conserves(self):
        """Whether the ledger sums to what Slurm charged."""
        node_seconds, joules, _ = self.by_sacct()
        total = self.totals()["all"]
        return (total["node_seconds"], total["joules"]) == (node_seconds, joules)

    @staticmethod
    def gone(owner):
        """Whether the process of an attempt is no more."""
        return started(owner["pid"]) != owner["start"]

    def close(self):
        """Leave nothing behind: neither driver nor job."""
        for process in self.processes("driver"):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        for name in self.intents():
            self.cluster.command("scancel", "--name", name)
        wait_for(lambda: not set(self.intents()) & {row["name"] for row in self.cluster.squeue()}, 60, "jobs stay")
