"""Fit the speed model's constants on published runs, and again without each source to see how well it foretells it.

    python -m benchmarks.calibrate [--table workflow/tables/runs.csv]

The first line of figures belongs into `hominis.plan.constants`; the others say what a run that nobody fitted on
is off by. Sources weigh less the more rows they have, and constants are held near what data sheets and kernels'
own benchmarks suggest.
"""

import argparse
import csv
import math
import statistics
from collections import Counter
from pathlib import Path

import numpy as np
from scipy.optimize import minimize

from hominis.plan.calibration import Placed, placed
from hominis.plan.constants import FITTED, Constants

NAMES = "matmul a100, h100, h100 fp8; attention a100, h100; memory; exposed; campaign"
EXPECTED = np.array([0.80, 0.65, 0.65, 0.45, 0.45, 0.75, 0.7, 0.8])
SPREAD = np.array([0.05, 0.08, 0.1, 0.1, 0.1, 0.1, 0.25, 0.1])
HELD = 0.03
"""Weight of the expectation, and the error below which a row no longer matters."""


def constants(x: np.ndarray) -> Constants:
    """Return the constants that a vector stands for."""
    ampere, hopper, fp8, attention, later, memory, exposed, campaign = map(float, x)
    matmul = {"ampere": ampere, "hopper": hopper, "hopper-fp8": fp8}
    kernels = {"ampere": attention, "hopper": later}
    return Constants(matmul, kernels, memory=memory, exposed=exposed, campaign=campaign)


def errors(x: np.ndarray, runs: list[Placed]) -> np.ndarray:
    """Return log(computed / published time) by run."""
    made = constants(x)
    return np.array([math.log(run.compared(made).ratio) for run in runs])


def source(run: Placed) -> str:
    """Return where a row is from: the paper or table."""
    return run.row["source"].split(" ")[0].rstrip(",:")


def fit(runs: list[Placed], start: np.ndarray) -> np.ndarray:
    """Return the constants that lie nearest the runs."""
    rows = Counter(map(source, runs))
    weights = np.array([rows[source(run)] ** -0.5 for run in runs])

    def badness(x: np.ndarray) -> float:
        missed = np.sqrt(errors(x, runs) ** 2 + HELD**2)
        return float((weights * missed).sum() + HELD * (((x - EXPECTED) / SPREAD) ** 2).sum())

    found: np.ndarray = minimize(badness, start, method="Nelder-Mead", options={"maxiter": 300, "xatol": 2e-3}).x
    return found


def line(name: str, off: np.ndarray, x: np.ndarray) -> str:
    """Return a row of the printed table."""
    missed = np.abs(np.exp(off) - 1)
    return f"{name:<18} {len(off):>3} {np.median(missed):>7.1%} {missed.max():>7.1%}   {x.round(3)}"


def main() -> None:
    """Fit on all, then without each source."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=Path("workflow/tables/runs.csv"))
    with parser.parse_args().table.open(encoding="utf-8") as file:
        runs = [placed(row) for row in csv.DictReader(file) if row["use"] == "fit"]
    start = np.array(
        [*FITTED.matmul.values(), *FITTED.attention.values(), FITTED.memory, FITTED.exposed, FITTED.campaign]
    )
    print(f"{'left out':<18} {'n':>3} {'median':>7} {'max':>7}   {NAMES}")
    best = fit(runs, start)
    print(line("(none)", errors(best, runs), best), flush=True)
    foretold: list[float] = []
    for name in dict.fromkeys(map(source, runs)):
        found = fit([run for run in runs if source(run) != name], best)
        off = errors(found, [run for run in runs if source(run) == name])
        foretold += list(np.abs(np.exp(off) - 1))
        print(line(name, off, found), flush=True)
    print(f"\n{len(runs)} runs foretold: median {statistics.median(foretold):.1%}, largest {max(foretold):.1%}")


if __name__ == "__main__":
    main()
