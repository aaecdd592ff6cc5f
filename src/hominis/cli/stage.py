"""``hominis <stage>``: get one stage of a run done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from hominis import stages
from hominis.cli.checkout import checkout
from hominis.cli.common import run_option, say_as, site_of
from hominis.cli.foresee import afford
from hominis.config.slurm import Resources
from hominis.errors import ConfigError
from hominis.jobs import task
from hominis.jobs.drive import drive
from hominis.jobs.progress import duration
from hominis.store import files, receipts
from hominis.store.cores import cores
from hominis.store.types import Stage

if TYPE_CHECKING:
    from hominis.config.run import RunConfig

SHORT = {
    "fetch": "Get the raw corpora, verified by hash.",
    "annotate": "Compute quality signals, language and signatures of every document.",
    "deduplicate": "Find exact and near duplicates over all corpora.",
    "questions": "List the items of the evaluation tasks, to keep them out of the text.",
    "select": "Apply the policies; write the text that stays.",
    "vocabulary": "Learn a byte-level BPE from the training text.",
    "tokenise": "Write the token shards, training and held-out apart.",
    "ngram": "Measure the byte n-gram models that the model is compared with.",
    "adopt": "Take a Hugging Face model's weights as the first ones.",
    "pretrain": "Train the model with megatron-core.",
    "decay": "Train a decay branched off one of pretrain's checkpoints.",
    "export": "Write the checkpoint as a Hugging Face model.",
    "generate": "Let the model answer the evaluation tasks.",
    "score": "Score the answers; generated code runs in bubblewrap alone.",
}


def command(name: str) -> click.Command:
    """Return the verb of a stage."""
    text = f"""{SHORT[name]}

    Missing parts run as detached jobs that survive this command; what is in the store is not done again.

    \b
    Examples:
      hominis {name}
      hominis {name} --config results/quickstart/config.json --jobs 2
    """

    @click.command(name, help=text, short_help=SHORT[name])
    @run_option
    @click.option("--jobs", type=click.IntRange(1), default=cores, help="Cores to use, and parts at a time at most.")
    @click.option("--resource", "asked", multiple=True, metavar="NAME=VALUE", help="What its Slurm jobs ask for.")
    def verb(run: RunConfig, jobs: int, asked: tuple[str, ...]) -> None:
        begun = time.monotonic()
        say = say_as(name)
        do(run, name, jobs, asked)
        say(f"done in {duration(time.monotonic() - begun)}")

    return verb


def task_of(run: RunConfig, stage: Stage, jobs: int, asked: Sequence[str] = ()) -> task.Task:
    """Return what there is to do for a stage of a run, given the receipts of its inputs."""
    section = getattr(run, stage.name)
    upstream = task.upstream(run.receipts, stage.inputs)
    settings = section.model_dump(mode="json")
    logs = (run.folder / "logs" / stage.name).absolute()
    slurm = (run.slurm, resources(asked)) if run.backend == "slurm" else None
    return task.Task(site_of(run), stage, section, settings, run.run, checkout(), upstream, jobs, logs, slurm)


def resources(asked: Sequence[str]) -> Resources:
    """Return what ``NAME=VALUE`` pairs ask for."""
    pairs = dict(pair.partition("=")[::2] for pair in asked)
    try:
        return Resources.model_validate(pairs)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}={e['input']}: {e['msg']}" for e in error.errors())
        remedy = f"the resources are {', '.join(Resources.model_fields)}"
        raise ConfigError(
            f"resources that Slurm can't be asked for: {wrong}", where="--resource", remedy=remedy
        ) from None


def do(run: RunConfig, name: str, jobs: int, asked: Sequence[str] = ()) -> None:
    """Get a stage done and leave its receipt with the run; one that is there and equal is not touched.

    Raises:
        ConfigError: the run has no such stage.
    """
    stage = stages.of(run).get(name)
    if stage is None:
        remedy = f"give the run a section `{name}`; `hominis config schema` says what is in it"
        raise ConfigError(f"the run {run.run} has no stage {name}: its section is null", where=name, remedy=remedy)
    if name == "pretrain":
        afford(run)
    receipt = drive(task_of(run, stage, jobs, asked), say_as(name))
    path, text = run.receipts / f"{name}.json", receipts.to_text(receipt)
    if not path.exists() or path.read_bytes() != text.encode():
        files.replace(path, text)
