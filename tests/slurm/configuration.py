"""What a pretend Leonardo consists of, and the configuration files that tell Slurm so."""

import getpass
import secrets
import socket
from dataclasses import dataclass, field
from pathlib import Path

ACCOUNT = "hominis_test"
BOOSTER, SERIAL, CPU = "boost_usr_prod", "lrd_all_serial", "dcgp_usr_prod"
PREEMPTABLE, PREEMPTING = "boost_qos_preempt", "boost_qos_dbg"
FOLDERS = ("etc", "log", "run", "state/controller", "state/mysql", "state/munge", "state/gpus", "jobs")


@dataclass(frozen=True)
class Shape:
    """What the cluster claims to be.

    Attributes:
        nodes: booster nodes that really run; one serial (`login01`) and one CPU node (`lrdn5001`) come on top.
        absent: booster nodes that the controller knows and that are down.
        energy_watts: what each node claims to draw, so that ConsumedEnergy counts (root only); 0: not measured.
        cgroups: enforce memory limits by cgroup v1 (root only), so that OUT_OF_MEMORY happens; the cgroups are named
            by node and job only, so one such cluster at a time.
        max_array_size: array indices stay below it.
        min_job_age_s: how long the controller remembers an ended job.
        max_submit: jobs (array tasks counted) that a user may have in the queue; 0: no limit.
    """

    nodes: int = 4
    gpus: int = 4
    cpus: int = 32
    memory_mb: int = 494_000
    accounting: bool = True
    absent: int = 0
    energy_watts: int = 0
    cgroups: bool = False
    min_job_age_s: int = 300
    max_array_size: int = 10_001
    max_submit: int = 0
    kill_wait_s: int = 5

    @property
    def booster(self) -> list[str]:
        """The booster nodes that run."""
        return [f"lrdn{i:04}" for i in range(1, self.nodes + 1)]

    @property
    def running(self) -> list[str]:
        """All nodes that run."""
        return [*self.booster, "login01", "lrdn5001"]


@dataclass(frozen=True)
class Ports:
    """The loopback ports of the daemons: slurmctld, slurmdbd, one slurmd per node."""

    controller: int
    accounting: int
    nodes: list[int] = field(default_factory=list)


def write(folder: Path, shape: Shape, ports: Ports) -> None:
    """Write the files of ``folder/etc``, and make the folders and the key that the daemons need."""
    for name in FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "state/munge").chmod(0o700)
    key = folder / "state/munge/key"
    if not key.exists():
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
    for gpu in range(shape.gpus):  # Slurm wants a character device for each
        link = folder / f"state/gpus/{gpu}"
        if not link.is_symlink():
            link.symlink_to("/dev/null")
    texts = {
        "slurm.conf": slurm(folder, shape, ports) + nodes(shape, ports) + partitions(shape),
        "gres.conf": _gres(folder, shape),
        "cgroup.conf": "CgroupPlugin=cgroup/v1\nConstrainRAMSpace=yes\nConstrainSwapSpace=no\nAllowedSwapSpace=0\n",
        "slurmdbd.conf": _slurmdbd(folder, ports),
        "my.cnf": _mariadb(folder),
    }
    for name, text in texts.items():
        path = folder / "etc" / name
        path.touch(mode=0o600 if name == "slurmdbd.conf" else 0o644)
        path.write_text(text)


def slurm(folder: Path, shape: Shape, ports: Ports) -> str:
    """Return slurm.conf as far as it speaks of daemons and scheduling."""
    user, control = getpass.getuser(), "cgroup" if shape.cgroups else ""
    energy = "pm_counters" if shape.energy_watts else "none"
    return f"""\
ClusterName=leonardo
SlurmctldHost={_host()}(127.0.0.1)
SlurmctldPort={ports.controller}
SlurmUser={user}
SlurmdUser={user}
AuthInfo=socket={folder}/run/munge.sock,cred_expire=5
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
StateSaveLocation={folder}/state/controller
SlurmdSpoolDir={folder}/state/%n
SlurmctldPidFile={folder}/run/slurmctld.pid
SlurmdPidFile={folder}/run/%n.pid
SlurmctldLogFile={folder}/log/slurmctld.log
SlurmdLogFile={folder}/log/%n.log
# the nodes claim more than this machine has, so nothing is bound
ProctrackType=proctrack/{control or "linuxproc"}
TaskPlugin=task/{control or "none"}
SlurmdParameters=config_overrides
# a node set down stays down
ReturnToService=1
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
DefMemPerCPU=4000
# a test must not wait for the next round of scheduling
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=2,bf_interval=2,sched_min_interval=10000,batch_sched_delay=0,bf_continue,requeue_delay=1
EnforcePartLimits=ALL
PreemptType=preempt/qos
PreemptMode=REQUEUE
KillWait={shape.kill_wait_s}
MinJobAge={shape.min_job_age_s}
MaxArraySize={shape.max_array_size}
MaxJobCount=50000
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5,energy=1
AcctGatherNodeFreq=1
AcctGatherEnergyType=acct_gather_energy/{energy}
""" + (_accounting(folder, ports) if shape.accounting else "AccountingStorageType=accounting_storage/none\n")


