"""One layout judged beside all others: can it be, where does it stand, what is next to it."""

from __future__ import annotations

import math

from hominis.plan.layouts import Candidate, Choice, Refused, clash, too_large
from hominis.plan.memory import memory
from hominis.plan.speed import step
from hominis.plan.training import Layout, Training

NEAREST = 3


def judge(training: Training, layout: Layout) -> Candidate | Refused:
    """Return a layout with its memory and step, or why it cannot be."""
    if reason := clash(training, layout):
        return Refused(layout, reason)
    need = memory(training, layout)
    if need.total > training.gpu.memory:
        return too_large(training, layout, need)
    return Candidate(layout, need, step(training, layout))


def reason_of(refused: Refused) -> str:
    """Return why a layout was refused, without the figures of the case."""
    if refused.memory:
        return "memory"
    first = refused.reason.split("; ")[0]
    return " ".join(word for word in first.split() if not word.strip("·=,:").isdigit()).rstrip(" =")


def nearest(wanted: Layout, choice: Choice) -> list[Candidate]:
    """Return the layouts that can be that differ least from ``wanted``, by factors of two."""

    def apart(one: Candidate) -> float:
        names = ("tp", "pp", "vp", "cp", "ep", "micro_batch")
        sizes = sum(abs(math.log2(getattr(one.layout, name) / getattr(wanted, name))) for name in names)
        return sizes + 0.5 * (one.layout.recompute != wanted.recompute)

    return sorted(choice.ranked, key=lambda one: (apart(one), one.step.seconds))[:NEAREST]
