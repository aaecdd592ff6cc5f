"""How long `hominis status` and a rerun of a finished run take, as ratios to what they can't be below, in one run.

    python benchmarks/start.py [--config workflow/config/quickstart.yaml] [--times 7]

`status` is compared with starting Python and importing click; a rerun with Snakemake building a graph of one rule.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ONE_RULE = "rule all:\n    output: touch('done')\n"


def seconds(command: list[str], times: int, folder: str = ".") -> float:
    """Return the median duration of a command."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="workflow/config/quickstart.yaml")
    parser.add_argument("--times", type=int, default=7)
    given = parser.parse_args()
    snakemake = [sys.executable, "-m", "snakemake"]
    with tempfile.TemporaryDirectory() as name:
        Path(name, "Snakefile").write_text(ONE_RULE)
        subprocess.run([*snakemake, "--cores", "1"], cwd=name, capture_output=True, check=True)
        floor = seconds([*snakemake, "--cores", "1"], given.times, name)
    bare = seconds([sys.executable, "-c", "import click"], given.times)
    status = seconds([sys.executable, "-m", "hominis", "status", "--config", given.config], given.times)
    rerun = seconds([*snakemake, "--profile", "local", "--configfile", given.config], given.times)
    print(f"hominis status  {status:.3f} s, {status / bare:.1f} x python with click ({bare:.3f} s); limit 0.300 s")
    print(f"rerun           {rerun:.2f} s, {rerun / floor:.1f} x snakemake with one rule ({floor:.2f} s); limit 10 s")


if __name__ == "__main__":
    main()
