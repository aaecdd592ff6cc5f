"""What unplanned stops and wall times cost a run, and how often to write a checkpoint.

A run is a chain of segments (jobs): each starts, works, writes a checkpoint every so often, and ends at its wall time
or by a fault, whose work since the last checkpoint is done again. Faults come with a constant rate per GPU-hour.

* Young 1974 (doi:10.1145/361147.361115): the interval sqrt(2 C M) for checkpoints of C seconds and M between faults.
* Daly 2006 (doi:10.1016/j.future.2004.11.016): equations 20 (expected wall time) and 37 (its minimum, higher order).
* Rate: Llama 3.1 (arXiv:2407.21783, section 3.3.4) had 419 unexpected interruptions in 54 days on 16,384 H100, one in
  about 50,000 GPU-hours. Young machines and others' networks do worse.

Not covered: time in the queue, faults that come in bursts, checkpoints that turn out to be damaged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hominis.errors import ConfigError

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Chain:
    """A run as its segments see it.

    Attributes:
        work_s: time of all steps, were there no checkpoint, no fault and no wall time.
        checkpoint_s: how long training stands still for a checkpoint.
        restart_s: from the start of a segment to its first step.
        segment_s: wall time of a job.
        warning_s: how long before its wall time a segment stops working, to write its last checkpoint.
    """

    work_s: float
    gpus: int
    gpu_hours_per_failure: float
    checkpoint_s: float
    restart_s: float
    segment_s: float
    warning_s: float = 0.0

    def __post_init__(self) -> None:
        idle = self.restart_s + self.checkpoint_s + self.warning_s
        if idle >= self.segment_s:
            raise ConfigError(
                f"a segment of {self.segment_s:g} s has no time to train: start {self.restart_s:g} s, a checkpoint "
                f"{self.checkpoint_s:.3g} s, the end {self.warning_s:g} s",
                remedy="raise plan.segment_hours, or lower plan.restart_s or slurm.warn_s",
            )
        if self.restart_s + self.checkpoint_s >= self.between_failures_s:
            raise ConfigError(
                f"{self.gpus} GPUs fail every {self.between_failures_s:.3g} s: no time for a start of "
                f"{self.restart_s:g} s and a checkpoint of {self.checkpoint_s:.3g} s between two faults",
                remedy="plan.gpu_hours_per_failure is too low, or the layout has too many GPUs",
            )

    @property
    def between_failures_s(self) -> float:
        """Mean time between two faults."""
        return self.gpu_hours_per_failure * 3600 / self.gpus


@dataclass(frozen=True)
class Loss:
    """What a run takes beyond its work.

    Attributes:
        wall_s: from first to last, queues left out.
        checkpoints_s, segments_s, failures_s: of it for checkpoints, for starts and ends of segments that the wall time
            cuts, for faults (work done again, and starts after them); ``work_s`` is the rest.
        failures: how many there are.
        segments: jobs of the chain.
    """

    wall_s: float
    checkpoints_s: float
    segments_s: float
    failures_s: float
    failures: float
    segments: int

    @property
    def share(self) -> float:
        """Share of the wall time that is not work."""
        return (self.checkpoints_s + self.segments_s + self.failures_s) / self.wall_s


def young_interval_s(chain: Chain) -> float:
    """Return the seconds of work between checkpoints that minimise the loss to first order (Young 1974)."""
    return math.sqrt(2 * chain.checkpoint_s * chain.between_failures_s)


def best_interval_s(chain: Chain) -> float:
    """Return the seconds of work between checkpoints that minimise the expected wall time (Daly 2006, equation 37)."""
    cost, mean = chain.checkpoint_s, chain.between_failures_s
    if cost >= 2 * mean:
        return mean
    ratio = cost / (2 * mean)
    return math.sqrt(2 * cost * mean) * (1 + math.sqrt(ratio) / 3 + ratio / 9) - cost


def expected(chain: Chain, interval_s: float) -> Loss:
    """Return the mean loss with a checkpoint after every ``interval_s`` of work.

    Daly's equation 20, ``M e^(R/M) (e^((t + C)/M) - 1) W / t``, and segments that reach their wall time: jobs
    last min(exponential, wall time), and one that is cut costs a start and an early end.
    """
    mean, restart = chain.between_failures_s, chain.restart_s
    period = min(interval_s, chain.work_s)
    checkpoints = chain.work_s / period * chain.checkpoint_s
    daly = mean * math.exp(restart / mean) * math.expm1((period + chain.checkpoint_s) / mean) * chain.work_s / period
    cuts_per_s = 1 / (mean * math.expm1(chain.segment_s / mean)) if daly + restart > chain.segment_s else 0.0
    wall = (daly + restart) / (1 - cuts_per_s * (restart + chain.warning_s))
    failures = wall / mean
    again = daly - chain.work_s - checkpoints
    return Loss(wall, checkpoints, wall - daly, again, failures, max(1, round(wall * cuts_per_s + failures + 0.5)))


@dataclass(frozen=True)
class Simulated:
    """Many runs of one chain: wall time in seconds, faults and segments of each."""

    wall_s: Floats
    failures: Floats
    segments: Floats

    def between(self, share: float = 0.9) -> tuple[float, float]:
        """Return the wall times between which the middle ``share`` of the runs lie."""
        low, high = np.quantile(self.wall_s, [(1 - share) / 2, (1 + share) / 2])
        return float(low), float(high)


def simulate(chain: Chain, interval_s: float, runs: int = 500, seed: int = 0) -> Simulated:
    """Return ``runs`` runs of the chain, segment by segment, with faults at exponential times."""
    random = np.random.default_rng(seed)
    left = np.full(runs, chain.work_s)
    wall, failures, segments = np.zeros(runs), np.zeros(runs), np.zeros(runs)
    while (going := left > 0).any():
        fault = random.exponential(chain.between_failures_s, runs)
        done, lasted, failed = _segment(chain, interval_s, left, fault)
        left = np.where(going, left - done, left)
        wall += going * lasted
        failures += going & failed
        segments += going
    return Simulated(wall, failures, segments)


def _segment(chain: Chain, interval_s: float, left: Floats, fault: Floats) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Return the work that a segment saves, how long it lasts, and whether the fault ends it."""
    period = interval_s + chain.checkpoint_s
    finish = chain.restart_s + left + np.floor(left / interval_s) * chain.checkpoint_s
    ends = np.minimum(finish, chain.segment_s - chain.warning_s)
    # while the last checkpoint is written, and until the wall time, the job is paid for but cannot lose work it saved
    failed = fault < ends
    used = np.maximum(np.minimum(fault, ends) - chain.restart_s, 0.0)
    whole = np.floor(used / period)
    within = np.minimum(used - whole * period, interval_s)
    saved = whole * interval_s + np.where(failed, 0.0, within)
    lasted = np.where(failed, fault, np.where(finish <= ends, finish, chain.segment_s))
    return np.where(finish <= ends, np.where(failed, saved, left), saved), lasted, failed
