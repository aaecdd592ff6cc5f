"""One optimiser step of a rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from hominis.config.train import PretrainSection
from hominis.train import schedule
from hominis.train.chance import draw_anew
from hominis.train.optimiser import set_rate
from hominis.train.passes import run_pass
from hominis.train.samples import Batch
from hominis.train.state import State


@dataclass(frozen=True)
class Step:
    """What one optimiser step gave: mean loss by token (nats), norm of the gradient before clipping, learning rate."""

    number: int
    loss: float
    grad_norm: float
    learning_rate: float


def train_step(state: State, section: PretrainSection, batches: Iterator[Batch]) -> Step:
    """Do one optimiser step on the next global batch; all ranks get the same figures."""
    draw_anew(section.seed, state.step + 1)
    for chunk in state.chunks:
        chunk.zero_grad_buffer()
    state.optimiser.zero_grad()
    rate = schedule.learning_rate(section, state.step + 1)
    set_rate(state.optimiser, rate)
    loss = run_pass(state, section, batches, schedule.batch_size(section, state.step + 1), forward_only=False)
    _, grad_norm, _ = state.optimiser.step()
    state.step += 1
    return Step(state.step, loss, float(grad_norm), rate)
