"""What an account is made of: values that ``account`` computes and others only read."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from hominis.config.carbon import Factor

Standing = Literal["useful", "lost", "running"]
"""``useful``: published, or stopped with a checkpoint for the next attempt. ``lost``: all others that ended."""


class Record(BaseModel):
    """A value object of the account: immutable, strict, plain JSON."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Spread(Record):
    """A number and what it would be under the lower and the higher factors."""

    value: float
    low: float
    high: float


class Cost(Record):
    """What some attempts cost.

    Attributes:
        attempts: how many.
        unmetered: how many of them ended before their first reading: charged with nothing.
        seconds: sum of their durations (of the processes, not of CPUs).
        energy_kwh: drawn by the machines; ``facility_kwh``: that x PUE.
    """

    attempts: int
    unmetered: int
    seconds: float
    energy_kwh: float
    cpu_kwh: float
    ram_kwh: float
    gpu_kwh: float
    facility_kwh: Spread
    co2e_g: Spread


class AttemptCost(Record):
    """One row of the ledger and what it cost; ``id`` is ``<key>/<n>``."""

    id: str
    stage: str
    part: str
    key: str
    n: int
    run: str
    opened: float
    outcome: str | None
    error: str
    standing: Standing
    method: str
    cost: Cost


class StageCost(Record):
    """What a stage's attempts cost: all of them, and by what became of them."""

    stage: str
    all: Cost
    useful: Cost
    lost: Cost
    running: Cost


class Scope(Record):
    """What is counted and what isn't. ``co2e_g`` is None where a scope isn't counted."""

    name: Literal["dynamic", "idle", "embodied"]
    meaning: str
    co2e_g: Spread | None


class Account(Record):
    """The whole account. Sums over ``stages`` and over ``attempts`` both equal ``total``."""

    intensity_kg_per_kwh: Factor
    pue: Factor
    scopes: list[Scope]
    methods: list[str]
    total: StageCost
    stages: list[StageCost]
    attempts: list[AttemptCost]
