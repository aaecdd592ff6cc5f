"""The share of a training step that a rank waits for its samples, at the quickstart's size and as lone figures.

    python -m benchmarks.loader [--steps 150]

In the run each request for a micro-batch is timed within the step that makes it. Beside it: what a sample costs by
itself at longer sequences, since a GPU's step is as short as its loader lets it be. Hashing the samples is counted in.
"""

import argparse
import time
from collections.abc import Iterator
from statistics import median
from typing import Any

from benchmarks import small_run

from hominis.train.brief import Brief

WARM = 5
LONGER = (2048, 4096, 8192)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    given = parser.parse_args()
    found = small_run.figures("benchmarks.loader", given.steps)
    shares = [waited / step for waited, step in found["run"][WARM:]]
    waited, step = (median(column) for column in zip(*found["run"][WARM:], strict=True))
    print(f"quickstart: {1e3 * waited:.2f} ms of a step's {1e3 * step:.1f} ms, {median(shares):.2%}; limit 1 %")
    for sequence in LONGER:
        model = {**found["model"], "sequence": sequence}
        alone = small_run.figures("benchmarks.loader", given.steps, model=model, micro_batch=1, layout={"tp": 1})[
            "alone"
        ]
        print(f"sequences of {sequence}: {1e3 * median(alone):.3f} ms each, {sequence / median(alone):,.0f} tokens/s")


def rank(brief: Brief, steps: int) -> dict[str, Any]:
    """Return the seconds that each step waited and took; and those of single samples."""
    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.record import Record
    from hominis.train.samples import build_datasets
    from hominis.train.state import State
    from hominis.train.steps import Steps

    section, samples = brief.section, build_datasets(brief)[0]
    if section.model.sequence in LONGER:
        return {"alone": list(_alone(samples, brief, steps))}
    chunks = build_for_training(section, brief.vocab_size)
    run = Steps(brief, State(chunks, build_optimiser(section, chunks)), samples, Record(brief))
    run._batches = timed = _Timed(run._batches)
    found = []
    for _ in range(steps):
        timed.seconds, began = 0.0, time.perf_counter()
        run.advance()
        found.append((timed.seconds, time.perf_counter() - began))
    return {"run": found, "model": section.model.model_dump()}


class _Timed:
    """An iterator that adds up the seconds it takes."""

    def __init__(self, wrapped: Iterator[Any]) -> None:
        self._wrapped, self.seconds = wrapped, 0.0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        began = time.perf_counter()
        batch = next(self._wrapped)
        self.seconds += time.perf_counter() - began
        return batch


def _alone(samples: Any, brief: Brief, count: int) -> Iterator[float]:
    from hominis.train.samples import micro_batches
    from hominis.train.tally import Tally

    batches = _Timed(micro_batches(samples, brief, [range(count)], Tally()))
    for _ in range(count):
        batches.seconds = 0.0
        next(batches)
        yield batches.seconds


if __name__ == "__main__":
    main()
