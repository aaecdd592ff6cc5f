"""Slurm: how jobs are run at a site, and what the jobs of one stage ask for."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from hominis.config.base import Section

Count = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class SlurmSection(Section):
    """How jobs are run at this site. What a stage asks for stands in the rules and the profile, as resources."""

    python: str = Field("", description="Python of the ranks, if not this one: `singularity exec --nv … python`.")
    setup: list[str] = Field([], description="Shell lines before the work: `module load …`, `export …`.")
    srun: list[str] = Field([], description="Further options for the srun that starts the ranks.")
    tasks_per_node: Count = Field(4, description="Ranks of a training run on one node: its GPUs.")
    warn_s: Count = Field(180, description="How long before the wall time a job is asked to write its checkpoint.")
    throttle: Count = Field(64, description="Tasks of an array that run at a time.")
    array: Count = Field(1000, description="Tasks of one array at most; the site's MaxArraySize bounds it too.")
    queued: Count = Field(10_000, description="Tasks of a stage that wait or run at a time: below the submit limit.")
    poll_s: Seconds = Field(5.0, description="Pause between two looks at the queue while things change.")
    slowest_poll_s: Seconds = Field(30.0, description="The same while nothing changes.")
    grace_s: Seconds = Field(60.0, description="How long a job may be in no list before it counts as not there.")


class Resources(Section):
    """What one job of a stage asks Slurm for, under the names of Snakemake's own Slurm plugin.

    Attributes:
        tasks: ranks over all nodes; a stage that is one process leaves it at 1.
        mem_mb: memory of a node. ``runtime``: minutes.
        gres: per node, such as ``gpu:4``.
        slurm_extra: further options of sbatch, as on its command line.
    """

    slurm_account: str = ""
    slurm_partition: str = ""
    qos: str = ""
    nodes: Count = 1
    tasks: Count = 1
    cpus_per_task: Count = 1
    mem_mb: Count | None = None
    runtime: Count = 60
    gres: str = ""
    constraint: str = ""
    slurm_extra: str = ""
