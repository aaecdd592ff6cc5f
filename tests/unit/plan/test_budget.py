"""A run that is predicted to cost more than its budget is refused, with the numbers."""

import pytest

from hominis.carbon.costs import Spread
from hominis.config.plan import BudgetSection
from hominis.errors import ConfigError
from hominis.plan.budget import refuse_over, verdicts

HOURS = Spread(value=150_000, low=120_000, high=190_000)
TONNES = Spread(value=32.5, low=25, high=47)


def judged(**limits):
    budget = BudgetSection(**limits)
    return budget, verdicts(budget, HOURS, TONNES)


def test_a_run_over_its_gpu_hours_is_refused_with_value_range_limit_and_remedy():
    with pytest.raises(ConfigError) as refused:
        refuse_over(*judged(gpu_hours=125_000))
    text = str(refused.value)
    assert "150,000 GPU-hours (120,000 to 190,000), limit 125,000" in text
    assert "budget.gpu_hours" in text and "83 % of the tokens" in text and "exceed: true" in text
    assert "tCO2e" not in text


def test_both_limits_are_named_at_once_and_the_remedy_meets_both():
    with pytest.raises(ConfigError, match=r"limit 125,000; 32.5 tCO2e \(25 to 47\), limit 20") as refused:
        refuse_over(*judged(gpu_hours=125_000, tco2e=20))
    assert "61 % of the tokens" in str(refused.value)


@pytest.mark.parametrize(
    "limits",
    [{}, {"gpu_hours": 150_000}, {"tco2e": 40}, {"gpu_hours": 1, "tco2e": 1, "exceed": True}],
    ids=["no limit", "just within", "one limit kept", "confirmed"],
)
def test_others_may_start(limits):
    refuse_over(*judged(**limits))


def test_a_range_that_reaches_over_the_limit_is_said():
    _, (hours, tonnes) = judged(gpu_hours=160_000, tco2e=50)
    assert hours.may_be_over and not hours.over
    assert not tonnes.may_be_over
