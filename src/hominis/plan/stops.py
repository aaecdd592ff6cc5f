"""Segments, faults and checkpoints of a run whose speed is estimated."""

from __future__ import annotations

from dataclasses import dataclass, replace

from hominis.config.run import RunConfig
from hominis.plan.estimate import Estimate
from hominis.plan.failures import Chain, Loss, Simulated, best_interval_s, expected, simulate

SEED = 0


@dataclass(frozen=True)
class Stops:
    """Faults, wall times and checkpoints of the run.

    Attributes:
        step_s: mean time of a step, with all that makes a whole run slower than a benchmark.
        loss: expected with the run's own interval; ``least``: with the best one.
        best_steps: steps between checkpoints that lose least (Daly 2006).
        simulated: runs of the chain with seeded faults, with the run's own interval.
    """

    chain: Chain
    step_s: float
    loss: Loss
    least: Loss
    best_steps: int
    simulated: Simulated


def stops_of(run: RunConfig, made: Estimate, steps: int) -> Stops:
    """Return the chain of the run's segments.

    What published runs took beyond a benchmark's time (``Constants.campaign``) holds their stops, too: the loss
    foreseen here is a part of it, unless it is more.
    """
    training_s = made.tokens / made.tokens_per_s_per_gpu.value / made.training.gpus
    chain = Chain(
        work_s=training_s,
        gpus=made.training.gpus,
        gpu_hours_per_failure=run.plan.gpu_hours_per_failure,
        checkpoint_s=run.plan.checkpoint_s,
        restart_s=run.plan.restart_s,
        segment_s=run.plan.segment_hours * 3600,
        warning_s=run.slurm.warn_s,
    )
    every = run.pretrain.checkpoint_every
    alone = expected(chain, every * training_s / steps)
    wall = max(made.wall_hours.value * 3600, alone.wall_s)
    chain = replace(chain, work_s=wall * (1 - alone.share))
    step_s = chain.work_s / steps
    best = max(1, round(best_interval_s(chain) / step_s))
    simulated = simulate(chain, every * step_s, seed=SEED)
    return Stops(chain, step_s, expected(chain, every * step_s), expected(chain, best * step_s), best, simulated)
