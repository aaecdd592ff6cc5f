"""What a run would take and cost: its plan, with what is on disk; and whether it may start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hominis.cli.common import site_of
from hominis.errors import CorruptArtefact, InputError

if TYPE_CHECKING:
    from hominis.config.run import RunConfig
    from hominis.plan.run import RunPlan


def foresee(run: RunConfig) -> RunPlan:
    """Return the plan of a run, with its tokenizer's size and its corpora's tokens if they are there.

    Raises:
        InputError: the weights to start from are of another model.
    """
    from hominis.plan.run import plan

    check_weights(run)
    sizes = [summary["vocab_size"] for summary in _summaries(run, "vocabulary")]
    at_hand = {summary["corpus"]: summary["train"]["tokens"] for summary in _summaries(run, "tokenise")}
    return plan(run, sizes[0] if sizes else None, at_hand)


def check_weights(run: RunConfig) -> None:
    """Check that the weights to start from, if there are any and they aren't adopted yet, are of the run's model.

    Raises:
        InputError: they are of another, or can't be had.
    """
    if run.adopt and not (run.receipts / "adopt.json").exists():
        from hominis.train.adopt import check

        check(run.adopt.folder, run.pretrain.model)


def _summaries(run: RunConfig, stage: str) -> list[Any]:
    """Return the summaries of a stage's parts; none if the run hasn't got so far, or they are gone."""
    from hominis.store import whole

    path: Path = run.receipts / f"{stage}.json"
    if not path.exists():
        return []
    try:
        site = site_of(run)
        return [made.receipt.summary for made in whole.peek(site, stage, whole.refs(site, whole.load(path)))]
    except (CorruptArtefact, InputError):
        return []


def afford(run: RunConfig) -> None:
    """Do nothing for a run within its budget, or without one, or whose training is done.

    The prediction is for the GPUs of ``plan.gpu``. A run on this machine is none of those: that is said, no more.

    Raises:
        ConfigError: it is predicted to cost more than its budget.
    """
    budget = run.budget
    done = (run.receipts / "pretrain.json").exists()
    if done or budget.exceed or (budget.gpu_hours is None and budget.tco2e is None):
        return
    if run.backend == "local":
        click.echo(f"budget: not checked, for backend is local and the prediction is for {run.plan.gpu}", err=True)
        return
    from hominis.plan.budget import refuse_over

    refuse_over(budget, foresee(run).verdicts)
