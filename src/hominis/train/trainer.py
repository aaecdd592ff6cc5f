"""What a rank does from its first weights to the artefact."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.train import checkpoints, devices, guard, laps, stop
from hominis.train.brief import Brief
from hominis.train.process import distributed
from hominis.train.record import Record
from hominis.train.schedule import span

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
    from hominis.train.state import State, load_weights

    laps.mark(laps.IMPORTS)
    chunks = build_for_training(brief.section, brief.vocab_size)
    if brief.weights and not brief.resume:
        load_weights(chunks, Path(brief.weights))
    state = State(chunks, build_optimiser(brief.section, chunks))
    laps.mark(laps.MODEL)
    if brief.resume:
        state.load(Path(brief.resume))
        laps.mark(laps.LOAD)
    return state


def _steps(brief: Brief, state: State, samples: Any, record: Record) -> bool:
    """Train to the last step, a request to stop or a rollback; return whether the last step was done."""
    from hominis.train.loop import most_of_any_rank, next_step
    from hominis.train.rolling import Rolling
    from hominis.train.samples import micro_batches

    section, rolling, judge = brief.section, Rolling(brief), _guard(brief)
    left = (step for step in range(state.step + 1, section.steps + 1) if not judge.leaves_out(step))
    batches = micro_batches(samples, brief, (span(section, step) for step in left), state.samples)
    back = False
    while state.step < section.steps:
        began = time.monotonic()
        step = next_step(state, section, batches, judge)
        judge.note(guard.Outcome(step.loss, step.why))
        seconds = time.monotonic() - began
        flags = int(stop.asked()), int(rolling.pending)
        stopping, writing, memory_bytes = most_of_any_rank(*flags, devices.memory_bytes())
        record.step(step, seconds, memory_bytes)
        if not writing:
            rolling.complete()
        back = judge.asks_back(state.step)
        if back:
            _order_rollback(brief, judge.rollback(state.step))
            break
        stopping = stopping and state.step < section.steps
        if stopping or checkpoints.due(state.step, section.steps, section.checkpoint_every, section.keep_every):
            rolling.begin(state, record.metrics, judge.reach(state.step))
        if stopping:
            break
    rolling.complete()
    return state.step == section.steps and not back


def _guard(brief: Brief) -> guard.Guard:
    settings = brief.section.guard
    before = guard.outcomes(Path(brief.resume) / checkpoints.METRICS, settings) if brief.resume else []
    return guard.Guard(settings, brief.section.steps, guard.read(brief.checkpoints), before)


def _order_rollback(brief: Brief, rollback: guard.Rollback) -> None:
    """Have the launcher start the ranks again, from a checkpoint before the steps now left out."""
    import torch.distributed as dist

    if dist.get_rank() == 0:
        guard.order(brief.checkpoints, rollback)


def _publish(brief: Brief, state: State, train_set: Any, heldout_set: Any, record: Record) -> None:
    from hominis.train.model import count_parameters
    from hominis.train.passes import evaluate
    from hominis.train.samples import micro_batches

    section, loss = brief.section, None
    if heldout_set is not None:
        loss = evaluate(state, section, micro_batches(heldout_set, brief, [range(section.validation_samples)]))
        if not math.isfinite(loss):
            raise guard.diverged(f"the held-out loss is {loss}, after the last step")
    state.save_artefact(brief.out / "checkpoint", optimiser=section.keep_optimizer)
    parameters, samples = count_parameters(state.chunks), state.samples.total()
    record.publish(train_set, parameters=parameters, samples=samples, validation_loss=loss)
