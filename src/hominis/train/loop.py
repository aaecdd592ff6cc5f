"""One optimiser step of a rank."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

import torch
import torch.distributed as dist

from hominis.config.train import PretrainSection
from hominis.train import optimiser, schedule
from hominis.train.chance import draw_anew
from hominis.train.guard import LEFT_OUT, Guard
from hominis.train.passes import no_loss, run_pass
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


@dataclass(frozen=True)
class Tidings:
    """What the ranks tell each other once a step; to all of them counts the most that any has said.

    Attributes:
        stopping: this rank was asked to stop.
        writing: it still writes a checkpoint.
    """

    stopping: int
    writing: int
    memory_bytes: int


def next_step(
    state: State, section: PretrainSection, batches: Iterator[Batch], guard: Guard, tidings: Callable[[], Tidings]
) -> tuple[Step, Tidings]:
    """Do one optimiser step on the next global batch, or pass it over; return it, and what the ranks have told.

    The ranks speak once, where they have met anyway, after the gradient's norm: a second time would have each step wait
    for the slowest update. Each then judges the same figures, so that none changes its weights while another does not.
    """
    number = state.step = state.step + 1
    rate = schedule.learning_rate(section, number)
    if guard.leaves_out(number):
        _, _, heard = _exchange(no_loss(), 0.0, tidings())
        return Step(number, None, None, rate, LEFT_OUT), heard
    loss, norm, heard = _exchange(*_gradients(state, section, number, batches), tidings())
    why = guard.objection(loss, norm)
    if not why:
        optimiser.set_rate(state.optimiser, rate)
        optimiser.apply(state.optimiser, norm)
    return Step(number, loss, norm, rate, why), heard


def _exchange(sums: torch.Tensor, norm: float, told: Tidings) -> tuple[float, float, Tidings]:
    """Return the loss by token over all ranks, the largest norm (NaN if one is), and the most that any has told."""
    own = torch.cat([sums, sums.new_tensor([norm, *astuple(told)])])[None]
    ranks = own.new_empty(dist.get_world_size(), own.shape[1])
    dist.all_gather_into_tensor(ranks, own)
    total, tokens = ranks[:, :2].sum(0).tolist()
    largest, *most = ranks[:, 2:].amax(0).tolist()
    return total / tokens if tokens else math.nan, largest, Tidings(*map(int, most))


def _gradients(
    state: State, section: PretrainSection, number: int, batches: Iterator[Batch]
) -> tuple[torch.Tensor, float]:
    """Compute the gradients of step ``number``; return this rank's sums of the loss, and the gradients' norm."""
    if section.model.dropout:  # nothing else is drawn by chance, and to seed all generators takes milliseconds
        draw_anew(section.seed, number)
    for chunk in state.chunks:
        chunk.zero_grad_buffer()
    state.optimiser.zero_grad()
    sums = run_pass(state, section, batches, schedule.batch_size(section, number), forward_only=False)
    return sums, optimiser.gradient_norm(state.optimiser)
