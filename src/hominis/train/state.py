"""What a checkpoint holds, how it is saved by all ranks and loaded again into any layout.

What is drawn by chance is a function of the seed and the step (``chance``), so weights, optimiser and the number of
steps done are the whole state; the hash of the samples used goes with them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch.distributed as dist
from megatron.core import dist_checkpointing
from megatron.core.distributed import DistributedDataParallel
from megatron.core.models.gpt import GPTModel
from megatron.core.optimizer import MegatronOptimizer

from hominis.train.model import unwrap
from hominis.train.saving import HostMemory, Save
from hominis.train.tally import Tally

CONTENT = {
    "distrib_optim_sharding_type": "fully_reshardable",
    "chained_optim_avoid_prefix": True,
    "singleton_local_shards": False,
}
"""How megatron lays tensors out in the file; ``fully_reshardable`` can be loaded into another layout.

megatron writes a process group into what it is given: give it copies.
"""


class State:
    """A rank's training state."""

    def __init__(self, chunks: list[DistributedDataParallel], optimiser: MegatronOptimizer) -> None:
        self.chunks, self.optimiser = chunks, optimiser
        self.step, self.samples = 0, Tally()

    def save(self, folder: Path, memory: HostMemory) -> Save:
        """Begin to write all that is needed to go on; all ranks call it, and change the state when it returns."""
        return Save(self._content(loading=False), folder, memory, CONTENT)

    def save_artefact(self, folder: Path, *, optimiser: bool) -> None:
        """Write the weights alone, or with ``optimiser`` all that is needed to train on, into the new ``folder``."""
        content = self._content(loading=False) if optimiser else {"model": weights(self.chunks)}
        Save(content, folder, HostMemory(), CONTENT).complete()
        dist.barrier()

    def load(self, checkpoint: Path) -> None:
        """Take over what ``save`` wrote."""
        loaded = dist_checkpointing.load(self._content(loading=True), str(checkpoint))
        _set_weights(self.chunks, loaded)
        self.optimiser.load_state_dict(loaded["optimizer"])
        self.step = loaded["step"]
        self.samples.resume(loaded["samples"])

    def _content(self, *, loading: bool) -> dict[str, Any]:
        model = weights(self.chunks)
        optimiser = self.optimiser.sharded_state_dict(model, is_loading=loading, metadata=dict(CONTENT))
        return {
            "model": model,
            "optimizer": _canonical(optimiser),
            "step": self.step,
            "samples": self.samples.total(),
        }


def save_weights(model: GPTModel, folder: Path) -> None:
    """Write the weights of the bare, whole ``model`` into the new ``folder``, as an artefact has them."""
    Save({"model": weights([model])}, folder, HostMemory(), CONTENT).complete()


def load_weights(chunks: Sequence[Any], checkpoint: Path) -> None:
    """Load the weights alone into a rank's pieces of the model, whatever layout they and ``checkpoint`` have."""
    loaded = dist_checkpointing.load({"model": weights(chunks)}, str(checkpoint))
    _set_weights(chunks, loaded)


def weights(chunks: Sequence[Any]) -> dict[str, Any]:
    """Return megatron's sharded state of a rank's pieces of the model."""
    return {str(index): unwrap(chunk).sharded_state_dict(metadata=dict(CONTENT)) for index, chunk in enumerate(chunks)}


def _set_weights(chunks: Sequence[Any], loaded: dict[str, Any]) -> None:
    for index, chunk in enumerate(chunks):
        unwrap(chunk).load_state_dict(loaded["model"][str(index)])


def _canonical(value: Any) -> Any:
    """Return an equal value that pickles to the same bytes whether it was computed or loaded.

    A pickle tells equal strings and tuples that are one object from those that are two.
    """
    if isinstance(value, str):
        return sys.intern(value)
    if type(value) is dict:
        return {_canonical(key): _canonical(item) for key, item in value.items()}
    if type(value) in {list, tuple}:
        return type(value)([_canonical(item) for item in value])
    return value
