"""The daemons of a cluster on one machine: started, stopped, and found again by whoever knows the folder."""

import contextlib
import fcntl
import getpass
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path
from signal import SIGHUP

from tests.slurm.configuration import Ports, Shape, accounts, write
from tests.slurm.daemons import ClusterError, Daemon, free_ports, gone, locked, processes, wait_for

PACKAGES = "slurm-wlm munge slurmdbd mariadb-server"
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/usr/bin"
LONGEST = 60  # characters of the folder: sockets below it are bound to 107
HOSTS = Path("/etc/hosts")


def missing() -> list[str]:
    """Return the programs that a cluster needs and this machine lacks."""
    needed = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "mariadb-install-db", "sbatch", "sacct")
    return [name for name in needed if not shutil.which(name, path=PATH)]


class Machine:
    """A cluster's folder and daemons. Starting it twice, or stopping it twice, does nothing more than once."""

    def __init__(self, folder: Path, **shape) -> None:
        self.folder = Path(folder).resolve()
        if len(str(self.folder)) > LONGEST:
            raise ClusterError(f"{self.folder}: too long for unix sockets, {LONGEST} characters at most")
        self._saved = self.folder / "etc/cluster.json"
        saved = json.loads(self._saved.read_text()) if self._saved.exists() else {}
        self.shape = Shape(**(shape or saved.get("shape", {})))
        self.ports = Ports(**saved["ports"]) if saved else None
        self.slurm_conf = str(self.folder / "etc/slurm.conf")
        self.environment = {"SLURM_CONF": self.slurm_conf}

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def command(self, *arguments: str, **options) -> subprocess.CompletedProcess[str]:
        """Run a command of Slurm (or another) on this cluster."""
        options = {"cwd": self.folder / "jobs", "capture_output": True, "text": True, "timeout": 120, **options}
        return subprocess.run([str(a) for a in arguments], env=self._environment(), **options)

    def output(self, *arguments: str, **options) -> str:
        """Run a command that must succeed, and return what it printed."""
        done = self.command(*arguments, **options)
        if done.returncode:
            raise ClusterError(f"{' '.join(map(str, arguments))}: exit {done.returncode}: {done.stderr.strip()}")
        return done.stdout.strip()

    def _environment(self) -> dict[str, str]:
        """Return our environment without the caller's job, if it is one."""
        outer = {name: value for name, value in os.environ.items() if not name.startswith(("SLURM_", "SBATCH_"))}
        return {**outer, "PATH": PATH, "MYSQL_UNIX_PORT": f"{self.folder}/run/mysql.sock", **self.environment}

    def daemon(self, name: str) -> Daemon:
        """Return one of the daemons: munged, mariadbd, slurmdbd, slurmctld, meter, or a node's slurmd by its name."""
        run, state, log = (f"{self.folder}/{name}" for name in ("run", "state", "log"))
        commands = {
            "munged": f"munged --force --num-threads=2 --key-file={state}/munge/key --socket={run}/munge.sock"
            f" --pid-file={run}/munged.pid --seed-file={state}/munge/seed --log-file={log}/munged.log",
            "mariadbd": f"setsid --fork mariadbd --defaults-file={self.folder}/etc/my.cnf",
            "slurmdbd": "slurmdbd",
            "slurmctld": "slurmctld -i",
            "meter": f"setsid --fork {sys.executable} {Path(__file__).with_name('meter.py')}"
            f" {state}/meter {run}/meter.pid {self.shape.energy_watts} {' '.join(self.shape.running)}",
        }
        command = commands.get(name, f"slurmd -N {name}").split()
        if name in self.shape.running and self.shape.energy_watts:
            command = ["unshare", "--mount", "sh", "-ec", METERED, "sh", name, state, *command]
        return Daemon(name, Path(run) / f"{name}.pid", command, self._environment())

    @property
    def daemons(self) -> list[Daemon]:
        """All daemons, each after those it needs."""
        accounting = ["mariadbd", "slurmdbd"] if self.shape.accounting else []
        meter = ["meter"] if self.shape.energy_watts else []
        return [self.daemon(name) for name in ["munged", *accounting, *meter, "slurmctld", *self.shape.running]]

    def launch(self, name: str) -> None:
        """Start one daemon unless it runs."""
        self.daemon(name).start(self.folder / "log" / f"{name}.out")

    def start(self) -> None:
        """Start what doesn't run, and wait until all nodes are there."""
        if lacking := missing():
            raise ClusterError(f"{', '.join(lacking)} not installed: apt-get install {PACKAGES}")
        # one cluster at a time takes its ports
        with locked(Path(tempfile.gettempdir()) / f"hominis-slurm-{os.getuid()}.lock"):
            if all(daemon.process() for daemon in self.daemons):
                return
            if not self.ports or not any(daemon.process() for daemon in self.daemons):
                controller, accounting, *nodes = free_ports(2 + len(self.shape.running))
                self.ports = Ports(controller, accounting, nodes)
            write(self.folder, self.shape, self.ports)
            self._saved.write_text(json.dumps({"shape": asdict(self.shape), "ports": asdict(self.ports)}))
            self._start()

    def _start(self) -> None:
        name_nodes(self.folder, self.shape.running)
        self.launch("munged")
        if self.shape.accounting:
            self._start_accounting()
        if self.shape.energy_watts:
            self.launch("meter")
        self.launch("slurmctld")
        for node in self.shape.running:
            self.launch(node)
        for node in self.shape.running:
            self.node_up(node)

    def _start_accounting(self) -> None:
        defaults = f"--defaults-file={self.folder}/etc/my.cnf"
        if not (self.folder / "state/mysql/mysql").exists():
            self.output(
                "mariadb-install-db",
                defaults,
                "--auth-root-authentication-method=socket",
                f"--auth-root-socket-user={getpass.getuser()}",
                "--skip-test-db",
            )
        self.launch("mariadbd")
        wait_for(lambda: self.command("mariadb-admin", defaults, "ping").returncode == 0, 60, "mariadbd doesn't answer")
        self.output("mariadb", defaults, "-e", "create database if not exists slurm_acct_db")
        self.launch("slurmdbd")
        wait_for(self.accounting_answers, 60, f"slurmdbd doesn't answer, see {self.folder}/log")
        done = self.folder / "state/accounts"
        if not done.exists():
            self.output("sacctmgr", "-i", input="\n".join(accounts(self.shape)) + "\n")
            done.touch()

    def accounting_answers(self) -> bool:
        """Return whether slurmdbd answers questions."""
        return self.command("sacctmgr", "-n", "show", "cluster").returncode == 0

    def node_up(self, node: str) -> None:
        """Take a node back into use; its slurmd runs."""
        wait_for(lambda: self._comes_back(node), 60, lambda: f"{node} is {self.node_state(node)}: see {self.folder}")

    def _comes_back(self, node: str) -> bool:
        state = self.node_state(node)
        if state & {"DOWN", "DRAIN"}:
            self.command("scontrol", "update", f"NodeName={node}", "State=RESUME")
        if "NOT_RESPONDING" in state and (process := self.daemon(node).process()):
            process.send_signal(SIGHUP)  # makes it register at once
        return state <= IN_USE

    def node_state(self, node: str) -> set[str]:
        """Return a node's state and its flags, in the words of scontrol (sinfo's may be stale)."""
        words = self.output("scontrol", "-o", "show", "node", node).split()
        return set(next(word for word in words if word.startswith("State=")).removeprefix("State=").split("+"))

    def stop(self) -> None:
        """End all jobs and daemons: no process of the cluster is left."""
        if not self._saved.exists():
            return
        if self.daemon("slurmctld").process():
            self.command("scancel", "--user", getpass.getuser())
            with contextlib.suppress(ClusterError):  # what doesn't leave by itself is killed below
                wait_for(lambda: not self.command("squeue", "-h").stdout, 5, "jobs stay")
        for names in (["slurmctld", "meter", *self.shape.running], ["slurmdbd"], ["mariadbd", "munged"]):
            gone([process for name in names if (process := self.daemon(name).stop())])
        while left := processes(self.slurm_conf):  # again: a step may just have been starting one more
            gone(left, within_s=0)
        name_nodes(self.folder, [])


