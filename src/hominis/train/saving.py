"""A save that goes on while training does: all ranks plan and copy together, each then writes in a thread of its own.

The thread takes no part in communication: that all have written is found out between two steps, and all complete the
save together. It is ended with its rank, whatever ends that, and what it leaves is not whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Hashable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from megatron.core import dist_checkpointing

from hominis.store import files
from hominis.train import checkpoints
from hominis.train.writer import PlainSaving

Files = dict[str, dict[str, Any]]

_thread = ThreadPoolExecutor(1, "save")


class HostMemory:
    """Copies of a rank's tensors, in the memory of the node; the next copy of the same tensor takes its place."""

    def __init__(self) -> None:
        self._held: dict[Hashable, torch.Tensor] = {}

    def copy(self, buckets: list[Any]) -> list[Any]:
        """Return what megatron's writer is to write, with copies instead of the tensors that training goes on with."""
        copied = [
            (path, key, (objects, [(item, self._copy(item.index, tensor)) for item, tensor in tensors]))
            for path, key, (objects, tensors) in buckets
        ]
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return copied

    def _copy(self, name: Hashable, tensor: torch.Tensor) -> torch.Tensor:
        if torch.cuda.is_available() and tensor.is_cpu:
            return tensor  # training has its tensors on the GPU: this one was gathered for the save alone
        held = self._held.get(name)
        if held is None or held.shape != tensor.shape or held.dtype != tensor.dtype:
            held = torch.empty(tensor.shape, dtype=tensor.dtype, device="cpu", pin_memory=torch.cuda.is_available())
            self._held[name] = held
        return held.copy_(tensor.detach(), non_blocking=True)


class Save:
    """A save into the new ``folder``, begun by all ranks together.

    Args:
        content: megatron's sharded state; may be changed as soon as this returns.
        metadata: megatron's description of how ``content`` is laid out.
    """

    def __init__(self, content: dict[str, Any], folder: Path, memory: HostMemory, metadata: dict[str, Any]) -> None:
        self._folder = folder
        _empty(folder)
        request = dist_checkpointing.save(
            content,
            str(folder),
            sharded_strategy=PlainSaving(),
            async_sharded_save=True,
            content_metadata=metadata,
        )
        self._conclusions = request.finalize_fns
        arguments = list(request.async_fn_args)
        if arguments:  # else this rank has nothing to write
            arguments[1] = memory.copy(arguments[1])
        self._written: Future[Files] = _thread.submit(_write, request.async_fn, arguments)

    @property
    def pending(self) -> bool:
        """Whether this rank still writes."""
        return not self._written.done()

    def complete(self) -> Files:
        """Wait for this rank's bytes, conclude together with the others; return all files' fingerprints (on rank 0)."""
        mine = self._written.result()
        for conclude in self._conclusions:
            conclude()
        shares: list[Files] | None = [{}] * dist.get_world_size() if dist.get_rank() == 0 else None
        dist.gather_object(mine, shares)
        found = {name: fingerprint for share in shares or [] for name, fingerprint in share.items()}
        if shares is not None:
            found |= _durable(path for path in self._folder.iterdir() if path.name not in found)
        return found


def _empty(folder: Path) -> None:
    if dist.get_rank() == 0:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    dist.barrier()


def _write(write: Any, arguments: list[Any]) -> Files:
    """Write and read back what this rank has to write; a failure to write is told when the save is concluded."""
    if not arguments:
        return {}
    write(*arguments)
    return _durable(path for path in (Path(bucket[0]) for bucket in arguments[1]) if path.exists())


def _durable(paths: Iterable[Path]) -> Files:
    """Return the fingerprints of files, with the assurance that they are on the disk."""
    found = {}
    for path in paths:
        files.fsync(path)
        found[path.name] = checkpoints.fingerprint(path)
    return found
