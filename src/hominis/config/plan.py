"""What a plan reckons with, and what a run may cost at most."""

from __future__ import annotations

from pydantic import Field

from hominis.config.base import Section


class PlanSection(Section):
    """The machine as ``hominis plan`` sees it. Nothing here is in a key."""

    gpu: str = Field("a100-64gb", description="GPU of a node; `hominis plan --help` lists those it knows")
    segment_hours: float = Field(24.0, gt=0, description="wall time of a job: a longer run is a chain of segments")
    core_hours_per_gpu_hour: float = Field(8.0, gt=0, description="what the site's accounting charges; Leonardo: 8")
    gpu_hours_per_failure: float = Field(
        50_000.0, gt=0, description="GPU-hours between two unplanned stops (Llama 3.1, arXiv:2407.21783: about 50,000)"
    )
    restart_s: float = Field(
        300.0, ge=0, description="seconds from a job's start to its first step: an assumption until you measured it"
    )
    checkpoint_s: float = Field(
        30.0, gt=0, description="seconds that training stands still for a checkpoint: an assumption, too"
    )


class BudgetSection(Section):
    """What a run may cost. One predicted to cost more is not started."""

    gpu_hours: float | None = Field(None, gt=0, description="GPU-hours of pretraining; null: no limit")
    tco2e: float | None = Field(None, gt=0, description="tonnes of CO2e of pretraining; null: no limit")
    exceed: bool = Field(False, description="start even so")