IN_USE = {"IDLE", "ALLOCATED", "MIXED", "COMPLETING", "PLANNED"}

# Slurm's plugin for HPE-Cray reads /sys/cray/pm_counters: each slurmd sees a private one, filled by meter.py
METERED = """node=$1 state=$2; shift 2
mkdir -p $state/sys/cray $state/cgroup
mount --rbind /sys/fs/cgroup $state/cgroup
mount -t overlay overlay -o lowerdir=$state/sys:/sys /sys
mount --bind $state/meter/$node /sys/cray
mount --rbind $state/cgroup /sys/fs/cgroup
exec "$@"
"""


def name_nodes(folder: Path, names: list[str]) -> None:
    """Make the nodes' names resolve (ranks look for MASTER_ADDR by name), as far as we may write /etc/hosts."""
    if not os.access(HOSTS, os.W_OK):
        return
    mark = f"# hominis slurm {folder}"
    with HOSTS.open("r+") as file:  # in place: in a container the file can't be replaced
        fcntl.flock(file, fcntl.LOCK_EX)
        lines = [line for line in file if not line.endswith(f"{mark}\n")]
        lines += [f"127.0.0.1 {' '.join(names)} {mark}\n"] if names else []
        file.seek(0)
        file.write("".join(lines))
        file.truncate()
