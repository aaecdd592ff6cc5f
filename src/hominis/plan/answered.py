"""An answer as JSON and as a table for people."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from hominis.carbon.costs import Spread
from hominis.plan.asked import Answer
from hominis.plan.estimate import Estimate
from hominis.plan.judge import reason_of
from hominis.plan.layouts import Refused

FIGURES = {
    "tokens_per_s_per_gpu": "tokens/s per GPU",
    "tflops_per_gpu": "TFLOP/s per GPU, model's",
    "hardware_tflops_per_gpu": "TFLOP/s per GPU, with what is recomputed",
    "mfu": "MFU",
    "mfu_causal": "MFU, attention below the diagonal only",
    "gpu_hours": "GPU-hours",
    "wall_hours": "hours",
    "memory_gb": "GB per GPU",
    "energy_kwh": "kWh of GPUs and hosts",
    "tco2e": "tCO2e",
}
SHOWN = 5


def document(answer: Answer) -> dict[str, Any]:
    """Return the answer as JSON values: every figure an object with value, low and high."""
    made, training = answer.estimate, answer.estimate.training
    return {
        **{name: getattr(made, name).model_dump() for name in FIGURES},
        "fits": asdict(made.fits),
        "layout": asdict(made.layout),
        "gpu": training.gpu.name,
        "gpus": training.gpus,
        "global_batch": training.batch,
        "precision": training.precision,
        "tokens": made.tokens,
        "shape": {**asdict(training.shape), "parameters": training.shape.parameters},
        "memory_by_part_gb": {part: size / 1e9 for part, size in vars(made.memory).items()},
        "step_seconds": {"total": made.step.seconds, **vars(made.step)},
        "ranked": [
            {"layout": one.layout.text(), "step_seconds": one.step.seconds, "memory_gb": one.memory.total / 1e9}
            for one in answer.choice.ranked[:SHOWN]
        ],
        "refused": [
            {"layouts": len(those), "layout": those[0].layout.text(), "reason": those[0].reason}
            for those in _by_reason(answer)
        ],
        "notes": answer.notes,
    }


def table(answer: Answer) -> str:
    """Return the answer in lines for people."""
    made, training = answer.estimate, answer.estimate.training
    one, choice = training.shape, answer.choice
    lines = [
        f"{one.parameters / 1e9:.2f} billion parameters ({one.layers} layers, hidden {one.hidden}, heads {one.heads}/"
        f"{one.kv_heads}, ffn {one.ffn}{' gated' if one.gated else ''}), sequence {one.sequence}",
        f"{made.tokens / 1e9:,.0f} billion tokens on {training.gpus} {training.gpu.name}, {training.precision}, "
        f"global batch {training.batch}",
        f"layout: {made.layout.text()}"
        + ("" if made.fits.value else f" - DOES NOT FIT in {training.gpu.memory_gb:.1f} GB"),
        "",
        *(_line(label, getattr(made, name)) for name, label in FIGURES.items()),
        "",
        f"memory: {_parts({part: size / 1e9 for part, size in vars(made.memory).items()}, 'GB')}",
        f"step:   {_parts(vars(made.step), 's')}",
    ]
    if choice.ranked[1:]:
        lines += [
            "",
            "next best:",
            *(f"  {_seconds(made, one.step.seconds)}  {one.layout.text()}" for one in choice.ranked[1:SHOWN]),
        ]
    if choice.refused:
        lines += ["", f"refused: {len(choice.refused)}, the nearest for each reason:"]
        lines += [f"  {len(those)} x, {those[0].layout.text()}: {those[0].reason}" for those in _by_reason(answer)]
    return "\n".join([*lines, "", *(f"note: {note}" for note in answer.notes)])


def _by_reason(answer: Answer) -> list[list[Refused]]:
    """Return what was refused by its reason: too large first, then what does not divide."""
    found: dict[str, list[Refused]] = {}
    for one in answer.choice.refused:
        found.setdefault(reason_of(one), []).append(one)
    return list(found.values())


def _line(label: str, spread: Spread) -> str:
    return f"{label:<42} {_number(spread.value):>12}   {_number(spread.low)} to {_number(spread.high)}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _parts(parts: dict[str, float], unit: str) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {_number(size)}" for name, size in parts.items() if size) + f" ({unit})"


def _seconds(made: Estimate, seconds: float) -> str:
    return f"{seconds / made.step.seconds - 1:+6.1%}"
