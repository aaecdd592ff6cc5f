"""Deduplication: documents a second and memory over made signatures; recall and precision on planted copies.

    python -m benchmarks.deduplicate [--documents 1000000] [--pieces 5000]

Signatures are drawn at random: a fifth of the documents are near copies of another one, whose values agree with a
probability of 0.9, a twentieth exact ones. The time is CPU seconds of the stage alone, in a process of its own, whose
peak memory is asked of the system.

Planted copies are of pieces of real text (see ``tests.unit.corpus.planted``), words replaced with a probability drawn
from 0 up, so that similarities lie between 0.7 and 1.
"""

import argparse
import multiprocessing
import resource
import tempfile
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
from tests.unit.corpus.annotated import deduplicated, signed, source
from tests.unit.corpus.planted import judged, pieces, planted

from hominis.config.corpus import DeduplicateSection

PART = 100_000
VALUES = 128


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=1_000_000)
    parser.add_argument("--pieces", type=int, default=5_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        speed(Path(name), given.documents)
    quality(given.pieces)


def speed(folder: Path, documents: int) -> None:
    """Deduplicate made signatures."""
    spawn = multiprocessing.get_context("spawn")
    for size in (documents // 4, documents):
        with spawn.Pool(1) as pool:
            exact, near = pool.apply(make, (folder / str(size), size))
        with spawn.Pool(1) as pool:
            seconds, found, base, peak = pool.apply(measure, (folder / str(size), size))
        print(
            f"{size:,} documents: {seconds:.1f} s of CPU, {size / seconds:,.0f} documents/s, "
            f"peak memory {peak:,.0f} MB, {base:,.0f} of it before the stage"
        )
        print(f"  exact {found['exact']:,} of {exact:,}; near {found['near']:,} of about {near:,}")


def make(folder: Path, documents: int) -> tuple[int, int]:
    """Write annotations of that many documents; return how many exact and near copies there are."""
    rng = np.random.default_rng(1)
    hashes = rng.integers(0, 2**63, documents, dtype=np.uint64)
    drawn = rng.random(documents)
    exact, near = np.flatnonzero(drawn < 0.05), np.flatnonzero((drawn >= 0.05) & (drawn < 0.25))
    originals = np.flatnonzero(drawn >= 0.25)
    values, copied = rng.integers(0, 2**32, (documents, VALUES), dtype=np.uint32), rng.choice(originals, exact.size)
    hashes[exact], values[exact] = hashes[copied], values[copied]
    kept = rng.random((near.size, VALUES)) < 0.9
    values[near] = np.where(kept, values[rng.choice(originals, near.size)], values[near])
    for begin in range(0, documents, PART):
        rows = slice(begin, begin + PART)
        column = pa.FixedSizeListArray.from_arrays(pa.array(values[rows].ravel()), VALUES)
        ids = [f"part{begin // PART:04}/{number:09}" for number in rng.permutation(len(column))]
        source(
            folder / f"{begin:09}", f"part{begin // PART:04}", signed(ids, pa.array(hashes[rows]), column), rows=4096
        )
    return exact.size, near.size


def measure(folder: Path, documents: int) -> tuple[float, dict[str, int], float, float]:
    """Return CPU seconds, the summary, and megabytes of memory before and at most."""
    few = signed(
        ["a/1", "a/2"], pa.array([1, 2], pa.uint64()), pa.array([[1] * VALUES] * 2, pa.list_(pa.uint32(), VALUES))
    )
    deduplicated(folder / "first", [source(folder / "few", "few", few)], DeduplicateSection())  # compiled now
    sources = [source(path, f"part{int(path.name) // PART:04}") for path in sorted(folder.glob("[0-9]*"))]
    base, begun = peak_megabytes(), time.process_time()
    _, _, found = deduplicated(folder / "work", sources, DeduplicateSection())
    assert found["documents"] == documents
    return time.process_time() - begun, found, base, peak_megabytes()


def peak_megabytes() -> float:
    """Return the most memory that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def quality(count: int) -> None:
    """Find planted copies with signatures of both kinds, at a similarity of 0.8."""
    real = list(islice(pieces(), count))
    for kind, size, most in (("own", 5, 0.03), ("redpajama", 13, 0.012)):
        texts = planted(real, most, seed=1)
        print(f"{len(texts):,} documents with planted copies, {kind} signatures of {size} words")
        for verify in (True, False):
            with tempfile.TemporaryDirectory() as name:
                figures = judged(Path(name), texts, DeduplicateSection(verify=verify), kind, size)
            shown = ", ".join(f"{key} {value:.4g}" for key, value in figures.items())
            print(f"  {'verified' if verify else 'bands alone'}: {shown}")


if __name__ == "__main__":
    main()
