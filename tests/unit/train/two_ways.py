"""A rank that updates two equal models, one by megatron's own step: ``python -m tests.unit.train.two_ways BRIEF``.

Weights and norms must be equal bit by bit; else the rank fails and the test with it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hominis.train import lifeline
from hominis.train.brief import Brief
from hominis.train.process import distributed, guarded

STEPS = 3


def main(path: str) -> int:
    brief = Brief.read(Path(path))
    with distributed(brief.section.layout, brief.section.threads, brief.section.seed):
        from hominis.train.samples import build_datasets

        samples = build_datasets(brief)[0]
        ours, theirs = _trained(brief, samples, split=True), _trained(brief, samples, split=False)
    assert ours == theirs
    assert max(norm for norm, _ in ours) > brief.section.schedule.clip  # so that gradients were clipped
    return 0


def _trained(brief: Brief, samples: Any, *, split: bool) -> list[tuple[float, list[bytes]]]:
    """Return by step the gradient's norm and the bytes of all weights after it."""
    from hominis.train import optimiser
    from hominis.train.model import build_for_training
    from hominis.train.passes import run_pass
    from hominis.train.samples import micro_batches
    from hominis.train.state import State

    section = brief.section
    chunks = build_for_training(section, brief.vocab_size)
    state = State(chunks, optimiser.build_optimiser(section, chunks))
    batches = micro_batches(samples, brief, [range(STEPS * section.global_batch)])
    found = []
    for _ in range(STEPS):
        chunks[0].zero_grad_buffer()
        state.optimiser.zero_grad()
        run_pass(state, section, batches, section.global_batch, forward_only=False)
        if split:
            norm = optimiser.gradient_norm(state.optimiser)
            optimiser.apply(state.optimiser, norm)
        else:
            norm = float(state.optimiser.step()[1])
        found.append((norm, [weight.detach().float().numpy().tobytes() for weight in chunks[0].parameters()]))
    return found


if __name__ == "__main__":
    lifeline.hold_on()
    sys.exit(guarded(lambda: main(sys.argv[1])))
