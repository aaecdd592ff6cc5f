"""A run's plan as JSON values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hominis.plan.answered import FIGURES
from hominis.plan.estimate import Estimate
from hominis.plan.layouts import Candidate, Refused
from hominis.plan.run import RunPlan
from hominis.plan.stops import Stops


def document(plan: RunPlan) -> dict[str, Any]:
    """Return all that the plan holds as JSON values; a range is an object with value, low and high."""
    shape, training, run = plan.training.shape, plan.training, plan.run
    return {
        "run": run.run,
        "backend": run.backend,
        "gpu": training.gpu.name,
        "gpus": training.gpus,
        "memory_of_gpu_gb": training.gpu.memory_gb,
        "parameters": shape.parameters,
        "active_parameters": shape.active_parameters,
        "vocabulary": shape.vocabulary,
        "steps": plan.steps,
        "tokens": plan.tokens,
        "layout": _one(plan.own) | {"rank": plan.rank},
        "recompute_gb": {way: need.total / 1e9 for way, need in plan.ways.items()},
        "nearest": [_one(one) for one in plan.nearest],
        "estimate": _estimate(plan.estimate) if plan.estimate else None,
        "core_hours": plan.core_hours.model_dump() if plan.core_hours else None,
        "stops": _stops_document(plan.stops) if plan.stops else None,
        "budget": [
            {"name": v.name, "predicted": v.predicted.model_dump(), "limit": v.limit, "over": v.over}
            for v in plan.verdicts
        ],
        "data": [asdict(one) for one in plan.data],
        "problems": plan.problems,
        "laws": [asdict(one) for one in plan.advice],
        "best_vocabulary": plan.vocabularies,
        "fitting": [_one(one) for one in plan.choice.ranked],
        "refused": [_one(one) for one in plan.choice.refused],
    }


def _one(one: Candidate | Refused) -> dict[str, Any]:
    sizes = {part: size / 1e9 for part, size in vars(one.memory).items()} if one.memory else None
    fits = isinstance(one, Candidate)
    return {
        "layout": asdict(one.layout),
        "fits": fits,
        "reason": "" if isinstance(one, Candidate) else one.reason,
        "memory_gb": one.memory.total / 1e9 if one.memory else None,
        "memory_by_part_gb": sizes,
        "step_s": one.step.seconds if isinstance(one, Candidate) else None,
    }


def _estimate(made: Estimate) -> dict[str, Any]:
    ranges = {name: getattr(made, name).model_dump() for name in FIGURES}
    return {**ranges, "layout": asdict(made.layout), "step_s": {"total": made.step.seconds, **vars(made.step)}}


def _stops_document(stops: Stops) -> dict[str, Any]:
    low, high = stops.simulated.between()
    return {
        "step_s": stops.step_s,
        "between_failures_s": stops.chain.between_failures_s,
        "checkpoint_s": stops.chain.checkpoint_s,
        "restart_s": stops.chain.restart_s,
        "configured": asdict(stops.loss) | {"share": stops.loss.share},
        "best": asdict(stops.least) | {"share": stops.least.share, "steps": stops.best_steps},
        "simulated_wall_s": {"mean": float(stops.simulated.wall_s.mean()), "low": low, "high": high},
    }
