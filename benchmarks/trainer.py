"""What the trainer costs beside a bare loop over megatron-core: same model, same ranks, a step of each in turn.

    python -m benchmarks.trainer [--steps 150] [--threads 1]

The bare loop does forward, backward and megatron's own optimiser step on the same samples, and nothing else. Ours
measures the loss, judges the step, votes, records it, hashes its samples, and seeds chance. Checkpoints are measured
elsewhere. The ratio is the median over pairs of neighbouring steps; CPU time is the first rank's.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median, quantiles
from typing import Any

from benchmarks import small_run

from hominis.train.brief import Brief

WARM = 5


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    found = small_run.figures("benchmarks.trainer", given.steps, threads=given.threads)
    for clock in ("wall", "cpu"):
        ours, bare = ([pair[clock] for pair in found[name][WARM:]] for name in ("ours", "bare"))
        ratios = [one / other for one, other in zip(ours, bare, strict=True)]
        low, _, high = quantiles(ratios, n=4)
        middle, by_pair = median(ours) / median(bare), median(ratios)
        print(f"{clock:4}  ours {1e3 * median(ours):.2f} ms a step, bare {1e3 * median(bare):.2f} ms: {middle:.4f}")
        print(f"      pairs of steps: median {by_pair:.4f}, quartiles {low:.3f} to {high:.3f}")
    print(f"{len(ratios)} pairs; limit 1.03")


def rank(brief: Brief, steps: int) -> dict[str, list[dict[str, float]]]:
    """Return the seconds of each step of both loops."""
    from hominis.train.model import build_for_training
    from hominis.train.optimiser import build_optimiser
    from hominis.train.record import Record
    from hominis.train.samples import build_datasets
    from hominis.train.state import State
    from hominis.train.steps import Steps

    chunks, others = (build_for_training(brief.section, brief.vocab_size) for _ in range(2))
    samples = build_datasets(brief)[0]
    ours = Steps(brief, State(chunks, build_optimiser(brief.section, chunks)), samples, Record(brief)).advance
    bare = partial(_bare_step, brief, others[0], build_optimiser(brief.section, others), _batches(brief, samples))
    taken: dict[str, list[dict[str, float]]] = {"ours": [], "bare": []}
    for number in range(steps):
        turns: list[tuple[str, Callable[[], Any]]] = [("ours", ours), ("bare", bare)]
        for name, step in turns if number % 2 else reversed(turns):
            taken[name].append(_timed(step))
    return taken


def _timed(step: Callable[[], Any]) -> dict[str, float]:
    from torch import distributed

    distributed.barrier()
    wall, cpu = time.perf_counter(), time.process_time()
    step()
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}


def _bare_step(brief: Brief, model: Any, optimiser: Any, batches: Iterator[dict[str, Any]]) -> None:
    from megatron.core.pipeline_parallel import get_forward_backward_func

    section = brief.section
    model.zero_grad_buffer()
    optimiser.zero_grad()
    get_forward_backward_func()(
        forward_step_func=_forward,
        data_iterator=batches,
        model=model,
        num_microbatches=section.global_batch // section.micro_batch,
        seq_length=section.model.sequence,
        micro_batch_size=section.micro_batch,
        forward_only=False,
    )
    optimiser.step()


def _forward(batches: Iterator[dict[str, Any]], model: Any) -> tuple[Any, Any]:
    batch = next(batches)
    return model(batch["tokens"], batch["position_ids"], None, labels=batch["labels"]), _loss


def _loss(output: Any) -> tuple[Any, Any, Any]:
    import torch

    return output.sum(), torch.tensor(output.numel(), dtype=torch.int), {}


def _batches(brief: Brief, samples: Any) -> Iterator[dict[str, Any]]:
    import torch

    size = brief.section.micro_batch
    for first in range(0, len(samples), size):
        found = [samples[index] for index in range(first, first + size)]
        yield {name: torch.stack([sample[name] for sample in found]) for name in ("tokens", "labels", "position_ids")}


if __name__ == "__main__":
    main()
