"""A rank's steps, one after the other, with what belongs to each: its record, the guard's verdict, checkpoints."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch.distributed as dist

from hominis.train import checkpoints, devices, guard, stop
from hominis.train.brief import Brief
from hominis.train.loop import Tidings, next_step
from hominis.train.record import Record
from hominis.train.rolling import Rolling
from hominis.train.samples import micro_batches
from hominis.train.schedule import span
from hominis.train.state import State


class Steps:
    """The steps after ``state.step``."""

    def __init__(self, brief: Brief, state: State, samples: Any, record: Record) -> None:
        self._brief, self._state, self._record = brief, state, record
        self._rolling, self._guard = Rolling(brief), _guard(brief)
        left = range(state.step + 1, brief.section.steps + 1)
        places = (span(brief.section, step) for step in left if not self._guard.leaves_out(step))
        self._batches = micro_batches(samples, brief, places, state.samples)

    def run(self) -> bool:
        """Train to the last step, a request to stop or a rollback; return whether the last step was done."""
        going = True
        while going and self._state.step < self._brief.section.steps:
            going = self.advance()
        self._rolling.complete()
        return going

    def advance(self) -> bool:
        """Do one step; return whether to go on: no, if asked to stop or to go back.

        Raises:
            StageFailed: training diverged.
        """
        began = time.monotonic()
        step, heard = next_step(self._state, self._brief.section, self._batches, self._guard, self._tidings)
        seconds = time.monotonic() - began
        self._guard.note(guard.Outcome(step.loss, step.why))
        self._record.step(step, seconds, heard.memory_bytes)
        if not heard.writing:
            self._rolling.complete()
        if self._guard.asks_back(step.number):
            self._order_rollback()
            return False
        return not self._keep(stopping=bool(heard.stopping))

    def _tidings(self) -> Tidings:
        return Tidings(stop.asked(), self._rolling.pending, devices.memory_bytes())

    def _keep(self, *, stopping: bool) -> bool:
        """Begin a checkpoint if one is due; return whether training ends with it."""
        section, step = self._brief.section, self._state.step
        ends = stopping and step < section.steps
        if ends or checkpoints.due(step, section.steps, section.checkpoint_every, section.keep_every):
            self._rolling.begin(self._state, self._record.metrics, self._guard.reach(step))
        return ends

    def _order_rollback(self) -> None:
        """Have the launcher start the ranks again, from a checkpoint before the steps then left out."""
        rollback = self._guard.rollback(self._state.step)
        if dist.get_rank() == 0:
            guard.order(self._brief.checkpoints, rollback)


def _guard(brief: Brief) -> guard.Guard:
    settings = brief.section.guard
    before = guard.outcomes(Path(brief.resume) / checkpoints.METRICS, settings) if brief.resume else []
    return guard.Guard(settings, brief.section.steps, guard.read(brief.checkpoints), before)
