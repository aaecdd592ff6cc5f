"""What a rank does from its first weights to the artefact."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.errors import StageFailed
from hominis.train import checkpoints, devices, laps, stop
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
    laps.mark(laps.DATA)
    record = Record(brief)
    if not _steps(brief, state, train_set, record):
        return stop.RESUME_CODE
    _publish(brief, state, train_set, heldout_set, record)
    return 0


def _state(brief: Brief) -> State:
    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.state import State

    laps.mark(laps.IMPORTS)
    chunks = build_for_training(brief.section, brief.vocab_size)
    state = State(chunks, build_optimiser(brief.section, chunks))
    laps.mark(laps.MODEL)
    if brief.resume:
        state.load(Path(brief.resume))
        laps.mark(laps.LOAD)
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
        seconds = time.monotonic() - began
        flags = int(stop.asked()), int(rolling.pending)
        stopping, writing, memory_bytes = _most_of_any_rank(*flags, devices.memory_bytes())
        record.step(step, seconds, memory_bytes)
        if not writing:
            rolling.complete()
        stopping = stopping if state.step < section.steps else 0
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


def _most_of_any_rank(*values: int) -> list[int]:
    """Return the largest of each of ``values`` on any rank: so all do the same after the same step."""
    import torch

    most = torch.tensor(values, device="cuda" if torch.cuda.is_available() else "cpu")
    torch.distributed.all_reduce(most, torch.distributed.ReduceOp.MAX)
    return [int(value) for value in most.tolist()]


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
