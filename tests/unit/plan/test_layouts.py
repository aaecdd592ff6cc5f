"""Which layouts are offered, in which order, and why others aren't."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hominis.errors import ConfigError
from hominis.plan.hardware import gpu
from hominis.plan.layouts import Fixed, candidates, clash
from hominis.plan.memory import memory
from hominis.plan.shapes import Shape
from hominis.plan.training import Layout, Training

LLAMA_13B = Shape(40, 5120, 40, 40, 13824, 32000, 4096)
TRAINING = Training(LLAMA_13B, gpu("a100-64gb"), 256, 1024)
CHOICE = candidates(TRAINING)


def test_the_fastest_that_surely_fits_comes_first_then_those_that_should_fit() -> None:
    order = [(one.memory.high > TRAINING.gpu.memory, one.step.seconds) for one in CHOICE.ranked]
    assert order == sorted(order)
    assert {unsure for unsure, _ in order} == {False, True}


def test_all_that_are_ranked_fit_divide_and_fill_the_gpus() -> None:
    for one in CHOICE.ranked:
        assert memory(TRAINING, one.layout).total <= TRAINING.gpu.memory
        assert clash(TRAINING, one.layout) == ""
        assert one.layout.world == 256
        assert one.layout.tp <= TRAINING.gpu.per_node


def test_one_that_is_too_large_says_by_how_much_and_where() -> None:
    refused = candidates(TRAINING, Fixed(tp=1, pp=1, recompute="none")).refused
    assert not candidates(TRAINING, Fixed(tp=1, pp=1, recompute="none")).ranked
    assert "GB of 68.1: weights 26.0, gradients 52.1" in refused[0].reason


def test_activations_are_recomputed_only_where_they_must_be() -> None:
    for one in CHOICE.ranked:
        if one.layout.recompute != "none":
            assert memory(TRAINING, replace(one.layout, recompute="none")).total > TRAINING.gpu.memory


@pytest.mark.parametrize(
    ("layout", "words"),
    [
        (Layout(tp=3, dp=1), "gpus 256 is not divisible by tp · pp · cp = 3"),
        (Layout(pp=16, dp=16), "model.layers 40 is not divisible by layout.pp · layout.vp 16"),
        (Layout(tp=16, dp=16, sequence_parallel=True), "model.heads 40 is not divisible by layout.tp 16"),
        (Layout(dp=256, micro_batch=8), "global_batch 1024 is not divisible by micro_batch · layout.dp 2048"),
    ],
)
def test_one_that_does_not_divide_is_refused_with_the_numbers(layout: Layout, words: str) -> None:
    assert words in clash(TRAINING, layout)


def test_what_is_fixed_stays() -> None:
    fixed = Fixed(tp=2, pp=4, vp=5, micro_batch=1)
    layouts = [one.layout for one in candidates(TRAINING, fixed).ranked]
    assert layouts
    assert {(one.tp, one.pp, one.vp, one.micro_batch) for one in layouts} == {(2, 4, 5, 1)}


def test_long_sequences_may_be_split() -> None:
    long = replace(TRAINING, shape=replace(LLAMA_13B, sequence=65536), batch=64)
    assert any(one.layout.cp > 1 for one in candidates(long).ranked)


def test_experts_may_be_shared_out() -> None:
    mixtral = replace(TRAINING, shape=Shape(32, 4096, 32, 8, 14336, 32000, 4096, experts=8, experts_per_token=2))
    assert candidates(mixtral).ranked[0].layout.ep > 1


def test_a_shape_that_no_model_can_have_is_an_error() -> None:
    odd = replace(TRAINING, shape=replace(LLAMA_13B, heads=39))
    with pytest.raises(ConfigError, match="hidden 5120 is not divisible by heads 39"):
        candidates(odd)
