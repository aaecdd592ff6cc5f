import numpy as np
import pytest

from hominis.evaluate.bands import bootstrap, wilson


@pytest.mark.parametrize(
    ("passed", "items", "low", "high"),
    [(0, 164, 0.0, 0.02289), (164, 164, 0.97711, 1.0), (81, 263, 0.2553, 0.3662), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_intervals_are_the_published_ones(passed, items, low, high):
    """81/263 and 1/29 are examples of Newcombe 1998, table I, method 3."""
    assert wilson(passed, items) == pytest.approx((low, high), abs=6e-5)


def test_bootstrap_covers_the_ratio_and_repeats_itself():
    draws = np.random.default_rng(5)
    sizes = draws.integers(100, 2_000, 60)
    bits = sizes * draws.normal(2.0, 0.4, 60)
    low, high = bootstrap(bits, sizes, 1_000, seed=1)
    assert low < bits.sum() / sizes.sum() < high
    assert bootstrap(bits, sizes, 1_000, seed=1) == (low, high)
    assert bootstrap(bits, sizes, 1_000, seed=2) != (low, high)


def test_bootstrap_width_is_that_of_the_normal_theory():
    draws = np.random.default_rng(6)
    bits = draws.normal(2.0, 0.5, 400)
    low, high = bootstrap(bits, np.ones(400), 4_000, seed=0)
    assert high - low == pytest.approx(2 * 1.96 * bits.std() / 20, rel=0.08)


def test_equal_documents_leave_no_band():
    assert bootstrap([8.0] * 5, [4.0] * 5, 200, seed=0) == (2.0, 2.0)
