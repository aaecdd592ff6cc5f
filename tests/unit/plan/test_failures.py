"""The closed forms of the loss to failures agree with a simulation of the chain of segments."""

import math

import numpy as np
import pytest

from hominis.errors import ConfigError
from hominis.plan.failures import Chain, best_interval_s, expected, simulate, young_interval_s

DAY = 24 * 3600.0


def chain(gpus=2048, days=30.0, checkpoint_s=60.0, restart_s=600.0, segment_s=DAY, warning_s=300.0, rate=50_000.0):
    return Chain(days * DAY, gpus, rate, checkpoint_s, restart_s, segment_s, warning_s)


CHAINS = {
    "a small run": chain(64, 20, 10, 300),
    "a Leonardo run": chain(256, 60, 15, 300),
    "a large run": chain(2048, 30),
    "Llama 3.1's machine": chain(16_384, 54, 60, 900),
    "a machine that fails often": chain(256, 10, 30, 200, rate=500),
    "short segments": chain(128, 5, 20, 300, segment_s=4 * 3600),
}


@pytest.mark.parametrize("given", CHAINS.values(), ids=CHAINS)
def test_the_expected_time_and_faults_are_the_simulated_means(given):
    interval = best_interval_s(given)
    foreseen, seen = expected(given, interval), simulate(given, interval, runs=2000, seed=1)
    assert seen.wall_s.mean() == pytest.approx(foreseen.wall_s, rel=0.005)
    waste = seen.wall_s.mean() / given.work_s - 1
    assert waste == pytest.approx(foreseen.wall_s / given.work_s - 1, rel=0.08)
    assert seen.failures.mean() == pytest.approx(foreseen.failures, rel=0.05, abs=0.05)
    assert seen.segments.mean() == pytest.approx(foreseen.segments, abs=1.5, rel=0.02)


@pytest.mark.parametrize("name", ["a large run", "Llama 3.1's machine", "a machine that fails often"])
def test_dalys_interval_is_the_best_of_the_simulated_ones(name):
    given = CHAINS[name]
    tried = best_interval_s(given) * np.geomspace(0.25, 4, 17)
    walls = [simulate(given, interval, runs=1000, seed=2).wall_s.mean() for interval in tried]
    best = tried[int(np.argmin(walls))]
    assert best == pytest.approx(best_interval_s(given), rel=0.45)
    assert walls[8] <= min(walls) * 1.0005


def test_dalys_interval_is_youngs_when_checkpoints_are_cheap():
    cheap = chain(checkpoint_s=0.01)
    assert best_interval_s(cheap) == pytest.approx(young_interval_s(cheap), rel=1e-3)
    assert young_interval_s(chain()) == pytest.approx(math.sqrt(2 * 60 * 50_000 * 3600 / 2048))


def test_the_expected_time_is_least_at_dalys_interval():
    given = chain()
    least = expected(given, best_interval_s(given)).wall_s
    assert all(expected(given, best_interval_s(given) * factor).wall_s > least for factor in (0.8, 1.25))


def test_a_machine_like_llama_3_1s_has_its_419_faults_in_54_days():
    given = chain(16_384, 54 * 0.9, 60, 300, segment_s=1000 * DAY)
    assert expected(given, best_interval_s(given)).failures == pytest.approx(419, rel=0.1)


def test_without_faults_only_checkpoints_starts_and_ends_are_lost():
    given = chain(days=3, rate=1e15)
    seen = simulate(given, 3600.0, runs=3)
    useful = DAY - 600 - 300
    assert (seen.failures == 0).all() and (seen.segments == 4).all()
    checkpoints = int(3 * DAY / 3600)
    assert seen.wall_s[0] == pytest.approx(3 * DAY + 4 * 600 + 3 * 300 + checkpoints * 60, abs=4 * 60)
    assert useful * 4 > given.work_s > useful * 3


def test_the_parts_of_the_loss_add_up():
    loss = expected(chain(), 3600.0)
    parts = loss.checkpoints_s + loss.segments_s + loss.failures_s
    assert loss.wall_s - parts == pytest.approx(30 * DAY)
    assert loss.share == pytest.approx(parts / loss.wall_s)


def test_one_seed_is_one_result_and_another_is_another():
    given = chain()
    first, same, other = (simulate(given, 3600.0, runs=50, seed=seed).wall_s for seed in (7, 7, 8))
    assert (first == same).all() and (first != other).any()


def test_nine_of_ten_runs_lie_in_the_range():
    seen = simulate(chain(), 3600.0, runs=1000)
    low, high = seen.between()
    assert np.mean((seen.wall_s >= low) & (seen.wall_s <= high)) == pytest.approx(0.9, abs=0.005)


def test_a_segment_without_time_to_train_is_refused():
    with pytest.raises(ConfigError, match=r"segment of 900 s has no time.*600 s"):
        chain(segment_s=900.0)


def test_a_machine_that_fails_before_it_starts_is_refused():
    with pytest.raises(ConfigError, match="2048 GPUs fail every 176 s"):
        chain(rate=100.0)
