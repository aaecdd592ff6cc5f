"""What a rank does from its first weights to the artefact."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.errors import StageFailed
from hominis.train import checkpoints, stop
from hominis.train.brief import Brief
from hominis.train.process import distributed
from hominis.train.record import Record
from hominis.train.schedule import consumed

if TYPE_CHECKING:
    from hominis.train.state import State


def train(path: Path) -> int:
    """Train as the brief at ``path`` says; return the rank's exit code."""
    brief = Brief.read(path)
    section = brief.section
    with distributed(section.layout, section.threads, section.seed):
        return _train(brief)


def _train(brief: Brief) -> int:
    from hominis.train.samples import build_datasets

    state = _state(brief)
    train_set, heldout_set = build_datasets(brief)
    record = Record(brief)
    if not _steps(brief, state, train_set, record):
        return stop.RESUME_CODE
    _publish(brief, state, train_set, heldout_set, record)
    return 0


def _state(brief: Brief) -> State:
    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.state import State

    chunks = build_for_training(brief.section, brief.vocab_size)
    state = State(chunks, build_optimiser(brief.section, chunks))
    if brief.resume:
        state.load(Path(brief.resume))
    return state


def _steps(brief: Brief, state: State, samples: Any, record: Record) -> bool:
    """Train to the last step or to a request to stop; return whether the last step was done."""
    from hominis.train.loop import train_step
    from hominis.train.rolling import Rolling
    from hominis.train.samples import micro_batches

    section, rolling = brief.section, Rolling(brief)
    ends = consumed(section, state.step), consumed(section, section.steps)
    batches = micro_batches(samples, brief, *ends, state.samples)
    while state.step < section.steps:
        began = time.monotonic()
        step = train_step(state, section, batches)
        _check_finite(step.number, step.loss, step.grad_norm)
        record.step(step.number, step.loss, step.grad_norm, step.learning_rate, time.monotonic() - began)
        stopping, writing = _any_rank(stop.asked(), rolling.pending)
        if not writing:
            rolling.complete()
        stopping = stopping and state.step < section.steps
        if stopping or checkpoints.due(state.step, section.steps, section.checkpoint_every, section.keep_every):
            rolling.begin(state, record.metrics)
        if stopping:
            break
    rolling.complete()
    return state.step == section.steps


def _check_finite(step: int, loss: float, grad_norm: float) -> None:
    if math.isfinite(loss) and math.isfinite(grad_norm):
        return
    raise StageFailed(
        f"training diverged: at step {step} the loss is {loss} and the gradient's norm {grad_norm}",
        where="pretrain.schedule",
        remedy="set a smaller learning_rate or more warmup_steps",
    )


def _any_rank(*flags: bool) -> list[bool]:
    """Return of each of ``flags`` whether it is true on any rank: all must do the same after the same step."""
    import torch

    votes = torch.tensor(flags, dtype=torch.int32, device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(votes)
    return [vote > 0 for vote in votes.tolist()]


def _publish(brief: Brief, state: State, train_set: Any, heldout_set: Any, record: Record) -> None:
    from hominis.train.model import count_parameters
    from hominis.train.passes import evaluate
    from hominis.train.samples import micro_batches

    section, loss = brief.section, None
    if heldout_set is not None:
        loss = evaluate(state, section, micro_batches(heldout_set, brief, 0, section.validation_samples))
    state.save_artefact(brief.out / "checkpoint", optimiser=section.keep_optimizer)
    parameters, samples = count_parameters(state.chunks), state.samples.total()
    record.publish(train_set, parameters=parameters, samples=samples, validation_loss=loss)
