"""Would Slurm take the jobs of a run? Asked at its start: a mistake in the last stage shows before the first runs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from pydantic import ValidationError

from hominis.cli.foresee import afford, check_weights
from hominis.config.slurm import Resources
from hominis.errors import ConfigError
from hominis.jobs import script
from hominis.jobs.backend import Unclear
from hominis.jobs.commands import NO_CONTACT, SUBMIT_LIMIT, Refused, ask, remedy
from hominis.jobs.queue import PREFIX

if TYPE_CHECKING:
    from hominis.config.run import RunConfig

NO_NODES = "node configuration is not available"
PROFILE = "default-resources or set-resources of the profile"


def admit(run: RunConfig, wanted: Mapping[str, Mapping[str, Any]]) -> None:
    """Try the resources of all stages that will run on Slurm, without submitting anything.

    What Slurm refuses while jobs of ours are under way is printed only: those are to be attached to.

    Args:
        wanted: stage → its resources, those that were given.

    Raises:
        ConfigError: an account is missing, or Slurm would refuse a stage's jobs; all of them are named, with its words.
            Or the run is predicted to cost more than its budget.
        InputError: the weights to start from are of another model.
    """
    if "adopt" in wanted:
        check_weights(run)
    if "pretrain" in wanted:
        afford(run)
    if run.backend != "slurm":
        _really_local(wanted)
        return
    resources = {stage: _checked(run, stage, given) for stage, given in wanted.items()}
    try:
        refusals = list(_refusals(run, resources))
        active = refusals and PREFIX in ask("squeue", "-h", "--me", "-o", "%j")
    except Unclear as silence:
        click.echo(f"resources are not tried, Slurm gives no answer: {silence}", err=True)
        return
    if refusals and not active:
        raise ConfigError("Slurm would refuse jobs of this run; nothing was submitted\n" + "\n".join(refusals))
    for refusal in refusals:
        click.echo(f"Slurm would refuse new jobs\n{refusal}", err=True)


def _really_local(wanted: Mapping[str, Mapping[str, Any]]) -> None:
    partitions = sorted({given["slurm_partition"] for given in wanted.values() if "slurm_partition" in given})
    if partitions:
        raise ConfigError(
            f"the profile asks for the partition {partitions[0]}, yet backend is local: all would run on this machine",
            where="--config on the command line, which takes the place of the profile's `config`",
            remedy="say `--config backend=slurm …` there, or put the settings in a file for --configfile",
        )


def _checked(run: RunConfig, stage: str, given: Mapping[str, Any]) -> Resources:
    try:
        resources = Resources.model_validate_strings({name: str(value) for name, value in given.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"{stage}: {first['loc'][0]}={first['input']}: {first['msg']}", where=PROFILE) from None
    if not resources.slurm_account or resources.slurm_account.startswith("$"):
        raise ConfigError(
            f"{stage} has no slurm_account: its jobs can't be charged",
            where=PROFILE,
            remedy="`export HOMINIS_ACCOUNT=…`; `sacctmgr show assoc user=$USER format=account` lists yours",
        )
    if resources.runtime * 60 <= run.slurm.warn_s:
        problem = f"{stage}: runtime of {resources.runtime} min is not longer than slurm.warn_s, {run.slurm.warn_s} s"
        raise ConfigError(problem, where=PROFILE, remedy="raise `runtime`, or lower slurm.warn_s")
    return resources


def _refusals(run: RunConfig, resources: Mapping[str, Resources]) -> Iterator[str]:
    """Yield Slurm's words on each set of resources that it would refuse, with the stages that ask for it."""
    stages: dict[Resources, list[str]] = {}
    for stage, asked in resources.items():
        stages.setdefault(asked, []).append(stage)
    for asked, names in stages.items():
        if words := _refusal(run, asked):
            shown = " ".join(f"{name}={value}" for name, value in asked.model_dump().items() if value not in (None, ""))
            yield f"  {', '.join(names)}: {words}\n    asked: {shown}\n    remedy: {remedy(words)}"


def _refusal(run: RunConfig, asked: Resources) -> str:
    """Return why Slurm would refuse a job, empty if it wouldn't. It takes milliseconds, and submits nothing."""
    with tempfile.TemporaryDirectory(prefix="hominis-") as folder:
        path = Path(folder) / "try.sh"
        try:
            text = script.write(run.slurm, asked, ["-V"], name=f"{PREFIX}try", tasks=1, output=Path(folder) / "%a")
            path.write_text(text)
            ask("sbatch", "--test-only", str(path))
        except Refused as refusal:
            return refusal.problem
        except Unclear as failure:
            if NO_CONTACT.search(failure.words) or not failure.words:
                raise
            if SUBMIT_LIMIT.search(failure.words) or (NO_NODES in failure.words and not _nodes_up(asked)):
                return ""
            return failure.words
    return ""


def _nodes_up(asked: Resources) -> bool:
    """Return whether the partition has enough nodes in service; if not, Slurm can't say if the job fits a node."""
    partition = ["-p", asked.slurm_partition] if asked.slurm_partition else []
    counted = ask("sinfo", "-h", "-o", "%F", *partition).split()
    return sum(int(n) for line in counted for n in line.split("/")[:2]) >= asked.nodes
