"""The model of speed against published runs, and the constants' ranges against what they should hold."""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

import pytest

from hominis.plan.calibration import WHOLE_RUN, Compared, compared, question
from hominis.plan.constants import FITTED
from hominis.plan.wanted import shape

TABLE = Path("workflow/tables/runs.csv")
ROWS = list(csv.DictReader(TABLE.open(encoding="utf-8")))
COUNTED = [row for row in ROWS if row["use"] != "no"]


@pytest.fixture(scope="module")
def table() -> list[Compared]:
    return [compared(row) for row in COUNTED]


def test_there_are_many_runs_each_with_its_source() -> None:
    assert len(COUNTED) > 70
    assert all(row["source"] for row in ROWS)
    assert len(ROWS) - len(COUNTED) <= 1, "rows that the model is excused from"


def test_the_median_error_of_time_is_below_fifteen_percent(table: list[Compared]) -> None:
    assert statistics.median(abs(one.ratio - 1) for one in table) < 0.15


def test_no_error_of_time_is_above_thirty_five_percent(table: list[Compared]) -> None:
    assert {one.name: one.ratio for one in table if abs(one.ratio - 1) > 0.35} == {}


def test_whole_runs_alone_are_as_near(table: list[Compared]) -> None:
    assert statistics.median(abs(one.ratio - 1) for one in table if one.figure == WHOLE_RUN) < 0.15


def test_the_ranges_hold_four_of_five_runs(table: list[Compared]) -> None:
    def held(errors: list[float], low: float, high: float) -> float:
        return sum(low <= one <= high for one in errors) / len(errors)

    rates = [one.ratio for one in table if one.figure != WHOLE_RUN]
    hours = [1 / one.ratio for one in table if one.figure == WHOLE_RUN]
    assert held(rates, *FITTED.rates) > 0.75
    assert held(hours, *FITTED.campaigns) > 0.75


@pytest.mark.parametrize("row", ROWS, ids=[row["name"] for row in ROWS])
def test_a_row_has_the_size_that_its_name_says(row: dict[str, str]) -> None:
    asked = question(row)
    assert shape(asked.wanted).parameters / 1e9 == pytest.approx(float(row["params_b"]), rel=0.07)
