import csv
import math
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hominis.carbon.account import account, co2e_g
from hominis.config.carbon import AccountSection, Factor
from hominis.errors import InputError
from hominis.store.ledger import Attempt

TABLES = Path(__file__).parents[3] / "workflow" / "tables"
LLAMA = [  # GPUs' watts, GPU-hours, published tonnes: arXiv 2307.09288 table 2
    (400, 184_320, 31.22),
    (400, 368_640, 62.44),
    (350, 1_038_336, 153.90),
    (400, 1_720_320, 291.42),
]


def section(intensity: tuple[float, float, float], pue: tuple[float, float, float]) -> AccountSection:
    def factor(values: tuple[float, float, float]) -> dict[str, Any]:
        return dict(zip(("value", "low", "high"), values, strict=True)) | {"source": "test"}

    return AccountSection.model_validate({"intensity_kg_per_kwh": factor(intensity), "pue": factor(pue)})


ITALY = section((0.2875, 0.2848, 0.3367), (1.1, 1.05, 1.2))


def attempt(n: int = 1, stage: str = "fetch", outcome: str | None = "published", **changes: Any) -> Attempt:
    reading = {"energy_kwh": 2.0, "cpu_kwh": 1.0, "ram_kwh": 0.25, "gpu_kwh": 0.75, "method": "by hand"}
    given = {"part": "a", "key": f"{stage}-key", "run": "r", "owner": {}, "opened": 100.0, "last": 160.0, "error": ""}
    given |= {"closed": outcome not in {None, "lost"}, "reading": reading, "progress": {}}
    return Attempt(**{"stage": stage, "n": n, "outcome": outcome, **given, **changes})


@pytest.mark.parametrize(("watts", "hours", "tonnes"), LLAMA)
def test_the_formula_gives_llama_2s_published_tonnes(watts: float, hours: float, tonnes: float):
    grams = co2e_g(watts * hours / 1000, section((0.385,) * 3, (1.1,) * 3)).value
    assert math.floor(grams / 1e4) / 100 == tonnes


def test_the_formula_gives_blooms_dynamic_tonnes():
    assert co2e_g(433_196, section((0.057,) * 3, (1.0,) * 3)).value / 1e6 == pytest.approx(24.69, abs=0.005)


def test_failed_lost_and_superseded_attempts_are_charged_apart():
    outcomes = ["published", "resume", "failed", "lost", "superseded", None]
    made = account([attempt(n, outcome=outcome) for n, outcome in enumerate(outcomes)], ITALY)
    total = made.total
    assert (total.all.attempts, total.useful.attempts, total.lost.attempts, total.running.attempts) == (6, 2, 3, 1)
    assert total.all.energy_kwh == 12
    assert total.lost.energy_kwh == 6
    assert [row.standing for row in made.attempts] == ["useful", "useful", "lost", "lost", "lost", "running"]


def test_a_lost_attempt_is_charged_to_its_last_event():
    made = account([attempt(outcome="lost", opened=50.0, last=95.0)], ITALY)
    assert made.total.lost.seconds == 45


def test_the_range_takes_both_factors():
    grams = account([attempt()], ITALY).total.all.co2e_g
    assert grams.value == pytest.approx(2 * 1.1 * 287.5)
    assert grams.low == pytest.approx(2 * 1.05 * 284.8)
    assert grams.high == pytest.approx(2 * 1.2 * 336.7)


def test_an_attempt_without_a_reading_costs_nothing_and_is_counted():
    made = account([attempt(1, reading={}), attempt(2)], ITALY)
    assert made.total.all.unmetered == 1
    assert made.total.all.energy_kwh == 2


def test_an_attempt_listed_twice_is_refused():
    with pytest.raises(InputError, match="2 times"):
        account([attempt(), attempt()], ITALY)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf, "much"])
def test_an_impossible_reading_is_refused(value: Any):
    with pytest.raises(InputError, match="energy_kwh"):
        account([attempt(reading={"energy_kwh": value})], ITALY)


def test_only_the_dynamic_scope_is_counted_and_the_others_are_named():
    scopes = {scope.name: scope.co2e_g for scope in account([attempt()], ITALY).scopes}
    assert scopes["dynamic"] is not None
    assert (scopes["idle"], scopes["embodied"]) == (None, None)


def test_an_account_of_nothing_is_zero():
    made = account([], ITALY)
    assert (made.total.all.energy_kwh, made.stages, made.attempts) == (0, [], [])


STAGES = st.sampled_from(["fetch", "select", "pretrain"])
OUTCOMES = st.sampled_from(["published", "resume", "failed", "lost", "superseded", None])
ENERGIES = st.floats(0, 1e6, allow_nan=False)


@given(st.lists(st.tuples(STAGES, OUTCOMES, ENERGIES), max_size=30))
def test_stages_attempts_and_standings_each_sum_to_the_total(rows: list[tuple[str, str | None, float]]):
    listed = [attempt(n, stage, outcome, reading={"energy_kwh": kwh}) for n, (stage, outcome, kwh) in enumerate(rows)]
    made = account(listed, ITALY)
    total = made.total.all.energy_kwh
    assert total == pytest.approx(sum(kwh for _, _, kwh in rows))
    assert total == pytest.approx(sum(stage.all.energy_kwh for stage in made.stages))
    assert total == pytest.approx(sum(row.cost.energy_kwh for row in made.attempts))
    assert total == pytest.approx(sum(getattr(made.total, s).energy_kwh for s in ("useful", "lost", "running")))
    assert made.total.all.attempts == sum(stage.all.attempts for stage in made.stages) == len(rows)
    low, value, high = (getattr(made.total.all.co2e_g, name) for name in ("low", "value", "high"))
    assert low <= value <= high


def test_factors_out_of_order_and_impossible_pues_are_refused():
    with pytest.raises(ValidationError, match="low <= value <= high"):
        section((0.3, 0.4, 0.5), (1, 1, 1))
    with pytest.raises(ValidationError, match="at least 1"):
        section((0.3, 0.3, 0.5), (1, 0.9, 1))


@pytest.mark.parametrize("name", ["default", "quickstart"])
def test_the_factors_of_the_run_configurations_are_rows_of_the_table(name: str):
    with (TABLES / "carbon.csv").open(encoding="utf-8", newline="") as lines:
        known = {(row["factor"], *(float(row[n]) for n in ("value", "low", "high"))) for row in csv.DictReader(lines)}
    settings = yaml.safe_load((TABLES.parent / "config" / f"{name}.yaml").read_text())["account"]
    used = {(f.split("_")[0], *(settings[f][n] for n in ("value", "low", "high"))) for f in settings}
    assert used <= known


def test_every_row_of_the_table_of_factors_can_be_a_setting():
    with (TABLES / "carbon.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["factor"] for row in rows} == {"intensity", "pue"}
    for row in rows:
        Factor.model_validate({name: row[name] for name in ("value", "low", "high", "source")})
