"""Slurm's commands, and what their answers mean: yes, no, or no answer that one may act upon."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from hominis.errors import HominisError
from hominis.jobs.backend import Unclear

PATIENCE_S = 120.0
NO_CONTACT = re.compile(
    r"nable to contact|imed out|[Cc]onnect|[Zz]ero [Bb]ytes|temporarily unable|standby|Transport endpoint|"
    r"[Ii]nsane message|[Rr]eceive failure|[Ss]end failure|authentication cred|[Uu]nexpected message|in transit|"
    r"slurmdbd|[Dd]atabase|[Pp]lugin initialization|Resource temporarily"
)
SWAYING = ("SLURM_", "SBATCH_", "SQUEUE_", "SACCT_", "SCANCEL_", "SINFO_", "HOMINIS_LAUNCH")
SUBMIT_LIMIT = re.compile(r"MaxSubmitJob|GrpSubmitJob")


REMEDIES = (
    ("invalid account", "set `slurm_account` (and `slurm_partition`): `sacctmgr show assoc user=$USER` lists yours"),
    ("time limit is invalid", "lower `runtime`: `sinfo -o '%P %l'` shows each partition's limit"),
    ("qos", "set `qos`, `runtime` and `nodes` to what the site allows: `sacctmgr show qos`"),
    ("partition", "set `slurm_partition` in the profile; `sinfo -s` lists the partitions"),
    ("node configuration", "lower `cpus_per_task`, `mem_mb` or `gres`: `sinfo -o '%P %c %m %G'` shows what a node has"),
    ("node count", "lower `nodes`, or choose a QOS for runs of this size"),
    ("memory", "lower `mem_mb`: `sinfo -o '%P %m'` shows what a node has"),
)
OTHERWISE = "change the resources in the profile (default-resources, set-resources) and start again"


class Refused(HominisError):
    """Slurm understood and said no."""


class Full(Refused):
    """No more jobs may wait at a time."""


def ask(*command: str, keep: Sequence[int] = ()) -> str:
    """Return what one of Slurm's commands printed.

    Args:
        keep: descriptors that the command inherits.

    Raises:
        Unclear: it failed, or said nothing for two minutes: what it did is not known.
        Refused: the command isn't there.
    """
    try:
        done = subprocess.run(
            command,
            check=False,
            capture_output=True,
            text=True,
            errors="replace",
            env=_environment(),
            pass_fds=keep,
            timeout=PATIENCE_S,
        )
    except FileNotFoundError:
        where = "run on a login node, or load the site's Slurm module; `hominis doctor` looks for all of them"
        raise Refused(f"the command {command[0]} is not there", remedy=where) from None
    except subprocess.TimeoutExpired:
        raise Unclear(f"{command[0]} has not answered for {PATIENCE_S:.0f} s") from None
    if done.returncode:
        words = " ".join(done.stderr.split())[:500]
        raise Unclear(f"{command[0]}: {words or f'exit code {done.returncode}'}", words)
    return done.stdout


def sbatch(script: str, lock: int) -> str:
    """Submit a script and return the job's id.

    Args:
        lock: descriptor of the driver's lock. The child holds it too: a driver that dies now leaves a lock that stands
            until sbatch is done, so the next driver sees what became of it.

    Raises:
        Unclear: whether the job was taken is not known.
        Full: too many jobs of this user wait. Refused: any other no, in Slurm's words.
    """
    try:
        answer = ask("sbatch", "--parsable", script, keep=[lock])
    except Unclear as failure:
        words = failure.words
        if SUBMIT_LIMIT.search(words):
            raise Full(words) from None
        if NO_CONTACT.search(words) or not words:
            raise
        raise Refused(f"Slurm refused: {words}", where=script, remedy=remedy(words)) from None
    job = answer.strip().partition(";")[0]
    if not job.isdigit():
        raise Unclear(f"sbatch answered {answer.strip()[:80]!r}")
    return job


def _environment() -> Mapping[str, str]:
    """Return the environment for Slurm's commands.

    A driver may live in a job itself: what Slurm told that job about its own size must not shape the jobs that it
    submits. Variables that stand for options would win over the script's. Lists of tasks are wanted whole.
    """
    kept = {k: v for k, v in os.environ.items() if not k.startswith(SWAYING) or k in ("SLURM_CONF", "SLURM_CLUSTERS")}
    return kept | {"SLURM_BITSTR_LEN": "0", "SLURM_TIME_FORMAT": "%s"}


def remedy(words: str) -> str:
    """Return what to do about a refusal in Slurm's words."""
    return next((what for sign, what in REMEDIES if sign in words.lower()), OTHERWISE)


def fields(command: str, line: str, count: int) -> list[str]:
    """Return the fields of a line that a command printed.

    Raises:
        Unclear: there are more or fewer: it isn't the answer to what was asked.
    """
    found = line.split("|")
    if len(found) != count:
        raise Unclear(f"{command} answered {line[:80]!r}")
    return found


def moment(text: str) -> float | None:
    """Return a time as Slurm prints it with SLURM_TIME_FORMAT=%s; None where it says N/A, None or Unknown."""
    return float(text) if text.isdigit() else None
