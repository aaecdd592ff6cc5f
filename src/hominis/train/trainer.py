"""What a rank does from its first weights to the artefact."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hominis.train import guard, laps, stop
from hominis.train.brief import Brief
from hominis.train.process import distributed
from hominis.train.record import Record

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
    from hominis.train.steps import Steps

    state = _state(brief)
    train_set, heldout_set = build_datasets(brief)
    laps.mark(laps.DATA)
    record = Record(brief)
    if not Steps(brief, state, train_set, record).run():
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