def _accounting(folder: Path, ports: Ports) -> str:
    return f"""\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={ports.accounting}
AccountingStoragePass={folder}/run/munge.sock
AccountingStorageEnforce=associations,limits,qos
AccountingStorageTRES=gres/gpu
"""


def nodes(shape: Shape, ports: Ports) -> str:
    """Return the NodeName lines: real nodes tell each other apart by port, absent ones are down."""
    machine = f"NodeHostname={_host()} NodeAddr=127.0.0.1 Sockets=1 ThreadsPerCore=1 RealMemory={shape.memory_mb}"
    booster = f"CoresPerSocket={shape.cpus} Feature=a100,booster" + (
        f" Gres=gpu:a100:{shape.gpus}" if shape.gpus else ""
    )
    kinds = [booster] * shape.nodes + ["CoresPerSocket=32", "CoresPerSocket=112"]
    lines = [
        f"NodeName={name} Port={port} {machine} {kind} State=UNKNOWN"
        for name, port, kind in zip(shape.running, ports.nodes, kinds, strict=True)
    ]
    if shape.absent:
        absent = f"lrdn[{shape.nodes + 1:04}-{shape.nodes + shape.absent:04}]"
        lines.append(f"NodeName={absent} Port=1 {machine} {booster} State=DOWN Reason=absent")
    return "\n".join(lines) + "\n"


def partitions(shape: Shape) -> str:
    """Return the PartitionName lines, with the limits of Leonardo's guide."""
    booster = f"lrdn[0001-{shape.nodes + shape.absent:04}]"
    qos = "AllowQos=normal,boost_qos_dbg,boost_qos_lprod,boost_qos_bprod," + PREEMPTABLE if shape.accounting else ""
    return f"""\
PartitionName={BOOSTER} Nodes={booster} MaxTime=1-00:00:00 DefaultTime=00:30:00 {qos}
PartitionName={CPU} Nodes=lrdn5001 MaxTime=1-00:00:00 DefaultTime=00:30:00
PartitionName={SERIAL} Nodes=login01 Default=YES MaxTime=04:00:00 DefaultTime=00:30:00 MaxNodes=1 MaxMemPerNode=30800
"""


def _gres(folder: Path, shape: Shape) -> str:
    last = shape.nodes + shape.absent
    files = f"{folder}/state/gpus/[0-{shape.gpus - 1}]"
    return f"AutoDetect=off\nNodeName=lrdn[0001-{last:04}] Name=gpu Type=a100 File={files}\n" if shape.gpus else ""


def _slurmdbd(folder: Path, ports: Ports) -> str:
    user = getpass.getuser()
    return f"""\
AuthInfo=socket={folder}/run/munge.sock,cred_expire=5
CommunicationParameters=NoInAddrAny
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={ports.accounting}
SlurmUser={user}
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={user}
StorageLoc=slurm_acct_db
"""


def _mariadb(folder: Path) -> str:
    return f"""\
[client]
socket={folder}/run/mysql.sock
[mysqld]
user={getpass.getuser()}
datadir={folder}/state/mysql
socket={folder}/run/mysql.sock
pid-file={folder}/run/mariadbd.pid
log-error={folder}/log/mariadbd.log
skip-networking
innodb_buffer_pool_size=64M
innodb_log_file_size=16M
innodb_flush_log_at_trx_commit=0
innodb_doublewrite=0
"""


def _host() -> str:
    return socket.gethostname().split(".")[0]


def accounts(shape: Shape) -> list[str]:
    """Return the commands for sacctmgr that make the account, its user and the QOS of Leonardo's guide."""
    user, limits = getpass.getuser(), f"MaxSubmitJobsPerUser={shape.max_submit or -1}"
    return [
        "add cluster leonardo",
        f"modify qos normal set Flags=DenyOnLimit MaxTRESPerJob=node=64 MaxWall=1-00:00:00 {limits}",
        f"add qos {PREEMPTABLE} Priority=1 PreemptMode=requeue",
        f"add qos {PREEMPTING} Priority=80 MaxTRESPerJob=node=2 MaxWall=00:30:00 MaxJobsPerUser=2 Flags=DenyOnLimit"
        f" Preempt={PREEMPTABLE}",
        "add qos boost_qos_lprod Priority=40 MaxTRESPerJob=node=3 MaxWall=4-00:00:00"
        " Flags=DenyOnLimit,PartitionTimeLimit",
        "add qos boost_qos_bprod Priority=60 MinTRESPerJob=node=65 MaxTRESPerJob=node=256 MaxWall=1-00:00:00"
        " Flags=DenyOnLimit",
        f"add account {ACCOUNT} Cluster=leonardo Description=test Organization=test",
        f"add user {user} Account={ACCOUNT} DefaultAccount={ACCOUNT}",
        f"modify user {user} where account={ACCOUNT} set"
        f" qos=normal,boost_qos_dbg,boost_qos_lprod,boost_qos_bprod,{PREEMPTABLE} DefaultQOS=normal",
    ]
