"""The stage ``decay``: the end of a run, branched off one of its checkpoints ("MiniCPM", arXiv:2404.06395).

One long run at a stable rate serves several lengths: each branch takes its weights and its optimiser's state at a
step, and goes on as that run would have gone on had its decay begun there, with the samples that come next.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hominis.config.train import DecaySection, PretrainSection
from hominis.errors import InputError
from hominis.store.types import Artefact, Inputs, Part, Scratch, Summary
from hominis.train import checkpoints, pretrain
from hominis.train.schedule import consumed


def parts(section: DecaySection, inputs: Inputs) -> Sequence[Part]:
    """Return the one part.

    Raises:
        InputError: what it is to be branched off has no such checkpoint.
    """
    _milestone(section, inputs["pretrain"][0])
    return [Part("all")]


def work(section: DecaySection, inputs: Inputs, part: Part, scratch: Scratch) -> Summary:
    """Train from the milestone, or the newest whole checkpoint since; writes what ``pretrain`` writes.

    The metrics begin with those of the steps before the branch.

    Raises:
        InputError: there is no such milestone, or the run it is of has not enough samples left.
        Interrupted, StageFailed: as of ``pretrain``.
    """
    trunk = inputs["pretrain"][0]
    run = PretrainSection.model_validate(trunk.receipt.section)
    start = pretrain.Start(checkpoint=_milestone(section, trunk), samples=consumed(run, run.steps))
    summary = pretrain.train(branch(run, section), inputs, scratch, start)
    return {**summary, "from_step": section.from_step}


def branch(run: PretrainSection, section: DecaySection) -> PretrainSection:
    """Return the settings of the run with its decay where ``section`` has it.

    The data's order depends on how many samples a run asks for, so a branch keeps to the order, and thereby to the
    samples, of the run that it comes from: it can't be longer.
    """
    decay = {"decay": section.shape, "decay_steps": section.steps, "min_learning_rate": section.min_learning_rate}
    changes = {"schedule": run.schedule.model_dump() | decay, "steps": section.from_step + section.steps}
    how = {name: value for name, value in section.how().items() if value is not None}
    return PretrainSection.model_validate(run.model_dump() | changes | how | {"keep_every": 0})


def _milestone(section: DecaySection, trunk: Artefact) -> Path:
    path = trunk.path / "checkpoints" / checkpoints.name(section.from_step)
    if not path.is_dir():
        there = sorted(map(checkpoints.step_of, path.parent.glob("step-*")))
        raise InputError(
            f"there is no checkpoint of step {section.from_step} to branch off",
            where=path.parent,
            remedy=f"set decay.from_step to one of {there}" if there else "set pretrain.keep_every",
        )
    return path
