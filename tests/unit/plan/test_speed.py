"""The time of a step: it grows and shrinks with what it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hominis.plan.constants import FITTED
from hominis.plan.hardware import gpu
from hominis.plan.shapes import Shape
from hominis.plan.speed import step
from hominis.plan.training import Layout, Training

LLAMA_13B = Shape(40, 5120, 40, 40, 13824, 32000, 4096)
TRAINING = Training(LLAMA_13B, gpu("a100-64gb"), 64, 1024)
TENSOR = Layout(tp=4, dp=16, micro_batch=1, sequence_parallel=True)


def mfu(training: Training, layout: Layout) -> float:
    rate = training.batch * training.shape.sequence / step(training, layout).seconds / training.gpus
    return rate * training.shape.token_flops() / training.gpu.peak[training.precision]


def test_a_step_takes_longer_than_its_operations_at_the_peak() -> None:
    assert 0.3 < mfu(TRAINING, TENSOR) < FITTED.matmul["ampere"]


def test_matrix_products_take_as_long_as_a_count_by_hand() -> None:
    weights = 40 * (4 * 5120**2 + 3 * 5120 * 13824)
    flops = 6 * weights * 1024 * 4096 / 64
    least = flops / (312e12 * FITTED.matmul["ampere"])
    assert least < step(TRAINING, TENSOR).matmul < 1.3 * least


def test_the_bubble_is_the_published_share() -> None:
    layout = Layout(tp=4, pp=4, dp=4, micro_batch=1, sequence_parallel=True)
    taken = step(TRAINING, layout)
    layers = taken.matmul + taken.attention + taken.elementwise + taken.tensor_parallel
    assert taken.bubble / layers == pytest.approx(3 / 256)


def test_interleaving_shrinks_the_bubble_and_sends_more() -> None:
    plain, pieces = (step(TRAINING, Layout(tp=4, pp=4, vp=vp, dp=4, sequence_parallel=True)) for vp in (1, 5))
    assert pieces.bubble == pytest.approx(plain.bubble / 5)
    assert pieces.pipeline == pytest.approx(5 * plain.pipeline)


@pytest.mark.parametrize("other", ["selective", "full"])
def test_recomputation_costs_time(other: str) -> None:
    again = replace(TENSOR, recompute=other)  # type: ignore[arg-type]
    assert step(TRAINING, again).seconds > step(TRAINING, TENSOR).seconds


def test_full_recomputation_costs_about_a_third() -> None:
    full = step(TRAINING, replace(TENSOR, recompute="full")).seconds
    assert 1.25 < full / step(TRAINING, TENSOR).seconds < 1.36


def test_more_gpus_for_the_same_batch_are_less_busy() -> None:
    more = replace(TRAINING, gpus=4096)
    assert mfu(more, replace(TENSOR, dp=1024)) < mfu(TRAINING, TENSOR)


def test_tensor_parallel_over_nodes_is_slow() -> None:
    inside = step(TRAINING, TENSOR).tensor_parallel
    across = step(TRAINING, replace(TENSOR, tp=8, dp=8)).tensor_parallel
    assert across > 5 * inside


def test_fp8_is_faster_but_not_twice() -> None:
    h100 = replace(TRAINING, gpu=gpu("h100-80gb"))
    bf16, fp8 = (step(replace(h100, precision=each), TENSOR).seconds for each in ("bf16", "fp8"))  # type: ignore[arg-type]
    assert 1.2 < bf16 / fp8 < 2


def test_unfused_attention_is_slower_the_longer_the_sequence() -> None:
    def slower(sequence: int) -> float:
        long = replace(TRAINING, shape=replace(LLAMA_13B, sequence=sequence), batch=1024 * 4096 // sequence)
        return step(replace(long, flash=False), TENSOR).seconds / step(long, TENSOR).seconds

    assert 1 < slower(2048) < slower(4096) < slower(8192)


def test_experts_cost_what_a_token_sees_not_what_there_is() -> None:
    dense = replace(TRAINING, shape=Shape(32, 4096, 32, 8, 2 * 14336, 32000, 4096))
    mixed = replace(TRAINING, shape=Shape(32, 4096, 32, 8, 14336, 32000, 4096, experts=8, experts_per_token=2))
    ratio = step(mixed, Layout(dp=64)).matmul / step(dense, Layout(dp=64)).matmul
    assert 1 < ratio < 1.3
    assert step(mixed, Layout(ep=8, dp=64)).experts > step(mixed, Layout(dp=64)).experts == 0
