"""A running hash of the training samples that were used: two runs with the same one were trained on the same."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import torch
import torch.distributed as dist
from megatron.core import parallel_state

BYTES = 16
NONE = "0" * 2 * BYTES
"""The hash of no samples."""


class Tally:
    """Each sample used adds the hash of its place in the data's order and of its tokens.

    A sum doesn't depend on which rank used a sample, or in which pass: it is the same whatever the layout, also if
    that changes on the way. A sample left out, repeated, or come at another's place changes it. (Bellare and
    Micciancio, "A New Paradigm for Collision-Free Hashing", Eurocrypt 1997; here against mistakes, not against malice.)
    """

    def __init__(self) -> None:
        self._counts = _first_of_its_replica()
        self._sum = 0

    def add(self, samples: Mapping[int, Mapping[str, torch.Tensor]]) -> None:
        """Note that ``samples``, by their place in the data's order, were used; their ``tokens`` are on the CPU."""
        if not self._counts:
            return
        for place, sample in samples.items():
            words = f"{place}:".encode() + sample["tokens"].numpy().tobytes()
            self._sum += int.from_bytes(hashlib.blake2b(words, digest_size=BYTES).digest(), "big")

    def total(self) -> str:
        """Return the hash over all ranks; they call it together."""
        sums: list[int] = [0] * dist.get_world_size()
        dist.all_gather_object(sums, self._sum)
        return f"{sum(sums) % 2 ** (8 * BYTES):0{2 * BYTES}x}"

    def resume(self, total: str) -> None:
        """Go on from the hash ``total``, whatever the layout was that gave it."""
        self._sum = int(total, 16) if dist.get_rank() == 0 else 0


def _first_of_its_replica() -> bool:
    """Return whether this rank speaks for those that see the same samples."""
    sees_the_same = (
        parallel_state.get_tensor_model_parallel_rank(),
        parallel_state.get_pipeline_model_parallel_rank(),
        parallel_state.get_context_parallel_rank(),
    )
    return sees_the_same == (0, 0, 0)
