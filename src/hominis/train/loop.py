"""One optimiser step of a rank."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass

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


@dataclass(frozen=True)
class Tidings:
    """What the ranks tell each other once a step; to all of them counts the most that any has said.

    Attributes:
        bad: the figures of the step are.
        stopping: this rank was asked to stop.
        writing: it still writes a checkpoint.
    """

    bad: int
    stopping: int
    writing: int
    memory_bytes: int


def next_step(
    state: State, section: PretrainSection, batches: Iterator[Batch], guard: Guard, tidings: Callable[[int], Tidings]
) -> tuple[Step, Tidings]:
    """Do one optimiser step on the next global batch, or pass it over; all ranks get the same figures and tidings.

    The ranks speak to each other once, where they have met anyway, after the gradient's norm: a second time would have
    each step wait for the slowest update.
    """
    number = state.step + 1
    loss, norm, why = None, None, LEFT_OUT
    if not guard.leaves_out(number):
        loss, norm = _gradients(state, section, batches)
        why = guard.objection(loss, norm)
    heard = _most_of_any_rank(tidings(bool(why)))
    if heard.bad and not why:
        why = "another rank's figures are bad"  # ranks that see other figures must not go apart
    rate = schedule.learning_rate(section, number)
    if norm is not None and not why:
        optimiser.set_rate(state.optimiser, rate)
        optimiser.apply(state.optimiser, norm)
    state.step = number
    return Step(number, loss, norm, rate, why), heard


def _most_of_any_rank(told: Tidings) -> Tidings:
    most = torch.tensor(astuple(told), device="cuda" if torch.cuda.is_available() else "cpu")
    dist.all_reduce(most, dist.ReduceOp.MAX)
    return Tidings(*map(int, most.tolist()))


def _gradients(state: State, section: PretrainSection, batches: Iterator[Batch]) -> tuple[float, float]:
    """Compute the gradients of the next step; return its loss and their norm."""
    if section.model.dropout:  # nothing else is drawn by chance, and to seed all generators takes milliseconds
        draw_anew(section.seed, state.step + 1)
    for chunk in state.chunks:
        chunk.zero_grad_buffer()
    state.optimiser.zero_grad()
    loss = run_pass(state, section, batches, schedule.batch_size(section, state.step + 1), forward_only=False)
    return loss, optimiser.gradient_norm(state.optimiser)
