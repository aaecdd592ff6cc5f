"""Learning rate, batch and position in the data by step: plain numbers that depend on the step alone.

So a resumed run needs nothing but its step, and a plan counts the same steps as the trainer. Steps are counted from 1.
"""

from __future__ import annotations

import math

from hominis.config.schedule import BatchRampSection, ScheduleSection
from hominis.config.train import PretrainSection

POWER_SEQUENCE = 4096
"""Tokens of a sequence where arXiv:2408.13359 counts the batch in sequences (its tables 2 to 4)."""


def learning_rate(section: PretrainSection, step: int) -> float:
    """Return the rate of ``step``: the first of n warm-up steps has 1/n of the highest.

    A decay would reach the lowest one step after the last: at zero the last step would do nothing.

    wsd: "MiniCPM", arXiv:2404.06395, with the decays of arXiv:2405.18392 as megatron-core has them. power:
    arXiv:2408.13359, equations 7 and 8: min(``learning_rate``, factor · batch · tokens^exponent), the batch in
    sequences of 4096 tokens, with the tokens seen so far; the warm-up goes up to it and the decay down from it.
    """
    schedule = section.schedule
    if step <= schedule.warmup_steps:
        return _stable(section, schedule.warmup_steps) * (step / schedule.warmup_steps)
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
    ramped, levels = min(step, ramp.steps), _levels(section, ramp)
    grown = sum(max(0, ramped - -(-level * ramp.steps // levels)) for level in range(1, levels))
    return ramped * ramp.start + grown * ramp.increment + (step - ramped) * section.global_batch


def span(section: PretrainSection, step: int) -> range:
    """Return the samples that ``step`` trains on, by their places in the data."""
    return range(consumed(section, step - 1), consumed(section, step))


def _levels(section: PretrainSection, ramp: BatchRampSection) -> int:
    return (section.global_batch - ramp.start) // ramp.increment


def _stable(section: PretrainSection, step: int) -> float:
    schedule = section.schedule
    if schedule.style != "power":
        return schedule.learning_rate
    batch = batch_size(section, max(1, step)) * section.model.sequence / POWER_SEQUENCE
    tokens = consumed(section, max(1, step)) * section.model.sequence
    return min(schedule.learning_rate, schedule.power_factor * batch * math.pow(tokens, schedule.power_exponent))


def _share(step: int, begin: int, end: int) -> float:
    """Return how much of the way from ``begin`` to one beyond ``end`` is done."""
    return (step - begin) / (end + 1 - begin)


def _cosine(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def _decayed(schedule: ScheduleSection, share: float) -> float:
    """Return what is left of the decay after ``share`` of it, 1 to 0."""
    if schedule.decay == "exponential":
        return 2 * math.pow(0.5, share) - 1
    forms = {"linear": 1 - share, "cosine": _cosine(share), "minus_sqrt": 1 - math.sqrt(share)}
    return forms[schedule.decay]


def _between(schedule: ScheduleSection, highest: float, left: float) -> float:
    lowest = min(schedule.min_learning_rate, highest)
    return lowest + (highest - lowest) * left
