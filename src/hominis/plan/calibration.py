"""The speed model against published runs: how far each is off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hominis.plan.asked import Asked, answer
from hominis.plan.constants import FITTED, Constants
from hominis.plan.estimate import gpu_hours, hardware_flops, rate
from hominis.plan.hardware import gpu
from hominis.plan.layouts import Fixed
from hominis.plan.speed import step
from hominis.plan.training import Layout, Training
from hominis.plan.wanted import Wanted, shape

SIZES = ("layers", "hidden", "heads", "kv_heads", "ffn", "experts", "vocab", "seq")
SPLITS = ("tp", "pp", "vp", "cp", "ep", "micro_batch")
WHOLE_RUN = "gpu_hours"
FIGURES = (WHOLE_RUN, "tokens_per_s", "hardware_tflops", "tflops")
"""Columns of a published figure, the one that counts first."""


@dataclass(frozen=True)
class Compared:
    """A published run beside what is computed; ``ratio`` is computed over published time."""

    name: str
    figure: str
    published: float
    computed: float
    ratio: float
    layout: Layout


@dataclass(frozen=True)
class Placed:
    """A published run with the layout that it had, or would have been given."""

    row: Mapping[str, str]
    training: Training
    layout: Layout
    tokens: float

    def compared(self, constants: Constants = FITTED) -> Compared:
        """Return the run beside what the model says of it."""
        training, layout = self.training, self.layout
        speed = rate(training, step(training, layout, constants), constants)
        computed = {
            WHOLE_RUN: gpu_hours(speed, self.tokens, constants).value,
            "tokens_per_s": speed.value,
            "hardware_tflops": speed.value * hardware_flops(training, layout) / 1e12,
            "tflops": speed.value * training.shape.token_flops() / 1e12,
        }
        figure = next(name for name in FIGURES if self.row[name])
        published, value = float(self.row[figure]), computed[figure]
        ratio = value / published if figure == WHOLE_RUN else published / value
        return Compared(self.row["name"], figure, published, value, ratio, layout)


def compared(row: Mapping[str, str], constants: Constants = FITTED) -> Compared:
    """Return a row of ``workflow/tables/runs.csv`` beside what the model says of it."""
    return placed(row, constants).compared(constants)


def question(row: Mapping[str, str]) -> Asked:
    """Return what one would ask on the command line for a row; an empty cell asks nothing."""
    given = {name: int(row[name]) for name in (*SIZES, *SPLITS, "gpus", "global_batch") if row[name]}
    flags = {name: row[name] == "yes" for name in ("gated", "tied")}
    ways = {"recompute": row["recompute"]} if row["recompute"] else {}
    splits = {name: given[name] for name in SPLITS if name in given}
    return Asked(
        wanted=Wanted(float(row["params_b"]), **{name: given[name] for name in SIZES if name in given}, **flags),  # type: ignore[arg-type]
        gpu=row["gpu"],
        gpus=given.get("gpus"),
        batch=given.get("global_batch"),
        tokens_b=float(row["tokens_b"]) if row["tokens_b"] else None,
        precision=row["precision"],  # type: ignore[arg-type]
        fused=row["fused"] == "yes",
        fixed=Fixed(**splits, **ways),  # type: ignore[arg-type]
    )


def placed(row: Mapping[str, str], constants: Constants = FITTED) -> Placed:
    """Return a row with its layout: as published if that is told in full, though it need not fit or divide."""
    asked = question(row)
    said, tokens = asked.fixed, (asked.tokens_b or 0) * 1e9
    if not (asked.gpus and asked.batch and said.tp and said.pp and said.micro_batch):
        made = answer(asked, constants).estimate
        return Placed(row, made.training, made.layout, tokens)
    modern, one = bool(asked.fused), shape(asked.wanted)
    machine = gpu(asked.gpu)
    training = Training(replace(one, dropout=not modern), machine, asked.gpus, asked.batch, asked.precision, modern)
    cp, way = said.cp or 1, said.recompute or "none"
    dp = asked.gpus // (said.tp * said.pp * cp)
    parallel = said.tp > 1 and (modern or way != "full")
    layout = Layout(said.tp, said.pp, said.vp or 1, cp, said.ep or 1, dp, said.micro_batch, way, parallel)
    return Placed(row, training, layout, tokens)
