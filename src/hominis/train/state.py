"""What a checkpoint holds, how it is saved by all ranks and loaded again into any layout.

There is no randomness after the first weights (no dropout, samples drawn from the seed), so weights, optimiser,
and the number of steps done are the whole state.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import torch.distributed as dist
from megatron.core import dist_checkpointing
from megatron.core.distributed import DistributedDataParallel
from megatron.core.models.gpt import GPTModel
from megatron.core.optimizer import MegatronOptimizer

from hominis.train import checkpoints
from hominis.train.model import unwrap
from hominis.train.writer import PlainSaving

CONTENT = {
    "distrib_optim_sharding_type": "fully_reshardable",
    "chained_optim_avoid_prefix": True,
    "singleton_local_shards": False,
}
"""How megatron lays tensors out in the file; ``fully_reshardable`` can be loaded into another layout."""


class State:
    """A rank's training state."""

    def __init__(self, chunks: list[DistributedDataParallel], optimiser: MegatronOptimizer) -> None:
        self.chunks, self.optimiser = chunks, optimiser
        self.step = 0

    def save(self, folder: Path, metrics: Path, keep: int) -> None:
        """Write the checkpoint after ``step`` steps into ``folder``, with the metrics so far; all ranks call it.

        ``metrics`` must be whole before rank 0 comes here. Older checkpoints than the newest ``keep`` are removed.
        """
        part = checkpoints.unfinished(folder, self.step)
        _emptied(part)
        _save(self._content(loading=False), part)
        files = _fingerprints(part)
        if dist.get_rank() == 0:
            shutil.copyfile(metrics, part / checkpoints.METRICS)
            files[checkpoints.METRICS] = checkpoints.fingerprint(part / checkpoints.METRICS)
            checkpoints.complete(folder, self.step, files)
            checkpoints.prune(folder, keep)
        dist.barrier()

    def save_artefact(self, folder: Path, *, optimiser: bool) -> None:
        """Write the weights alone, or with ``optimiser`` all that is needed to train on, into the new ``folder``."""
        _emptied(folder)
        _save(self._content(loading=False) if optimiser else {"model": self._weights()}, folder)

    def load(self, checkpoint: Path) -> None:
        """Take over what ``save`` wrote."""
        loaded = dist_checkpointing.load(self._content(loading=True), str(checkpoint))
        for index, chunk in enumerate(self.chunks):
            unwrap(chunk).load_state_dict(loaded["model"][str(index)])
        self.optimiser.load_state_dict(loaded["optimizer"])
        self.step = loaded["step"]

    def _weights(self) -> Any:
        return {
            str(index): unwrap(chunk).sharded_state_dict(metadata=CONTENT) for index, chunk in enumerate(self.chunks)
        }

    def _content(self, *, loading: bool) -> dict[str, Any]:
        weights = self._weights()
        optimiser = self.optimiser.sharded_state_dict(weights, is_loading=loading, metadata=CONTENT)
        return {
            "model": weights,
            "optimizer": _canonical(optimiser),
            "step": self.step,
        }


def load_weights(model: GPTModel, checkpoint: Path) -> None:
    """Load the weights alone into the bare ``model``, whatever layout it and ``checkpoint`` have."""
    wanted = {"model": {"0": model.sharded_state_dict(metadata=CONTENT)}}
    model.load_state_dict(dist_checkpointing.load(wanted, str(checkpoint))["model"]["0"])


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


def _emptied(folder: Path) -> None:
    if dist.get_rank() == 0:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    dist.barrier()


def _save(content: dict[str, Any], folder: Path) -> None:
    dist_checkpointing.save(content, str(folder), sharded_strategy=PlainSaving(), content_metadata=CONTENT)
    dist.barrier()


def _fingerprints(folder: Path) -> dict[str, Any]:
    """Return the fingerprints of all files; each rank reads its share of them."""
    files = sorted(path.name for path in folder.iterdir())
    mine = files[dist.get_rank() :: dist.get_world_size()]
    shares: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(shares, {file: checkpoints.fingerprint(folder / file) for file in mine})
    return {file: fingerprint for share in shares for file, fingerprint in share.items()}
