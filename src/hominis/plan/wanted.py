"""A shape of which little is said, filled up with what is usual among published models."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from hominis.plan.shapes import Shape
from hominis.train.figures import padded_vocabulary


@dataclass(frozen=True)
class Wanted:
    """What a user said of a shape; None is what the planner chooses."""

    params_b: float | None = None
    layers: int | None = None
    hidden: int | None = None
    heads: int | None = None
    kv_heads: int | None = None
    ffn: int | None = None
    vocab: int = 32000
    seq: int = 4096
    gated: bool | None = None
    tied: bool | None = None
    experts: int = 0
    experts_per_token: int = 2


HEAD_WIDTH = 128
ASPECT = 128
"""Hidden over layers of published models from 3 to 200 billion parameters: 78 (Falcon) to 213, most near 128."""


def shape(wanted: Wanted) -> Shape:
    """Return the shape that was asked for, filled up with what is usual where it says nothing."""
    gates = [wanted.gated] if wanted.gated is not None else [True, False]
    ties = [wanted.tied] if wanted.tied is not None else [False, True]
    made = [_filled(wanted, gated, tied) for gated in gates for tied in ties]
    if wanted.params_b is None:
        return made[0]
    # a feed-forward with or without a gate differs by a quarter of the model: the number of weights tells which
    return min(made, key=lambda one: round(_miss(one, wanted), 2))


def _miss(one: Shape, wanted: Wanted) -> float:
    return abs(math.log(one.parameters / ((wanted.params_b or 1) * 1e9)))


def _filled(wanted: Wanted, gated: bool, tied: bool) -> Shape:
    choices = [wanted.hidden] if wanted.hidden else _widths(wanted)
    return min((_of_width(wanted, hidden, gated, tied) for hidden in choices), key=lambda one: _odd(one, wanted))


def _widths(wanted: Wanted) -> list[int]:
    step = wanted.heads * 2 if wanted.heads else HEAD_WIDTH
    small = [step * n for n in range(1, 2048 // step + 1)]
    large = [step * n for n in range(2048 // step, 32768 // step + 1) if step * n % 1024 == 0 or wanted.heads]
    return small + large


def _odd(one: Shape, wanted: Wanted) -> float:
    """Return how unusual a shape is: the wrong size weighs most, then the wrong aspect."""
    aspect = abs(math.log(one.hidden / one.layers / ASPECT))
    return aspect + (10 * _miss(one, wanted) if wanted.params_b else 0) + (0.1 if one.layers % 4 else 0)


def _of_width(wanted: Wanted, hidden: int, gated: bool, tied: bool) -> Shape:
    heads = wanted.heads or max(hidden // HEAD_WIDTH, 1)
    usual = -(-8 * hidden // 3 // 256) * 256 if gated else 4 * hidden
    one = Shape(
        layers=1,
        hidden=hidden,
        heads=heads,
        kv_heads=wanted.kv_heads or heads,
        ffn=wanted.ffn or usual,
        vocabulary=padded_vocabulary(wanted.vocab, 1),
        sequence=wanted.seq,
        gated=gated,
        tied=tied,
        experts=wanted.experts,
        experts_per_token=wanted.experts_per_token if wanted.experts else 0,
    )
    return replace(one, layers=wanted.layers or _depth(one, wanted.params_b))


def _depth(one: Shape, params_b: float | None) -> int:
    if params_b is None:
        return max(round(one.hidden / ASPECT), 1)
    rest = params_b * 1e9 - one.embedding_weights * (1 if one.tied else 2)
    exact = rest / (one.shared_weights + one.experts * one.expert_weights)
    return max(round(exact / 4) * 4 if exact >= 12 else round(exact), 1)
