"""A real Slurm on one machine that looks like Leonardo: several slurmd on loopback, accounting, and levers for faults.

For people: `python -m tests.slurm.cluster start`, then `eval "$(python -m tests.slurm.cluster env)"`, and
`sbatch -A hominis_test -p boost_usr_prod -q boost_qos_dbg -N 2 --gres=gpu:4 …`.
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil

from tests.slurm.configuration import ACCOUNT, BOOSTER, PREEMPTING
from tests.slurm.daemons import SLURM, ClusterError, gone, processes, wait_for
from tests.slurm.machine import Machine

SQUEUE = {"id": "%A", "array": "%F", "task": "%K", "name": "%j", "state": "%T", "reason": "%r", "nodes": "%N"}
SQUEUE |= {"batch_host": "%B"}


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
        wait_for(lambda: self.state(job) in states, timeout_s, lambda: f"{self.job(job) or job}, not {states}")
        return self.state(job)

    def job_processes(self, job: int | str = "", node: str = "") -> list[psutil.Process]:
        """Return what a job runs here, or what all jobs run on a node: shells and what they started."""
        wanted = {"SLURM_JOB_ID": str(job), "SLURMD_NODENAME": node}
        found = []
        for process in processes(self.slurm_conf):
            with contextlib.suppress(psutil.Error):
                environment = process.environ()
                if process.name() not in SLURM and all(environment.get(k) == v for k, v in wanted.items() if v):
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

    def stop_controller(self) -> None:
        """End slurmctld, its state saved."""
        gone([process for process in [self.daemon("slurmctld").stop()] if process])

    def kill_controller(self, saved: bool = False) -> None:
        """kill -9 of slurmctld: what it learned in its last seconds (5, more under load) is lost, unless `saved`."""
        if saved:
            self.stop_controller()
            self.start_controller()
        self.daemon("slurmctld").kill()

    def start_controller(self) -> None:
        """Start slurmctld again, and see it answer and know its nodes.

        Until a node has registered with it anew it gives out GPUs that it doesn't have, and never takes them back.
        """
        self.launch("slurmctld")
        wait_for(lambda: self.command("scontrol", "ping").stdout.count(" UP") == 1, 60, "slurmctld doesn't answer")
        for node in self.shape.running:
            if process := self.daemon(node).process():
                process.send_signal(signal.SIGHUP)  # makes it register at once
                known = partial(self.output, "scontrol", "-o", "show", "node", node)
                wait_for(lambda known=known: "SlurmdStartTime=None" not in known(), 60, f"{node} doesn't register")

    @contextlib.contextmanager
    def forgotten(self) -> Iterator[None]:
        """What happens inside, the controller forgets: killed at the end, it restarts from the state at the begin.

        Job ids given out inside are given out again afterwards.
        """
        state, kept = self.folder / "state/controller", self.folder / "state/kept"
        self.stop_controller()
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
        for row in self.squeue("--states=RUNNING", f"--nodelist={node}"):
            if row["batch_host"] == node:  # a job is RUNNING a moment before its script
                begun = partial(self.job_processes, job=row["id"], node=node)
                wait_for(lambda begun=begun: bool(begun()), 30, f"{row} has no process")
        self.daemon(node).kill()
        alive = self.job_processes(node=node)
        self.node_down(node)
        return [process for process in alive if process.is_running()]

    def start_daemon(self, node: str) -> None:
        """Start a node's slurmd again, and see the node in use."""
        self.launch(node)
        self.node_up(node)

    def node_down(self, node: str) -> None:
        """Set a node down: its jobs end in NODE_FAIL or are requeued."""
        self.output("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        wait_for(lambda: "DOWN" in self.node_state(node), 30, lambda: f"{node} is {self.node_state(node)}")

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


def main(arguments: list[str]) -> int:
    """Start, stop or show a cluster, print its environment, or run a command on one that ends when that does."""
    split = arguments.index("--") if "--" in arguments else len(arguments)
    parser = argparse.ArgumentParser(prog="python -m tests.slurm.cluster", description=main.__doc__)
    parser.add_argument("verb", choices=["start", "stop", "status", "env", "run"], help="run: … run -- COMMAND")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / f"hominis-slurm-{os.getuid()}")
    parser.add_argument("--nodes", type=int, help="booster nodes  [default: 4, or as it was]")
    options = parser.parse_args(arguments[:split])
    cluster = Cluster(options.folder, **({"nodes": options.nodes} if options.nodes else {}))
    if options.verb == "run":
        with cluster:
            return subprocess.run(arguments[split + 1 :], env=os.environ | cluster.environment).returncode
    if options.verb == "env":
        print("\n".join(f"export {name}={value}" for name, value in cluster.environment.items()))
    elif options.verb == "status":
        print(cluster.status())
    else:
        getattr(cluster, options.verb)()
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # stops what it started
    try:
        sys.exit(main(sys.argv[1:]))
    except ClusterError as error:
        sys.exit(str(error))
