"""megatron's checkpoint writer without its processes and without what makes two equal saves differ.

``torch_dist`` as shipped forks a writer for each file and spawns a queue server for each rank: both outlive a rank
that is killed, the forked ones while they write. And ``.metadata`` holds a random identifier and the folder's absolute
path. Here a rank writes one file itself, and two equal states give equal bytes.
"""

from __future__ import annotations

import queue
from pathlib import Path
from typing import Any

from megatron.core.dist_checkpointing.strategies import filesystem_async
from megatron.core.dist_checkpointing.strategies import torch as strategies
from megatron.core.dist_checkpointing.strategies.filesystem_async import FileSystemWriterAsync
from megatron.core.dist_checkpointing.strategies.torch import TorchDistSaveShardedStrategy
from torch.distributed.checkpoint.metadata import StorageMeta


class PlainWriter(FileSystemWriterAsync):  # type: ignore[misc]
    """Writes in the calling process; says nothing of time and place."""

    def storage_meta(self) -> StorageMeta | None:
        """Return nothing: readers do without the identifier and the path."""
        return None

    def prepare_write_data(self, plan: Any, planner: Any) -> None:
        """Plan the rank's file; results come back through a queue within the process."""
        filesystem_async._results_queue = queue.SimpleQueue()  # else megatron starts a process that serves one
        super().prepare_write_data(plan, planner)

    @staticmethod
    def write_preloaded_data_multiproc(
        transform_list: list[Any], use_msc: bool, rank: int, write_buckets: list[Any], results: Any
    ) -> None:
        """Write the rank's files one after the other."""
        written: dict[int, Any] = {}
        for index, bucket in enumerate(write_buckets):
            written[index] = _write(transform_list, index, bucket, use_msc)
            if isinstance(written[index], Exception):
                results.put(written[index])
                return
        results.put(written)


def _write(transforms: list[Any], index: int, bucket: Any, use_msc: bool) -> Any:
    """Return what was written into one file, or the exception that prevented it."""
    outcome: queue.SimpleQueue[Any] = queue.SimpleQueue()
    pending: queue.Queue[int] = queue.Queue()
    pending.put(index)
    FileSystemWriterAsync.write_preloaded_data(
        transforms, index, bucket, outcome, pending, use_fsync=True, use_msc=use_msc
    )
    return outcome.get()[1]


class PlainSaving(TorchDistSaveShardedStrategy):  # type: ignore[misc]
    """The ``torch_dist`` format, one file a rank, through ``PlainWriter``."""

    def __init__(self) -> None:
        super().__init__("torch_dist", 1, thread_count=1)

    def async_save(self, sharded_state_dict: Any, checkpoint_dir: Path) -> Any:
        """Return the save request; ``save`` carries it out at once."""
        shipped = strategies.FileSystemWriterAsync
        strategies.FileSystemWriterAsync = PlainWriter
        try:
            return super().async_save(sharded_state_dict, checkpoint_dir)
        finally:
            strategies.FileSystemWriterAsync = shipped
