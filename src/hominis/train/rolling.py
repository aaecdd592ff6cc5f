"""The checkpoints of a run, written while it trains: begun after one step, completed after a later one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch.distributed as dist

from hominis.train import checkpoints
from hominis.train.brief import Brief
from hominis.train.saving import HostMemory, Save
from hominis.train.state import State


class Rolling:
    """The folder of a run's checkpoints, as its ranks write into it. All of them call ``begin`` and ``complete``."""

    def __init__(self, brief: Brief) -> None:
        self._brief, self._folder = brief, brief.checkpoints
        self._memory = HostMemory()
        self._under_way: tuple[int, Save] | None = None
        self._reach = 0

    @property
    def pending(self) -> bool:
        """Whether this rank still writes: to complete would mean to wait."""
        return self._under_way is not None and self._under_way[1].pending

    def begin(self, state: State, metrics: Path, reach: int) -> None:
        """Begin the checkpoint after ``state.step`` steps, with the metrics so far; complete the one before.

        Training may go on when this returns. ``metrics`` must be whole before rank 0 comes here. The newest checkpoint
        at or before the step ``reach`` will be kept, too: a rollback may want it.
        """
        self.complete()
        part = checkpoints.unfinished(self._folder, state.step)
        self._under_way = state.step, state.save(part, self._memory)
        self._reach = reach
        if dist.get_rank() == 0:
            shutil.copyfile(metrics, part / checkpoints.METRICS)
            model = checkpoints.described(self._brief.section, self._brief.vocab_size)
            (part / checkpoints.MODEL).write_text(json.dumps(model, indent=1, sort_keys=True))

    def complete(self) -> None:
        """Wait until all ranks have written what is under way, if anything is, and make it count."""
        if self._under_way is None:
            return
        (step, save), self._under_way = self._under_way, None
        fingerprints, section = save.complete(), self._brief.section
        if dist.get_rank() == 0:
            checkpoints.complete(self._folder, step, fingerprints)
            checkpoints.prune(self._folder, section.keep_checkpoints, section.keep_every, self._reach)
        dist.barrier()
