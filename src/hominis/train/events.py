"""TensorBoard event files: what was watched, for those who look at runs with TensorBoard."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

UNSHOWN = ("step", "time", "seconds")


class Events:
    """An event file in ``folder``, made with the first step; ``tensorboard --logdir`` shows each folder as a run."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._writer = folder, None

    def write(self, lines: list[dict[str, Any]]) -> None:
        """Add a scalar for every number of every step, and write them to disk."""
        for line in lines:
            self._open().add_event(_event(line))
        if self._writer:
            self._writer.flush()

    def close(self) -> None:
        """Write what is left and close the file."""
        if self._writer:
            self._writer.close()

    def _open(self) -> Any:
        from tensorboard.summary.writer.event_file_writer import EventFileWriter

        self._writer = self._writer or EventFileWriter(str(self._folder))
        return self._writer


def _event(line: Mapping[str, Any]) -> Any:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    shown = {name: value for name, value in line.items() if name not in UNSHOWN and isinstance(value, int | float)}
    scalars = [Summary.Value(tag=name, simple_value=value) for name, value in shown.items()]
    return Event(wall_time=line["time"], step=line["step"], summary=Summary(value=scalars))
