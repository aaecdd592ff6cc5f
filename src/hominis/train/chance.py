"""Chance that is a function of seed and step: a resumed run needs no generator's state, whatever its layout now."""

from __future__ import annotations

import hashlib

from megatron.core import parallel_state, tensor_parallel


def draw_anew(seed: int, step: int) -> None:
    """Seed torch's generator and megatron's named ones for ``step``, the same on ranks that hold the same numbers.

    megatron gives tensor-parallel ranks seeds of their own where they hold pieces, and a common one where they hold
    copies. Ranks with other samples or other layers differ here: as shipped they would drop the same elements.
    """
    places = (
        parallel_state.get_data_parallel_rank(),
        parallel_state.get_context_parallel_rank(),
        parallel_state.get_pipeline_model_parallel_rank(),
    )
    digest = hashlib.blake2b(f"{seed}/{step}/{places}".encode(), digest_size=4).digest()
    tensor_parallel.model_parallel_cuda_manual_seed(int.from_bytes(digest, "big"))
