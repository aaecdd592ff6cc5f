"""Bytes by part against published formulas and counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hominis.plan.hardware import gpu
from hominis.plan.memory import activations, in_flight, layer_bytes, memory, stage_memory, stage_weights
from hominis.plan.shapes import Shape
from hominis.plan.training import Layout, Training

A100 = gpu("a100-64gb")
LLAMA_13B = Shape(40, 5120, 40, 40, 13824, 32000, 4096)
GPT_22B = Shape(48, 6144, 64, 64, 24576, 51200, 2048, gated=False, tied=True, dropout=True)
MIXTRAL = Shape(32, 4096, 32, 8, 14336, 32000, 4096, experts=8, experts_per_token=2)
TRAINING = Training(LLAMA_13B, A100, 64, 1024)
OLD = Training(GPT_22B, A100, 8, 4, "fp16", flash=False)


@pytest.mark.parametrize("tp", [1, 2, 8])
@pytest.mark.parametrize("parallel", [True, False])
def test_a_layer_keeps_what_korthikanti_counted_and_rotated_queries_and_keys(tp: int, parallel: bool) -> None:
    layout = Layout(tp=tp, sequence_parallel=parallel and tp > 1)
    split = tp if layout.sequence_parallel else 1
    h, scores = GPT_22B.hidden, 5 * GPT_22B.heads * GPT_22B.sequence
    published = 10 * h / split + (24 * h + scores) / tp
    assert layer_bytes(OLD, layout, "none") == pytest.approx(published + 4 * h / tp)


def test_selective_recomputation_drops_the_matrices_of_attention() -> None:
    layout = Layout(tp=8, sequence_parallel=True)
    dropped = layer_bytes(OLD, layout, "none") - layer_bytes(OLD, layout, "selective")
    assert dropped == pytest.approx(5 * GPT_22B.heads * GPT_22B.sequence / 8)


def test_full_recomputation_keeps_the_input_of_a_layer() -> None:
    assert layer_bytes(TRAINING, Layout(), "full") == 2 * LLAMA_13B.hidden


def test_below_fp32_a_weight_takes_eighteen_bytes_and_sharded_six_and_a_share_of_twelve() -> None:
    whole = memory(TRAINING, Layout(dp=64, distributed_optimizer=False))
    states = whole.weights + whole.gradients + whole.optimiser
    assert states == LLAMA_13B.parameters * 18
    assert memory(TRAINING, Layout(dp=64)).optimiser == LLAMA_13B.parameters * 12 / 64


def test_stages_hold_all_weights_once() -> None:
    for shape in (LLAMA_13B, MIXTRAL):
        layout = Layout(pp=4)
        parts = [sum(stage_weights(shape, layout, stage)) for stage in range(4)]
        assert sum(parts) == shape.parameters


def test_tied_tables_are_held_twice_by_a_pipeline() -> None:
    tied = replace(LLAMA_13B, tied=True)
    held = sum(sum(stage_weights(tied, Layout(pp=2), stage)) for stage in range(2))
    assert held == LLAMA_13B.parameters
    assert sum(stage_weights(tied, Layout(), 0)) == tied.parameters


def test_experts_are_shared_out() -> None:
    shared, experts = stage_weights(MIXTRAL, Layout(ep=8, dp=8), 0)
    assert experts == MIXTRAL.layers * MIXTRAL.expert_weights
    assert shared + 8 * experts == MIXTRAL.parameters


@pytest.mark.parametrize(("stage", "alive"), [(0, 4), (1, 3), (3, 1)])
def test_a_stage_keeps_a_micro_batch_for_each_stage_behind_it(stage: int, alive: int) -> None:
    assert in_flight(Layout(pp=4), 16, stage) == alive


def test_interleaving_keeps_more_as_published() -> None:
    """Korthikanti et al., section 4.2.3: the first stage holds L·(1 + (p - 1)/(p·m)) layers' activations."""
    p, v = 8, 3
    assert in_flight(Layout(pp=p, vp=v), 64, 0) == pytest.approx(p * (1 + (p - 1) / (p * v)))


def test_few_micro_batches_are_never_more_alive_than_there_are() -> None:
    assert in_flight(Layout(pp=8), 2, 0) == 2
    assert in_flight(Layout(pp=8, vp=4), 2, 0) == 2


def test_the_pipelines_stages_have_about_the_layers_of_one_rank_in_all() -> None:
    one = activations(TRAINING, Layout(dp=64), 0)
    first = activations(TRAINING, Layout(pp=4, dp=16), 0)
    assert first == pytest.approx(one, rel=0.02)


def test_the_loss_is_on_the_last_stage() -> None:
    wide = replace(TRAINING, shape=replace(LLAMA_13B, vocabulary=256000))
    layout = Layout(pp=2, dp=32)
    assert stage_memory(wide, layout, 1).transient > 4 * stage_memory(wide, layout, 0).transient


def test_a_batch_twice_as_large_keeps_twice_as_much() -> None:
    small, large = (activations(TRAINING, Layout(dp=64, micro_batch=size), 0) for size in (1, 2))
    assert large == 2 * small


def test_a_13b_run_fits_into_64_gb_only_if_it_is_split() -> None:
    assert memory(TRAINING, Layout(dp=64)).total > A100.memory
    assert memory(TRAINING, Layout(tp=4, dp=16, sequence_parallel=True)).total < A100.memory
