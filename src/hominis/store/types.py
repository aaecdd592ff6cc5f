"""The nouns of the store: parts, artefacts, receipts, stages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

Json = Any
"""A value that ``json`` can write: the type checker can't say it shortly."""

Summary = dict[str, Json]
"""What a stage function returns: small, deterministic figures (documents, tokens, losses; no times, no paths)."""


@dataclass(frozen=True)
class Part:
    """A piece of a stage that doesn't need the stage's other parts.

    Attributes:
        id: its name within the stage, unique, readable, safe in a file name.
        params: what tells this part from its siblings; goes into its key.
        inputs: upstream stage → ids of the parts that it reads. A stage that isn't named is read whole.
    """

    id: str
    params: Mapping[str, Json] = field(default_factory=dict)
    inputs: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Receipt:
    """What an artefact is and what its bytes must be. Equal work gives an equal receipt, byte for byte.

    Attributes:
        inputs: upstream stage → digests of the part receipts that were read.
        files: relative path → ``{"bytes": int, "sha256": str}``.
    """

    stage: str
    revision: int
    key: str
    part: str
    params: Mapping[str, Json]
    section: Mapping[str, Json]
    inputs: Mapping[str, Sequence[str]]
    files: Mapping[str, Mapping[str, Json]]
    summary: Summary


@dataclass(frozen=True)
class Artefact:
    """A verified directory in the store."""

    path: Path
    receipt: Receipt

    @property
    def part(self) -> str:
        """The id of the part that made it."""
        return self.receipt.part

    @property
    def summary(self) -> Summary:
        """The figures that the stage function returned."""
        return self.receipt.summary


class Settings(Protocol):
    """A stage's section, as far as the store cares."""

    def keyed(self) -> dict[str, Json]:
        """Return the fields that determine a part's bytes, as JSON values."""


Inputs = Mapping[str, Sequence[Artefact]]
"""Upstream stage → the artefacts of its parts, in the order in which that stage lists them."""


class Scratch(Protocol):
    """Where a stage function works, and how it speaks while it works.

    Paths are absolute; a stage function never makes them its current folder (a takeover renames them).
    """

    @property
    def out(self) -> Path:
        """What is written here becomes the artefact."""

    @property
    def checkpoints(self) -> Path:
        """What is written here is found again by the part's next attempt; empty on the first."""

    @property
    def records(self) -> Path:
        """Kept for ever, whatever becomes of the attempt: what depends on the day (times, speed), so no artefact."""

    def reading(self) -> Mapping[str, float | str]:
        """Return what the attempt's meter reads now (``energy_kwh``, …, cumulative); empty if it has none."""

    @property
    def stopping(self) -> bool:
        """True once the attempt was asked to stop: write a checkpoint and raise ``errors.Interrupted``."""

    def progress(self, done: float, total: float, unit: str, *, kept: float | None = None, **figures: float) -> None:
        """Say how far the work is; cheap to call often. ``figures`` are shown and recorded (loss, tokens_per_s).

        Args:
            kept: how much of ``done`` stays done if the attempt is killed now: what the newest whole checkpoint has.
        """

    def warn(self, words: str) -> None:
        """Say what a person should know although the work goes on: in the log, the ledger and `hominis status`."""


@dataclass(frozen=True)
class Stage:
    """All there is to know about a stage.

    Attributes:
        name: its name, its verb on the command line, its section in the config, its folder in the store.
        revision: raised by hand when its output would change.
        inputs: the stages whose receipts it reads.
        parts: ``(section, inputs) -> parts``, run by the driver.
        work: ``(section, inputs, part, scratch) -> summary``, run once per missing part.
        preload: loads what every part needs, so that it is there when a process forks: it must start no threads.
    """

    name: str
    revision: int
    inputs: tuple[str, ...]
    parts: Callable[[Any, Inputs], Sequence[Part]]
    work: Callable[[Any, Inputs, Part, Scratch], Summary]
    preload: Callable[[], None] = lambda: None
