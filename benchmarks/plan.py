"""How far the planner's speed model is off published runs, and how long the command takes.

    python -m benchmarks.plan [--table workflow/tables/runs.csv]

`error` is computed over published time: of a whole run's GPU-hours, else of a token. `use`: constants were fitted
on it, it was only checked, or it isn't counted (its source says why).
"""

import argparse
import csv
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.start import seconds

from hominis.plan.calibration import compared

COMMAND = (
    "plan estimate --params-b 13.0 --layers 40 --hidden 5120 --heads 40 --kv-heads 40 --ffn 13824 --vocab 32000 "
    "--seq 4096 --tokens-b 2000 --gpu a100-80gb --gpus 2048 --precision bf16 --global-batch 1024 --json"
)


def main() -> None:
    """Compare, print, measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, default=Path("workflow/tables/runs.csv"))
    given = parser.parse_args()
    with given.table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    errors = []
    print(f"{'run':<32} {'figure':<16} {'published':>12} {'computed':>12} {'error':>7}  use    layout")
    for row in rows:
        one = compared(row)
        errors += [abs(one.ratio - 1)] if row["use"] != "no" else []
        figures = f"{one.published:>12,.0f} {one.computed:>12,.0f} {one.ratio - 1:>+7.1%}"
        print(f"{one.name:<32} {one.figure:<16} {figures}  {row['use']:<5}  {one.layout.text()}")
    print(f"\n{len(errors)} runs: median error {statistics.median(errors):.1%}, largest {max(errors):.1%}")
    hominis = [sys.executable, "-m", "hominis", *COMMAND.split()]
    subprocess.run(hominis, capture_output=True, check=True)
    print(f"hominis plan estimate: {seconds(hominis, 5):.2f} s")


if __name__ == "__main__":
    main()
