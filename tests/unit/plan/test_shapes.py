"""Shapes: parameters, operations, and what is filled in where little is said."""

from __future__ import annotations

import pytest

from hominis.config.train import ModelSection
from hominis.plan.shapes import Shape
from hominis.plan.wanted import Wanted, shape
from hominis.train.figures import parameters, step_flops

LLAMA_13B = Wanted(13.0, layers=40, hidden=5120, heads=40, kv_heads=40, ffn=13824)


def test_a_shape_counts_as_the_trainer_counts() -> None:
    model = ModelSection(layers=32, hidden=4096, heads=32, kv_heads=8, ffn=14336, sequence=8192)
    one = Shape.of(model, 128256)
    assert one.parameters == parameters(model, one.vocabulary)
    assert one.token_flops(causal=True) * 8192 == pytest.approx(step_flops(model, one.vocabulary, 1))


@pytest.mark.parametrize(
    ("tflops", "tokens", "wanted"),
    [
        (760, 8715, Wanted(13.02, 40, 5120, 40, 40, 13824)),
        (711, 12273, Wanted(8.03, 32, 4096, 32, 8, 14336, 128256, 8192)),
        (888, 825, Wanted(175, 96, 12288, 96, 96, 49152, 51200, 2048)),
    ],
    ids=["llama-2-13b", "llama-3-8b", "gpt3-175b"],
)
def test_operations_are_counted_as_nvidias_table_counts_them(tflops: float, tokens: float, wanted: Wanted) -> None:
    assert shape(wanted).token_flops() * tokens / 1e12 == pytest.approx(tflops, rel=0.01)


def test_a_mixture_counts_what_a_token_sees() -> None:
    mixtral = Shape(32, 4096, 32, 8, 14336, 32000, 4096, experts=8, experts_per_token=2)
    assert mixtral.parameters == pytest.approx(46.7e9, rel=0.001)
    assert mixtral.active_parameters == pytest.approx(12.9e9, rel=0.01)


@pytest.mark.parametrize(
    ("wanted", "gated"),
    [
        (LLAMA_13B, True),
        (Wanted(8.03, 32, 4096, 32, 8, 14336, 128256, 8192), True),
        (Wanted(175, 96, 12288, 96, 96, 49152, 51200, 2048), False),
        (Wanted(1.7, 24, 2304, 24, 24, 9216, 51200, 2048), False),
    ],
)
def test_the_number_of_parameters_tells_whether_there_is_a_gate(wanted: Wanted, gated: bool) -> None:
    assert shape(wanted).gated is gated


@pytest.mark.parametrize("params_b", [0.125, 0.35, 1.3, 2.7, 5, 6.7, 13, 15, 70, 175, 530, 1000])
@pytest.mark.parametrize("gated", [True, False])
def test_a_size_alone_gives_a_usual_shape_of_that_size(params_b: float, gated: bool) -> None:
    one = shape(Wanted(params_b, gated=gated))
    assert one.parameters / 1e9 == pytest.approx(params_b, rel=0.05)
    assert one.hidden % one.heads == 0
    assert 30 < one.hidden / one.layers < 260


def test_five_billion_is_nvidias_benchmark() -> None:
    one = shape(Wanted(5, vocab=51200, seq=2048, gated=False))
    assert (one.layers, one.hidden, one.ffn) == (24, 4096, 16384)


def test_what_is_said_is_kept() -> None:
    one = shape(Wanted(13, layers=20, heads=64, kv_heads=8, ffn=16384, tied=True))
    assert (one.layers, one.heads, one.kv_heads, one.ffn, one.tied) == (20, 64, 8, 16384, True)
