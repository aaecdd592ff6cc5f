"""Rate, batch and position by step: the papers, megatron, and sums that hold for any settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hominis.config.train import PretrainSection
from hominis.train.schedule import batch_size, consumed, learning_rate, span
from tests.unit.train.conftest import section

MODEL = {"layers": 2, "hidden": 32, "heads": 4, "kv_heads": 2, "ffn": 64, "sequence": 4096}
PAPER = {"style": "power", "learning_rate": 0.02, "warmup_steps": 250, "decay_steps": 25_000, "decay": "exponential"}


@st.composite
def ramped(draw: st.DrawFn) -> PretrainSection:
    """Return a run whose batch grows, over fewer steps than it lasts or more."""
    unit = draw(st.integers(1, 4))
    start, increment, levels = (draw(st.integers(1, 6)) for _ in range(3))
    ramp = {"start": unit * start, "increment": unit * increment, "steps": draw(st.integers(1, 60))}
    return section(
        steps=draw(st.integers(7, 50)),
        micro_batch=unit,
        global_batch=unit * (start + increment * levels),
        batch_ramp=ramp,
        validation_samples=0,
    )


@st.composite
def scheduled(draw: st.DrawFn) -> PretrainSection:
    style = draw(st.sampled_from(["wsd", "cosine", "power"]))
    shape = draw(st.sampled_from(["minus_sqrt", "linear", "cosine", "exponential"]))
    warmup, decay = draw(st.integers(0, 10)), draw(st.integers(0, 20))
    lowest = draw(st.sampled_from([0.0, 1e-4]))
    schedule = {
        "style": style,
        "decay": shape,
        "warmup_steps": warmup,
        "decay_steps": decay,
        "min_learning_rate": lowest,
    }
    return section(steps=warmup + decay + draw(st.integers(1, 30)), schedule=schedule)


def paper(**changes: Any) -> PretrainSection:
    """Return the 1T-token runs of arXiv:2408.13359, section 5.1: batch 1024, sequences of 4096 tokens."""
    return section(model=MODEL, global_batch=1024, validation_samples=0, steps=250_000, schedule=PAPER, **changes)


def test_the_power_rate_is_the_paper_s() -> None:
    middle = 120_000
    tokens = middle * 1024 * 4096
    assert learning_rate(paper(), middle) == pytest.approx(1024 * 4 * tokens**-0.51, rel=1e-12)


def test_the_paper_s_bound_holds_until_some_25_billion_tokens() -> None:
    capped = [step for step in range(250, 20_000, 50) if learning_rate(paper(), step) == 0.02]
    assert capped[-1] * 1024 * 4096 == pytest.approx((0.02 / (4 * 1024)) ** (1 / -0.51), rel=0.01)


def test_the_fit_to_wsd_gives_the_rate_that_the_paper_names() -> None:
    """Section 3.2: 10 trillion tokens with a batch of 1024 want 0.0011."""
    last = 10**13 // (1024 * 4096)
    schedule = {**PAPER, "power_factor": 4.6, "decay_steps": 0}
    run = section(model=MODEL, global_batch=1024, validation_samples=0, steps=last, schedule=schedule)
    assert learning_rate(run, last) == pytest.approx(0.0011, abs=0.00005)


def test_the_power_rate_asks_for_tokens_not_for_the_length_of_a_sequence() -> None:
    short = section(
        model={**MODEL, "sequence": 2048}, global_batch=2048, validation_samples=0, steps=250_000, schedule=PAPER
    )
    assert learning_rate(short, 90_000) == pytest.approx(learning_rate(paper(), 90_000), rel=1e-12)


def test_the_power_rate_follows_the_batch_of_the_step() -> None:
    ramp = {"start": 512, "increment": 256, "steps": 200_000}
    grown = paper(batch_ramp=ramp)
    below, above = learning_rate(grown, 100_000), learning_rate(grown, 100_001)
    assert (batch_size(grown, 100_000), batch_size(grown, 100_001)) == (512, 768)
    assert above / below == pytest.approx(1.5, rel=1e-4)


@pytest.mark.parametrize("shape", ["minus_sqrt", "linear", "cosine", "exponential"])
def test_wsd_is_megatron_s(shape: str) -> None:
    run = section(steps=60, schedule={"warmup_steps": 8, "decay_steps": 20, "decay": shape, "min_learning_rate": 1e-4})
    # megatron reaches the lowest rate at the end of its decay, we one step after the last
    theirs = _megatron(run, lr_decay_style="WSD", lr_decay_steps=61, wsd_decay_steps=21, lr_wsd_decay_style=shape)
    assert [learning_rate(run, step) for step in range(1, 61)] == pytest.approx(theirs, rel=1e-12)


def test_cosine_is_megatron_s() -> None:
    run = section(steps=60, schedule={"style": "cosine", "warmup_steps": 8, "min_learning_rate": 1e-4})
    theirs = _megatron(run, lr_decay_style="cosine", lr_decay_steps=61)
    assert [learning_rate(run, step) for step in range(1, 61)] == pytest.approx(theirs, rel=1e-12)


def _megatron(run: PretrainSection, **settings: Any) -> list[float]:
    """Return the rates by step of megatron's own scheduler."""
    import torch
    from megatron.core.optimizer_param_scheduler import OptimizerParamScheduler

    schedule = run.schedule
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = OptimizerParamScheduler(
        optimiser,
        init_lr=0.0,
        max_lr=schedule.learning_rate,
        min_lr=schedule.min_learning_rate,
        lr_warmup_steps=schedule.warmup_steps,
        start_wd=0.1,
        end_wd=0.1,
        wd_incr_steps=1,
        wd_incr_style="constant",
        **settings,
    )
    rates = []
    for _ in range(run.steps):
        scheduler.step(1)
        rates.append(optimiser.param_groups[0]["lr"])
    return rates


@given(scheduled())
def test_a_rate_is_positive_within_its_bounds_and_falls_once_it_is_warm(run: PretrainSection) -> None:
    rates = [learning_rate(run, step) for step in range(1, run.steps + 1)]
    warm = rates[run.schedule.warmup_steps :]
    assert all(0 < rate <= run.schedule.learning_rate for rate in rates)
    assert sorted(rates[: run.schedule.warmup_steps]) == rates[: run.schedule.warmup_steps]
    assert sorted(warm, reverse=True) == pytest.approx(warm, rel=1e-12)


@given(ramped())
def test_what_is_consumed_is_the_sum_of_the_batches(run: PretrainSection) -> None:
    sizes = [batch_size(run, step) for step in range(1, 70)]
    assert [consumed(run, step) for step in range(70)] == [sum(sizes[:step]) for step in range(70)]


@given(ramped())
def test_a_batch_grows_from_its_first_size_to_the_whole_one(run: PretrainSection) -> None:
    assert run.batch_ramp is not None
    sizes = [batch_size(run, step) for step in range(1, run.batch_ramp.steps + 2)]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (run.batch_ramp.start, run.global_batch)
    assert all((size - sizes[0]) % run.batch_ramp.increment == 0 for size in sizes)


@given(ramped())
def test_the_steps_samples_follow_each_other_without_a_gap(run: PretrainSection) -> None:
    places = [place for step in range(1, run.steps + 1) for place in span(run, step)]
    assert places == list(range(consumed(run, run.steps)))
