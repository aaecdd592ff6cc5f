"""A real Slurm on one machine that looks like Leonardo: several slurmd on loopback, accounting, and levers for faults.

For people: `python -m tests.slurm.cluster start`, then `eval "$(python -m tests.slurm.cluster env)"`, and
`sbatch -A hominis_test -p boost_usr_prod -q boost_qos_dbg -N 2 --gres=gpu:4 …`.
"""

import argparse
import contextlib
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.slurm.configuration import ACCOUNT, BOOSTER, PREEMPTING
from tests.slurm.daemons import ClusterError, gone, processes, wait_for
from tests.slurm.machine import IN_USE, Machine

SQUEUE = {"id": "%A", "array": "%F", "task": "%K", "name": "%j", "state": "%T", "reason": "%r", "nodes": "%N"}

SAVED_S = 6  # slurmctld writes its state at most 5 s after a change


class Cluster(Machine):
    """A running cluster. Each lever returns only once its fault landed, as Slurm or /proc says."""

    def sbatch(self, script: str, *options: str) -> int:
        """Submit a shell script on the booster; returns the job's id."""
        defaults = ["--parsable", f"--account={ACCOUNT}", f"--partition={BOOSTER}", "--mem=1000"]
        return int(self.output("sbatch", *defaults, *options, input=f"#!/bin/bash\n{script}\n"))

    def squeue(self, *options: str) -> list[dict[str, str]]:
        """Return a row per job or array task of the queue."""
        lines = self.output("squeue", "-hr", "-o", "|".join(SQUEUE.values()), *options).splitlines()
        return [dict(zip(SQUEUE, line.split("|"), strict=True)) for line in lines]

    def sacct(self, fields: str, *options: str) -> list[dict[str, str]]:
        """Return a row per job that accounting knows, with these comma-separated fields (`-D`: every attempt)."""
        lines = self.output("sacct", "-nXP", "-o", fields, *options).splitlines()
        return [dict(zip(fields.split(","), line.split("|"), strict=True)) for line in lines]

    def job(self, job: int | str) -> dict[str, str]:
        """Return what the controller knows of a job, as `scontrol show job` says it; nothing if it forgot."""
        shown = self.command("scontrol", "-o", "show", "job", str(job))
        if shown.returncode:
            return {}
        return dict(word.split("=", 1) for word in shown.stdout.split("\n")[0].split() if "=" in word)

    def state(self, job: int | str) -> str:
        """Return a job's state, from the controller or, once that forgot it, from accounting; empty if unknown."""
        if known := self.job(job).get("JobState"):
            return known
        rows = self.sacct("State", "-j", str(job)) if self.shape.accounting else []
        return rows[0]["State"].split()[0] if rows else ""

    def wait_state(self, job: int | str, *states: str, timeout_s: float = 60) -> str:
        """Wait until a job is in one of some states; returns which."""
        wait_for(lambda: self.state(job) in states, timeout_s, f"job {job} is {self.state(job)}, not {states}")
        return self.state(job)

    def job_processes(self, job: int | str) -> list[psutil.Process]:
        """Return what a job runs here: its shells and what they started, slurmstepd left out."""
        found = []
        for process in processes(self.slurm_conf):
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.environ().get("SLURM_JOB_ID") == str(job) and process.name() != "slurmstepd":
                    found.append(process)
        return found

    def cancel(self, job: int | str) -> None:
        """Cancel a job and see it leave the queue."""
        self.output("scancel", str(job))
        wait_for(lambda: not self.command("squeue", "-h", "-j", str(job)).stdout, 30, f"job {job} stays")

    def requeue(self, job: int | str) -> None:
        """Requeue a running job, and see it counted."""
        before = int(self.job(job)["Restarts"])
        self.output("scontrol", "requeue", str(job))
        wait_for(lambda: int(self.job(job)["Restarts"]) > before, 30, f"job {job} wasn't requeued")

    def preempt(self, job: int | str, seconds: int = 1) -> int:
        """Take a preemptable job's nodes for a job of some seconds and of a higher QOS; returns that job's id."""
        nodes = self.job(job)["NodeList"]
        options = [f"--qos={PREEMPTING}", f"--nodelist={nodes}", "--exclusive", "--time=5"]
        taker = self.sbatch(f"sleep {seconds}", *options)
        wait_for(lambda: self.state(job) != "RUNNING", 60, f"job {job} wasn't preempted")
        return taker

    def kill_controller(self, saved: bool = False) -> None:
        """kill -9 of slurmctld; what it learned in its last 5 seconds is lost, unless it may first save that."""
        if saved:
            time.sleep(SAVED_S)
        self.daemon("slurmctld").kill()

    def start_controller(self) -> None:
        """Start slurmctld again, and see it answer."""
        self.launch("slurmctld")
        wait_for(lambda: self.command("scontrol", "ping").stdout.count(" UP") == 1, 60, "slurmctld doesn't answer")

    @contextlib.contextmanager
    def forgotten(self) -> Iterator[None]:
        """What happens inside, the controller forgets: killed at the end, it restarts from the state at the begin.

        Job ids given out inside are given out again afterwards.
        """
        state, kept = self.folder / "state/controller", self.folder / "state/kept"
        gone([p for p in [self.daemon("slurmctld").stop()] if p])  # stopping writes the state
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(state, kept)
        self.start_controller()
        yield
        self.kill_controller()
        shutil.rmtree(state)
        kept.rename(state)
        self.start_controller()

    def stop_daemon(self, node: str) -> list[psutil.Process]:
        """kill -9 of a node's slurmd, then the node set down: NODE_FAIL while the processes, returned, live on."""
        alive = [p for p in processes(self.slurm_conf) if p.name() not in {"slurmctld", "slurmd"}]
        self.daemon(node).kill()
        self.node_down(node)
        return [p for p in alive if p.is_running() and p.environ().get("SLURMD_NODENAME") == node]

    def start_daemon(self, node: str) -> None:
        """Start a node's slurmd again, and see the node in use."""
        self.launch(node)
        self.node_up(node)

    def node_down(self, node: str) -> None:
        """Set a node down: its jobs end in NODE_FAIL or are requeued."""
        self.output("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        wait_for(lambda: self.node_state(node) == {"down"}, 30, f"node {node} isn't down")

    def node_up(self, node: str) -> None:
        """Take a node back into use."""
        until = time.monotonic() + 30
        while not self.node_state(node) <= IN_USE:
            self.command("scontrol", "update", f"NodeName={node}", "State=RESUME")
            if time.monotonic() > until:
                raise ClusterError(f"node {node} doesn't come back: {self.node_state(node)}")
            time.sleep(0.2)

    def node_state(self, node: str) -> set[str]:
        """Return a node's state as sinfo has it, without the mark of nodes that don't respond."""
        return {state.rstrip("*") for state in self.output("sinfo", "-hN", "-n", node, "-o", "%t").split()}

    def partition(self, state: str, name: str = BOOSTER) -> None:
        """Set a partition UP, DOWN, DRAIN or INACTIVE."""
        self.output("scontrol", "update", f"PartitionName={name}", f"State={state}")
        shown = self.output("scontrol", "-o", "show", "partition", name)
        if f" State={state} " not in shown:
            raise ClusterError(f"partition {name} isn't {state}: {shown}")

    def accounting_down(self) -> None:
        """kill -9 of slurmdbd: sacct fails until it is back."""
        self.daemon("slurmdbd").kill()

    def accounting_up(self) -> None:
        """Start slurmdbd again, and see it answer."""
        self.launch("slurmdbd")
        wait_for(self.accounting_answers, 60, "slurmdbd doesn't answer")

    def status(self) -> str:
        """Return what runs, a line each, and what sinfo says."""
        lines = [f"{d.name:<10} {d.process().pid if d.process() else 'down'}" for d in self.daemons]
        sinfo = self.command("sinfo", "-o", "%P %a %l %D %t %G %N")
        return "\n".join([*lines, sinfo.stdout or sinfo.stderr])


def main() -> None:
    """Start, stop, show, or print the environment of a cluster."""
    parser = argparse.ArgumentParser(prog="python -m tests.slurm.cluster", description=main.__doc__)
    parser.add_argument("verb", choices=["start", "stop", "status", "env"])
    parser.add_argument("--folder", type=Path, default=Path("/tmp/hominis-slurm"))
    parser.add_argument("--nodes", type=int)
    options = parser.parse_args()
    cluster = Cluster(options.folder, **({"nodes": options.nodes} if options.nodes else {}))
    try:
        if options.verb == "env":
            print("\n".join(f"export {name}={value}" for name, value in cluster.environment.items()))
        elif options.verb == "status":
            print(cluster.status())
        else:
            getattr(cluster, options.verb)()
    except ClusterError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
