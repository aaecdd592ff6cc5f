"""Which layouts there are for a training, which fit in the GPU's memory, and which of those is fastest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import cache
from itertools import product

from pydantic import ValidationError

from hominis.config.train import LayoutSection, ModelSection, PretrainSection
from hominis.errors import ConfigError
from hominis.plan.constants import FITTED, Constants
from hominis.plan.memory import Memory, memory
from hominis.plan.shapes import Shape
from hominis.plan.speed import Step, step
from hominis.plan.training import Layout, Recompute, Training

MICRO_BATCHES = (1, 2, 4, 8, 16)
RECOMPUTE: tuple[Recompute, ...] = ("none", "selective", "full")
LONG = 16384
"""Tokens of a sequence from which on it is worth splitting."""


@dataclass(frozen=True)
class Fixed:
    """What a user said of the layout; None is what the planner chooses."""

    tp: int | None = None
    pp: int | None = None
    vp: int | None = None
    cp: int | None = None
    ep: int | None = None
    micro_batch: int | None = None
    recompute: Recompute | None = None
    distributed_optimizer: bool = True


@dataclass(frozen=True)
class Candidate:
    """A layout that can be, with what it needs and how long a step takes."""

    layout: Layout
    memory: Memory
    step: Step


@dataclass(frozen=True)
class Refused:
    """A layout that cannot be, and why; ``memory`` where it is too large, None where it does not divide."""

    layout: Layout
    reason: str
    memory: Memory | None = None


@dataclass(frozen=True)
class Choice:
    """Candidates, the fastest first of those that surely fit, then of those that should; and what was refused.

    Of the refused what nearly fits comes first, then what does not divide.
    """

    ranked: list[Candidate]
    refused: list[Refused]


def candidates(training: Training, fixed: Fixed | None = None, constants: Constants = FITTED) -> Choice:
    """Return every layout that is worth considering, ranked by the seconds of a step, with room in the GPU first.

    Of a layout's three ways to recompute the first that fits is taken: the others are slower.
    """
    ranked, refused = [], []
    for layout in _layouts(training, fixed or Fixed()):
        if reason := clash(training, layout):
            refused.append(Refused(layout, reason))
            continue
        needed = {way: memory(training, replace(layout, recompute=way)) for way in _ways(fixed or Fixed())}
        fitting = [way for way, need in needed.items() if need.total <= training.gpu.memory]
        if fitting:
            chosen = replace(layout, recompute=fitting[0])
            ranked.append(Candidate(chosen, needed[fitting[0]], step(training, chosen, constants)))
        else:
            way = min(needed, key=lambda one: needed[one].total)
            refused.append(too_large(training, replace(layout, recompute=way), needed[way]))
    ranked.sort(key=lambda one: (one.memory.high > training.gpu.memory, one.step.seconds))
    refused.sort(key=lambda one: one.memory.total if one.memory else float("inf"))
    return Choice(ranked, refused)


def clash(training: Training, layout: Layout) -> str:
    """Return in what a layout does not divide, in the words in which the config refuses it; "" if it does."""
    ranks, batch, uneven = layout.tp * layout.pp * layout.cp, training.batch, []
    if training.gpus % ranks:
        uneven = [f"gpus {training.gpus} is not divisible by tp · pp · cp = {ranks}"]
        layout, batch = replace(layout, dp=layout.ep), layout.ep * layout.micro_batch * layout.pp
    names = set(LayoutSection.model_fields)
    split = {field.name: getattr(layout, field.name) for field in fields(layout) if field.name in names}
    try:
        PretrainSection(
            model=_section(training.shape),
            layout=LayoutSection(**split),
            blend={"any": 1.0},
            steps=1000,
            global_batch=batch,
            micro_batch=layout.micro_batch,
        )
    except ValidationError as error:
        return "; ".join([*(problem["msg"].removeprefix("Value error, ") for problem in error.errors()), *uneven])
    return "; ".join(uneven)


@cache
def _section(shape: Shape) -> ModelSection:
    """Return the config's section for a shape, to have it checked.

    Raises:
        ConfigError: no model can have this shape.
    """
    names = ("layers", "hidden", "heads", "kv_heads", "ffn", "experts")
    sizes = {name: getattr(shape, name) for name in names}
    try:
        return ModelSection(**sizes, sequence=shape.sequence, experts_per_token=shape.experts_per_token or 1)
    except ValidationError as error:
        raise ConfigError(error.errors()[0]["msg"].removeprefix("Value error, "), where="the model's shape") from error


def _ways(fixed: Fixed) -> tuple[Recompute, ...]:
    return (fixed.recompute,) if fixed.recompute else RECOMPUTE


def too_large(training: Training, layout: Layout, need: Memory) -> Refused:
    """Return the refusal of a layout that needs more than the GPU has, with its parts."""
    parts = ", ".join(f"{name} {size / 1e9:.1f}" for name, size in vars(need).items())
    text = f"needs {need.total / 1e9:.1f} GB of {training.gpu.memory_gb:.1f}: {parts}"
    return Refused(layout, text, need)


def _layouts(training: Training, fixed: Fixed) -> Iterator[Layout]:
    """Yield what is asked for or, where nothing is, what divides the model and stays in a node."""
    shape = training.shape
    tensor = _either(fixed.tp, [n for n in (1, 2, 4, 8) if n <= min(training.gpu.per_node, training.gpus)])
    pipeline = _either(fixed.pp, [n for n in _divisors(shape.layers) if n <= training.gpus])
    context = _either(fixed.cp, [1] if shape.sequence < LONG else [1, 2, 4, 8])
    expert = _either(fixed.ep, [n for n in _divisors(shape.experts or 1) if n <= 64])
    for tp, pp, cp, ep in product(tensor, pipeline, context, expert):
        if tp * pp * cp > training.gpus:
            continue
        dp = training.gpus // (tp * pp * cp)
        pieces = _either(fixed.vp, _divisors(max(shape.layers // pp, 1)) if pp > 1 else [1])
        for vp, micro_batch in product(pieces, _either(fixed.micro_batch, list(MICRO_BATCHES))):
            if not fixed.micro_batch and micro_batch > 1 and training.batch % (dp * micro_batch):
                continue
            split = tp > 1 and (training.flash or fixed.recompute != "full")
            spread = fixed.distributed_optimizer
            yield Layout(tp, pp, vp, cp, ep, dp, micro_batch, "none", split, spread)


def _either(said: int | None, usual: list[int]) -> list[int]:
    return [said] if said else usual


def _divisors(number: int) -> list[int]:
    return [n for n in range(1, number + 1) if number % n == 0]
