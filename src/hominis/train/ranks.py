"""What is started for a training run, and what whoever starts the ranks must be able to do with them."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

FAILURE = "HOMINIS_FAILURE"
"""Environment variable with the file into which a rank writes the error that ended it."""

PYTHON = "HOMINIS_PYTHON"
"""Environment variable with the command that runs Python for a rank, as in a container; default: this Python."""


@dataclass(frozen=True)
class Launch:
    """What to start and where its files go.

    Attributes:
        module: run as ``python -m``.
        world: number of processes.
        threads: threads of each.
        folder: for logs and what the ranks leave behind; must be an absolute path that all of them see.
    """

    module: str
    arguments: Sequence[str]
    world: int
    threads: int
    folder: Path

    def log(self, rank: int | str) -> Path:
        """Return the file that takes the output of ``rank``."""
        return self.folder / "logs" / f"rank-{rank}.log"

    @property
    def failure(self) -> Path:
        """The file with the error that ended a rank: the first one, where others followed from it."""
        return self.folder / "failure.json"

    @property
    def command(self) -> list[str]:
        """What runs a rank."""
        return [*(shlex.split(os.environ.get(PYTHON, "")) or [sys.executable]), "-m", self.module, *self.arguments]

    @property
    def environment(self) -> dict[str, str]:
        """What every rank finds in its environment, beside who it is and where the others are."""
        threads = str(self.threads)
        return {
            FAILURE: str(self.failure),
            "OMP_NUM_THREADS": threads,
            "MKL_NUM_THREADS": threads,
            "PYTHONHASHSEED": "0",
            "TOKENIZERS_PARALLELISM": "false",
        }


class Ranks(Protocol):
    """The ranks of a run, started."""

    def codes(self) -> Mapping[int, int] | None:
        """Return None while they do well, then the exit code of each rank that is known to have ended by itself.

        A rank that a signal killed has the signal's negative number, as ``subprocess`` has it.
        """

    def ask(self) -> None:
        """Ask all of them to stop, their checkpoint written. To ask again does no harm."""

    def words(self) -> str:
        """Return what is known of their end beside codes and logs."""
