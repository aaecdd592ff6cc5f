"""Reading RedPajama-v2's documents: megabytes of text a CPU second and core, raw ``.json.gz`` to Arrow batches.

    python -m benchmarks.readers [--megabytes 60] [--times 3] [--documents FILE.json.gz]

The documents are of Python's own sources and its packages', in the published layout and compressed as published
(gzip level 6), or any given file. Beside ours stands the standard library's way: gzip, json, a list of texts made a
column, no check of any kind. Ours checks all that it checks in a run, and gives ids, languages and addresses, too.
"""

import argparse
import gzip
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pyarrow as pa
from tests.unit.corpus.planted import pieces
from tests.unit.corpus.redpajama_files import SHARD, document

from hominis.corpus.readers.archives import GzipFile, decompressed
from hominis.corpus.readers.documents import Documents
from hominis.corpus.readers.lines import objects
from hominis.corpus.readers.records import Reading


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--megabytes", type=float, default=60)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--documents", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = given.documents or made(Path(folder) / "en_head.json.gz", given.megabytes)
        megabytes = sum(len(text.encode()) for text in by_hand(path).to_pylist()) / 1e6
        print(f"{path.stat().st_size / 1e6:.1f} MB compressed, {megabytes:.1f} MB of text; {GzipFile.__module__}")
        ways: dict[str, Callable[[Path], object]] = {
            "stdlib": by_hand,
            "ours": batches,
            "ours: unpacking alone": unpacked,
            "ours: and parsing": parsed,
        }
        taken = {name: median(seconds(way, path) for _ in range(given.times)) for name, way in ways.items()}
    for name, least in taken.items():
        print(f"{name:22} {megabytes / least:7.1f} MB/s, {taken['stdlib'] / least:5.2f} x the standard library's")


def made(path: Path, megabytes: float) -> Path:
    """Write a file of documents of that much text."""
    size = 0.0
    with gzip.open(path, "wt", encoding="utf-8", compresslevel=6) as file:
        for text in pieces(600):
            file.write(json.dumps(document(text), ensure_ascii=False) + "\n")
            size += len(text.encode()) / 1e6
            if size > megabytes:
                break
    return path


def by_hand(path: Path) -> pa.Array:
    """Read the texts as the standard library can."""
    with gzip.open(path, "rb") as lines:
        return pa.array([json.loads(line)["raw_content"] for line in lines], pa.large_string())


def batches(path: Path) -> int:
    """Read as the stages do."""
    reading = Reading(format="redpajama", revision=SHARD)
    return sum(batch.num_rows for batch in Documents(path, "shard", reading))


def unpacked(path: Path) -> None:
    """Unpack only."""
    with path.open("rb") as file, decompressed(file, path.name) as stream:
        while stream.read1(2**20):
            pass


def parsed(path: Path) -> int:
    """Unpack and parse the lines."""
    return sum(1 for _ in objects(path, 2**26))


def seconds(way: Callable[[Path], object], path: Path) -> float:
    """Return the CPU seconds of one reading."""
    begun = time.process_time()
    way(path)
    return time.process_time() - begun


if __name__ == "__main__":
    main()
