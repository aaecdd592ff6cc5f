"""From attempts to kWh and CO2e: pure arithmetic, every attempt charged once, whatever became of it.

    CO2e = energy of the machines x PUE x intensity of the grid

as in arXiv 2104.10350 (section 2) and arXiv 2211.02001 (BLOOM), whose three
scopes are kept apart: *dynamic* (what the attempts drew, counted here), *idle* (what machines and network draw while
nothing runs) and *embodied* (making the machines).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hominis.carbon.costs import Account, AttemptCost, Cost, Scope, Spread, StageCost, Standing
from hominis.config.carbon import AccountSection
from hominis.errors import InputError
from hominis.store.ledger import Attempt

USEFUL = ("published", "resume")


def account(attempts: Sequence[Attempt], section: AccountSection) -> Account:
    """Return what ``attempts`` cost, by stage and attempt, in the order in which stages first appear.

    Raises:
        InputError: an attempt is listed twice, or a reading is negative or not a number.
    """
    _refuse_twice(attempts)
    rows = [_attempt_cost(attempt, section) for attempt in attempts]
    stages = list(dict.fromkeys(row.stage for row in rows))
    total = _stage_cost("total", rows, section)
    return Account(
        intensity_kg_per_kwh=section.intensity_kg_per_kwh,
        pue=section.pue,
        scopes=_scopes(total.all.co2e_g),
        methods=sorted({row.method for row in rows if row.method}),
        total=total,
        stages=[_stage_cost(stage, [row for row in rows if row.stage == stage], section) for stage in stages],
        attempts=rows,
    )


def facility_kwh(energy_kwh: float, section: AccountSection) -> Spread:
    """Return the energy of the building for that of the machines, in kWh."""
    pue = section.pue
    return Spread(value=energy_kwh * pue.value, low=energy_kwh * pue.low, high=energy_kwh * pue.high)


def co2e_g(energy_kwh: float, section: AccountSection) -> Spread:
    """Return grams of CO2e for energy drawn by the machines; low and high take both factors' low and high."""
    building, grid = facility_kwh(energy_kwh, section), section.intensity_kg_per_kwh
    return Spread(
        value=building.value * grid.value * 1000,
        low=building.low * grid.low * 1000,
        high=building.high * grid.high * 1000,
    )


def standing(outcome: str | None) -> Standing:
    """Return whether an attempt's work was kept, was lost, or is still being done."""
    return "running" if outcome is None else "useful" if outcome in USEFUL else "lost"


def _attempt_cost(attempt: Attempt, section: AccountSection) -> AttemptCost:
    reading = {name: _kwh(attempt, name) for name in ("energy_kwh", "cpu_kwh", "ram_kwh", "gpu_kwh")}
    cost = _cost(1, int(not attempt.reading), attempt.seconds, reading, section)
    return AttemptCost(
        id=f"{attempt.key}/{attempt.n}",
        stage=attempt.stage,
        part=attempt.part,
        key=attempt.key,
        n=attempt.n,
        run=attempt.run,
        opened=attempt.opened,
        outcome=attempt.outcome,
        error=attempt.error,
        standing=standing(attempt.outcome),
        method=str(attempt.reading.get("method", "")),
        cost=cost,
    )


def _stage_cost(stage: str, rows: Sequence[AttemptCost], section: AccountSection) -> StageCost:
    def of(which: Standing) -> Cost:
        return _sum((row.cost for row in rows if row.standing == which), section)

    everything = _sum((row.cost for row in rows), section)
    return StageCost(stage=stage, all=everything, useful=of("useful"), lost=of("lost"), running=of("running"))


def _sum(costs: Iterable[Cost], section: AccountSection) -> Cost:
    listed = list(costs)
    energies = {
        name: math.fsum(getattr(c, name) for c in listed) for name in ("energy_kwh", "cpu_kwh", "ram_kwh", "gpu_kwh")
    }
    unmetered = sum(cost.unmetered for cost in listed)
    return _cost(sum(c.attempts for c in listed), unmetered, math.fsum(c.seconds for c in listed), energies, section)


def _cost(attempts: int, unmetered: int, seconds: float, energies: dict[str, float], section: AccountSection) -> Cost:
    energy = energies["energy_kwh"]
    return Cost(
        attempts=attempts,
        unmetered=unmetered,
        seconds=seconds,
        **energies,
        facility_kwh=facility_kwh(energy, section),
        co2e_g=co2e_g(energy, section),
    )


def _kwh(attempt: Attempt, name: str) -> float:
    value: Any = attempt.reading.get(name, 0.0)
    if not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        where = f"attempt {attempt.n} of {attempt.stage}/{attempt.part} ({attempt.key})"
        raise InputError(
            f"a meter reading says {name} = {value!r}", where=where, remedy="mend the attempt's file by hand"
        )
    return float(value)


def _refuse_twice(attempts: Sequence[Attempt]) -> None:
    counted = Counter((attempt.key, attempt.n) for attempt in attempts)
    for (key, n), times in counted.items():
        if times > 1:
            raise InputError(f"attempt {n} of key {key} is listed {times} times", remedy="pass every attempt once")


def _scopes(dynamic: Spread) -> list[Scope]:
    return [
        Scope(name="dynamic", meaning="what the attempts drew, cooling and losses by the PUE", co2e_g=dynamic),
        Scope(name="idle", meaning="what machines and network draw while nothing of this runs", co2e_g=None),
        Scope(name="embodied", meaning="making, moving and scrapping the machines", co2e_g=None),
    ]
