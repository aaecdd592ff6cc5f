"""Curation on two cores against one: raw files of a corpus through the stages' own commands, as a run calls them.

    python -m benchmarks.cores [--megabytes 1000] [--files 8] [--times 1]

The text is that of `benchmarks.curation`, in several files, as published corpora are. A file is a part, and as many
parts run at once as there are cores; deduplication is one part, of all. The same commands run once bound to one core
and once to two, each in a store of its own, so what is said is the ratio of seconds by the clock: of an idle machine.
The last line is the machine's own limit: two processes that only count, on two cores against both on one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks.curation import MEASURED, NEEDED, texts, write
from tests.unit.corpus.raw_files import row
from tests.unit.corpus.redpajama_files import SHARD
from tests.workflow import tiny

WANTED = 1.8
_COUNT = [sys.executable, "-c", "for _ in range(60_000_000): pass"]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=1000)
    parser.add_argument("--files", type=int, default=8)
    parser.add_argument("--times", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root, pieces = Path(folder), texts()
        shards = [root / f"en_head_{number}.json.gz" for number in range(given.files)]
        size = sum(write(shard, given.megabytes / given.files, pieces) for shard in shards)
        print(f"{size:.0f} MB of text in {given.files} files", flush=True)
        stages(root / "compiled", shards[:1], 2)
        ratios = [compared(root / str(turn), shards, size) for turn in range(given.times)]
    print(f"all stages: {median(ratios):.2f} × the speed of one core (wanted {WANTED}); {limit():.2f} × at counting")


def compared(folder: Path, shards: Sequence[Path], size: float) -> float:
    """Print what each stage takes on one core and on two; return the ratio of all."""
    one, two = (stages(folder / str(cores), shards, cores) for cores in (1, 2))
    both = {"all": (sum(one.values()), sum(two.values()))} | {name: (one[name], two[name]) for name in one}
    for name, (slow, fast) in both.items():
        print(f"  {name:12} {size / slow:6.1f} MB/s on one core, {slow / fast:.2f} × that on two", flush=True)
    return both["all"][0] / both["all"][1]


def stages(folder: Path, shards: Sequence[Path], cores: int) -> dict[str, float]:
    """Run the stages on some cores; return the seconds of each that is measured."""
    sources = [row(path, name=path.name.split(".")[0], format="redpajama", revision=SHARD) for path in shards]
    settings = tiny.settings(folder)
    settings |= {
        "fetch": {"sources": [source.model_dump(mode="json") for source in sources]},
        "select": {"policies": {"web": "code"}},
        "pretrain": settings["pretrain"] | {"blend": {"web": 1.0}},
        "generate": {"tasks": ["bits_per_byte", "humaneval"]},
    }
    run = tiny.Run(folder, settings)
    taken = {}
    for name in (*NEEDED, *MEASURED):
        command = [sys.executable, "-m", "hominis", name, "--config", str(run.config)]
        with bound(cores), (folder / "log").open("ab") as log:
            begun = time.monotonic()
            subprocess.run(command, cwd=folder, env=run.environment(), check=True, stdout=log, stderr=log)
            taken[name] = time.monotonic() - begun
    return {name: taken[name] for name in MEASURED}


@contextmanager
def bound(cores: int) -> Iterator[None]:
    """Bind what is started to some cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:cores])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def limit() -> float:
    """Return how much faster two processes that only count are on two cores than on one."""
    seconds = []
    for cores in (1, 2):
        with bound(cores):
            begun = time.monotonic()
            for process in [subprocess.Popen(_COUNT) for _ in range(2)]:
                process.wait()
            seconds.append(time.monotonic() - begun)
    return seconds[0] / seconds[1]


if __name__ == "__main__":
    main()
