# Requires: `config`, a complete run. Gives: RUN (the checked configuration), HOMINIS_CONFIG (the file of it that the verbs
# read: named by its content, so that two starts with different settings don't mix; config.json is the newest, for people),
# the names of receipts and logs, the digest of a stage's section, by which Snakemake notices a changed setting, and what
# a stage's jobs ask Slurm for.
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from hominis.cli.admit import admit
from hominis.config.run import load
from hominis.config.slurm import Resources as Request
from hominis.errors import HominisError
from hominis.stages import of as stages_of
from hominis.stages.standing import withdraw_stale
from hominis.store.files import canonical, digest, replace

os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)

try:
    RUN = load(config)
    for stale in withdraw_stale(RUN):
        print(f"again: {stale}", file=sys.stderr)
except HominisError as error:
    raise WorkflowError(str(error)) from None

STAGES = stages_of(RUN)
ENVIRONMENT = "../envs/login.yaml"
SETTINGS = canonical(RUN.model_dump(mode="json"))
CONFIG = RUN.folder / "configs" / f"{digest(SETTINGS)[:12]}.json"
os.environ["HOMINIS_CONFIG"] = str(CONFIG)
PAGE = RUN.page
THREADS = 1 if RUN.backend == "slurm" else workflow.cores


def receipt(stage):
    """Return the receipt of a stage, the only file of it that Snakemake tracks."""
    return RUN.receipts / f"{stage}.json"


def upstream(stage):
    """Return the receipts that a stage reads, those of stages that the run has not left out."""
    return [receipt(name) for name in STAGES[stage].inputs]


def logfile(stage):
    """Return the log of a stage's driver."""
    return RUN.folder / "logs" / f"{stage}.log"


def section(stage):
    """Return the digest of a stage's section of the configuration."""
    return digest(getattr(RUN, stage).model_dump(mode="json"))


def wanted(resources):
    """Return what a stage's jobs ask Slurm for: the rule's resources, as the profile changed them."""
    given = {name: resources.get(name) for name in Request.model_fields}
    return {name: value for name, value in given.items() if value not in (None, "")}


def asked(wildcards, resources, threads):
    """Return a stage's options. Snakemake doesn't rerun a rule for a parameter that it derives from resources."""
    named = wanted(resources) if RUN.backend == "slurm" else {}
    options = [
        f"--resource {shlex.quote(f'{name}={value}')}" for name, value in named.items()
    ]
    return " ".join([f"--jobs {threads}", *options])


envvars:
    "PATH",
    "HOMINIS_CONFIG",


onstart:
    replace(CONFIG, SETTINGS)
    replace(RUN.folder / "config.json", SETTINGS)
    stages = [job for job in workflow.dag.needrun_jobs() if job.rule.name in STAGES]
    try:
        admit(RUN, {job.rule.name: wanted(job.resources) for job in stages})
    except HominisError as error:
        raise WorkflowError(str(error)) from None
