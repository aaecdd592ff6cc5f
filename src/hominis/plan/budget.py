"""May a run start? What it is predicted to cost, against what it may cost."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hominis.errors import ConfigError

if TYPE_CHECKING:
    from hominis.carbon.costs import Spread
    from hominis.config.plan import BudgetSection


@dataclass(frozen=True)
class Verdict:
    """A prediction beside its limit.

    Attributes:
        limit: None if the budget sets none.
    """

    name: str
    unit: str
    predicted: Spread
    limit: float | None

    @property
    def over(self) -> bool:
        """The predicted value is above the limit."""
        return self.limit is not None and self.predicted.value > self.limit

    @property
    def may_be_over(self) -> bool:
        """The value is not, but the upper end of its range is."""
        return self.limit is not None and not self.over and self.predicted.high > self.limit

    def __str__(self) -> str:
        low, high = amount(self.predicted.low), amount(self.predicted.high)
        limit = f"limit {amount(self.limit)}" if self.limit is not None else "no limit"
        return f"{amount(self.predicted.value)} {self.unit} ({low} to {high}), {limit}"


def verdicts(budget: BudgetSection, gpu_hours: Spread, tco2e: Spread) -> list[Verdict]:
    """Return what is predicted beside what the budget allows."""
    return [
        Verdict("gpu_hours", "GPU-hours", gpu_hours, budget.gpu_hours),
        Verdict("tco2e", "tCO2e", tco2e, budget.tco2e),
    ]


def refuse_over(budget: BudgetSection, found: list[Verdict]) -> None:
    """Do nothing for a run within its budget, or one that may exceed it.

    Raises:
        ConfigError: it is predicted to cost more; every limit that it breaks is named.
    """
    broken = [verdict for verdict in found if verdict.over]
    if not broken or budget.exceed:
        return
    share = min(verdict.limit / verdict.predicted.value for verdict in broken if verdict.limit)
    raise ConfigError(
        "pretraining is predicted to cost more than its budget: " + "; ".join(str(verdict) for verdict in broken),
        where=", ".join(f"budget.{verdict.name}" for verdict in broken),
        remedy=f"train on {math.floor(100 * share)} % of the tokens (pretrain.steps), choose a faster layout "
        "(`hominis plan` ranks them), raise the limit, or say `budget: {exceed: true}`",
    )


def amount(value: float) -> str:
    """Return a number as a person reads it: three digits below 1,000, none after the point above."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
