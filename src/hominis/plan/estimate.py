"""What a training takes: speed, hours, memory, energy and carbon, each with a range."""

from __future__ import annotations

from dataclasses import dataclass

from hominis.carbon.costs import Spread
from hominis.config.carbon import Factor
from hominis.plan.constants import FITTED, Constants
from hominis.plan.layouts import Candidate
from hominis.plan.memory import Memory
from hominis.plan.speed import Step
from hominis.plan.training import Layout, Training

DRAW = (0.9, 0.75, 1.0)
"""Share of its limit that a GPU draws on average while training: value, low, high."""
HOST = (1.0, 0.5, 1.3)
"""Factor on ``Gpu.host_watts``: value, low, high."""


@dataclass(frozen=True)
class Fits:
    """Whether it fits with the memory expected; ``low`` if it takes the most, ``high`` if it takes the least."""

    value: bool
    low: bool
    high: bool


@dataclass(frozen=True)
class Estimate:
    """What training on ``tokens`` tokens takes.

    Attributes:
        tflops_per_gpu: of the model (attention counted whole), while it trains; ``hardware_tflops_per_gpu``: with what
            is recomputed. ``mfu``: the first over the GPU's peak; ``mfu_causal``: attention counted below the
            diagonal only, as ``hominis status`` does.
        gpu_hours: of the whole run, restarts and checkpoints included; so are ``wall_hours`` and what follows.
        energy_kwh: drawn by GPUs and hosts; ``tco2e``: tonnes, that x PUE x intensity.
    """

    training: Training
    layout: Layout
    tokens: float
    memory: Memory
    step: Step
    tokens_per_s_per_gpu: Spread
    tflops_per_gpu: Spread
    hardware_tflops_per_gpu: Spread
    mfu: Spread
    mfu_causal: Spread
    gpu_hours: Spread
    wall_hours: Spread
    memory_gb: Spread
    fits: Fits
    energy_kwh: Spread
    tco2e: Spread


def estimate(
    training: Training,
    candidate: Candidate,
    tokens: float,
    pue: Factor,
    intensity: Factor,
    constants: Constants = FITTED,
) -> Estimate:
    """Return what ``training`` takes in the layout of ``candidate``."""
    need, taken, layout = candidate.memory, candidate.step, candidate.layout
    speed = rate(training, taken, constants)
    flops = training.shape.token_flops()
    tflops = scaled(speed, flops / 1e12)
    peak = training.gpu.peak[training.precision] / 1e12
    hours = gpu_hours(speed, tokens, constants)
    power = energy(hours, training)
    return Estimate(
        training=training,
        layout=layout,
        tokens=tokens,
        memory=need,
        step=taken,
        tokens_per_s_per_gpu=speed,
        tflops_per_gpu=tflops,
        hardware_tflops_per_gpu=scaled(tflops, hardware_flops(training, layout) / flops),
        mfu=scaled(tflops, 1 / peak),
        mfu_causal=scaled(speed, training.shape.token_flops(causal=True) / 1e12 / peak),
        gpu_hours=hours,
        wall_hours=scaled(hours, 1 / training.gpus),
        memory_gb=Spread(value=need.total / 1e9, low=need.low / 1e9, high=need.high / 1e9),
        fits=Fits(*(size <= training.gpu.memory for size in (need.total, need.high, need.low))),
        energy_kwh=power,
        tco2e=Spread(
            value=power.value * pue.value * intensity.value / 1000,
            low=power.low * pue.low * intensity.low / 1000,
            high=power.high * pue.high * intensity.high / 1000,
        ),
    )


def rate(training: Training, taken: Step, constants: Constants) -> Spread:
    """Return tokens a second and GPU; the range is where most published benchmarks are around what is computed."""
    value = training.batch * training.shape.sequence / taken.seconds / training.gpus
    low, high = constants.rates
    return Spread(value=value, low=value * low, high=value * high)


def scaled(spread: Spread, factor: float) -> Spread:
    """Return a range times a positive number."""
    return Spread(value=spread.value * factor, low=spread.low * factor, high=spread.high * factor)


def hardware_flops(training: Training, layout: Layout) -> float:
    """Return operations a trained token with recomputation: all layers' forward passes again, or attention's."""
    shape = training.shape
    again = {"none": 0.0, "selective": 4.0 * shape.sequence * shape.hidden, "full": shape.layer_flops()}
    return shape.token_flops() + shape.layers * again[layout.recompute]


def gpu_hours(rate: Spread, tokens: float, constants: Constants = FITTED) -> Spread:
    """Return the GPU-hours of a whole run that trains at ``rate`` while it trains (``Constants.campaign``)."""
    hours = tokens / 3600 / rate.value / constants.campaign
    short, long = constants.campaigns
    return Spread(value=hours, low=hours * short, high=hours * long)


def energy(hours: Spread, training: Training) -> Spread:
    """Return kWh drawn by GPUs and their hosts in ``hours`` GPU-hours."""
    gpu = training.gpu
    kilowatts = [(gpu.watts * draw + gpu.host_watts * host) / 1000 for draw, host in zip(DRAW, HOST, strict=True)]
    return Spread(value=hours.value * kilowatts[0], low=hours.low * kilowatts[1], high=hours.high * kilowatts[2])
