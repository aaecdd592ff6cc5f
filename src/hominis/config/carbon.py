"""Settings of the stages ``account`` and ``report``."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from hominis.config.base import Section


class Factor(Section):
    """A published or assumed number with its spread."""

    value: float = Field(gt=0, description="The number that is reckoned with.")
    low: float = Field(gt=0, description="The lowest that a source gives.")
    high: float = Field(gt=0, description="The highest that a source gives.")
    source: str = Field(min_length=1, description="Who says so and for which year; an assumption says that it is one.")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"low <= value <= high does not hold: {self.low}, {self.value}, {self.high}")
        return self


class AccountSection(Section):
    """How energy becomes CO2e. Both are required: no place's electricity or building is a default."""

    intensity_kg_per_kwh: Factor = Field(description="kg CO2e per kWh of the grid that the machines draw from.")
    pue: Factor = Field(description="Power usage effectiveness: energy of the building per energy of the machines.")

    @model_validator(mode="after")
    def _building_draws_no_less(self) -> Self:
        if self.pue.low < 1:
            raise ValueError(f"pue is at least 1, not {self.pue.low}: a building draws no less than its machines")
        return self


class ReportSection(Section):
    """What the page says about itself."""

    title: str = Field("", description="Heading of the page; the run's name if empty.")
    abstract: str = Field("", description="A sentence or two on what this run is for, below the heading.")
    model: str = Field("this run", description="Name of the measured model: heads its column of the results table.")
    references: Path = Field(
        Path("workflow/tables/references.csv"), description="Published scores to print beside the measured ones."
    )
