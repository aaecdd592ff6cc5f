"""One optimiser step of a rank."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
import torch.distributed as dist

from hominis.config.train import PretrainSection
from hominis.train import optimiser, schedule
from hominis.train.chance import draw_anew
from hominis.train.guard import LEFT_OUT, Guard
from hominis.train.passes import run_pass
from hominis.train.samples import Batch
from hominis.train.state import State


@dataclass(frozen=True)
class Step:
    """What one optimiser step gave.

    Attributes:
        loss: mean by token (nats); None if the step was left out.
        grad_norm: norm of the gradient before clipping; None if the step was left out.
        why: why it changed no weight; empty if it did.
    """

    number: int
    loss: float | None
    grad_norm: float | None
    learning_rate: float
    why: str = ""

    @property
    def skipped(self) -> bool:
        """Whether it changed no weight."""
        return bool(self.why)


def next_step(state: State, section: PretrainSection, batches: Iterator[Batch], guard: Guard) -> Step:
    """Do one optimiser step on the next global batch, or pass it over; all ranks get the same figures."""
    number = state.step + 1
    rate = schedule.learning_rate(section, number)
    if guard.leaves_out(number):
        step = Step(number, None, None, rate, LEFT_OUT)
    else:
        loss, norm = _gradients(state, section, batches)
        why = _agreed(guard.objection(loss, norm))
        if not why:
            optimiser.set_rate(state.optimiser, rate)
            optimiser.apply(state.optimiser, norm)
        step = Step(number, loss, norm, rate, why)
    state.step = number
    return step


def most_of_any_rank(*values: int) -> list[int]:
    """Return the largest of each of ``values`` on any rank: so all do the same."""
    most = torch.tensor(values, device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(most, dist.ReduceOp.MAX)
    return [int(value) for value in most.tolist()]


def _gradients(state: State, section: PretrainSection, batches: Iterator[Batch]) -> tuple[float, float]:
    """Compute the gradients of the next step; return its loss and their norm."""
    if section.model.dropout:  # nothing else is drawn by chance, and to seed all generators takes milliseconds
        draw_anew(section.seed, state.step + 1)
    for chunk in state.chunks:
        chunk.zero_grad_buffer()
    state.optimiser.zero_grad()
    loss = run_pass(state, section, batches, schedule.batch_size(section, state.step + 1), forward_only=False)
    return loss, optimiser.gradient_norm(state.optimiser)


def _agreed(objection: str) -> str:
    """Return why the step is bad if it is on any rank: ranks that see other figures must not go apart."""
    (bad,) = most_of_any_rank(int(bool(objection)))
    return objection or ("another rank's figures are bad" if bad else "")
