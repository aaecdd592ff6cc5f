"""Learning rate, batch and position in the data by step: plain numbers that depend on the step alone.

So a resumed run needs nothing but its step, and a plan counts the same steps as the trainer. Steps are counted from 1.
"""

from __future__ import annotations

import math

from hominis.config.schedule import BatchRampSection, ScheduleSection
from hominis.config.train import PretrainSection


def learning_rate(section: PretrainSection, step: int) -> float:
    """Return the rate of ``step``: the first of n warm-up steps has 1/n of the highest.

    A decay would reach the lowest one step after the last: at zero the last step would do nothing.

    wsd: "MiniCPM", arXiv:2404.06395, with the decays of arXiv:2405.18392. power: arXiv:2408.13359, with the batch in
    sequences and the tokens seen, never above ``learning_rate``.
    """
    schedule = section.schedule
    if step <= schedule.warmup_steps:
        return _stable(section, schedule.warmup_steps) * step / schedule.warmup_steps
    if schedule.style == "cosine":
        return _between(schedule, schedule.learning_rate, _cosine(_share(step, schedule.warmup_steps, section.steps)))
    begin = section.steps - schedule.decay_steps
    if step <= begin:
        return _stable(section, step)
    return _between(schedule, _stable(section, begin), _decayed(schedule, _share(step, begin, section.steps)))


def batch_size(section: PretrainSection, step: int) -> int:
    """Return the sequences of ``step``'s global batch."""
    ramp = section.batch_ramp
    if ramp is None or step > ramp.steps:
        return section.global_batch
    return ramp.start + ramp.increment * (_levels(section, ramp) * (step - 1) // ramp.steps)


def consumed(section: PretrainSection, step: int) -> int:
    """Return the samples that steps 1 to ``step`` have used, whatever the layout: the position in the data."""
    ramp = section.batch_ramp
    if ramp is None:
        return step * section.global_batch
    ramped = sum(batch_size(section, number) for number in range(1, min(step, ramp.steps) + 1))
    return ramped + max(0, step - ramp.steps) * section.global_batch


def _levels(section: PretrainSection, ramp: BatchRampSection) -> int:
    return (section.global_batch - ramp.start) // ramp.increment


def _stable(section: PretrainSection, step: int) -> float:
    schedule = section.schedule
    if schedule.style != "power":
        return schedule.learning_rate
    tokens = max(1, consumed(section, step)) * section.model.sequence
    rate = schedule.power_factor * section.global_batch * math.pow(tokens, schedule.power_exponent)
    return min(schedule.learning_rate, rate)


def _share(step: int, begin: int, end: int) -> float:
    """Return how much of the way from ``begin`` to one beyond ``end`` is done."""
    return (step - begin) / (end + 1 - begin)


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def _decayed(schedule: ScheduleSection, share: float) -> float:
    """Return what is left of the decay after ``share`` of it, 1 to 0."""
    if schedule.decay == "exponential":
        return (math.pow(1000, 1 - share) - 1) / 999
    forms = {"linear": 1 - share, "cosine": _cosine(share), "minus_sqrt": 1 - math.sqrt(share)}
    return forms[schedule.decay]


def _between(schedule: ScheduleSection, highest: float, left: float) -> float:
    lowest = min(schedule.min_learning_rate, highest)
    return lowest + (highest - lowest) * left
