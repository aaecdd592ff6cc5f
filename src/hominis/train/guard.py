"""What is done about bad steps: which are bad, when training goes back, and which steps are left out then. No torch.

A step is bad if its loss or gradient is not finite, or if its loss leaps. It changes no weight and counts as a step.
A few in a row mean that the weights were led astray: training goes back, and the steps that led there are left out
from then on, as "PaLM" did (arXiv:2204.02311, section 5.1). Going back to the weights that the bad steps met would
lead to them again, so some good steps before them are left out as well.

Everything here is a function of the steps' figures: a resumed run decides as one that was not interrupted.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import takewhile
from pathlib import Path
from statistics import median

from hominis.config.schedule import GuardSection
from hominis.errors import StageFailed
from hominis.store import files
from hominis.train import checkpoints

LEFT_OUT = "left out"
FILE = "guard.json"


@dataclass(frozen=True)
class Rollback:
    """The steps ``first`` to ``last`` are left out; ``why`` says what was wrong with the last."""

    first: int
    last: int
    why: str


@dataclass(frozen=True)
class Outcome:
    """What became of a step: its loss (None if it was left out), and why it changed no weight, empty if it did."""

    loss: float | None
    why: str = ""

    @property
    def bad(self) -> bool:
        """Whether it was tried and refused."""
        return bool(self.why) and self.why != LEFT_OUT


class Guard:
    """Judges steps one after the other.

    Args:
        steps: all of the run.
        rollbacks: those that there have been.
        before: the outcomes of the steps already done; the newest ``memory`` of them are enough.
    """

    def __init__(
        self, section: GuardSection, steps: int, rollbacks: Sequence[Rollback] = (), before: Iterable[Outcome] = ()
    ) -> None:
        self._section, self._steps, self._rollbacks = section, steps, tuple(rollbacks)
        self._recent = deque(before, maxlen=memory(section))

    def leaves_out(self, step: int) -> bool:
        """Return whether ``step`` is passed over: nothing is computed, its samples are not used."""
        return any(rollback.first <= step <= rollback.last for rollback in self._rollbacks)

    def objection(self, loss: float, grad_norm: float) -> str:
        """Return why a step with these figures is bad; nothing if it isn't."""
        if not math.isfinite(loss):
            return f"the loss is {loss}"
        if not math.isfinite(grad_norm):
            return f"the gradient's norm is {grad_norm}"
        good = [seen.loss for seen in list(self._recent)[-self._section.window :] if not seen.why and seen.loss]
        if self._section.spike and good and loss > self._section.spike * median(good):
            return f"the loss {loss:.6g} is above {self._section.spike:g} times the recent median {median(good):.6g}"
        return ""

    def note(self, outcome: Outcome) -> None:
        """Take in what became of the next step."""
        self._recent.append(outcome)

    def asks_back(self, step: int) -> bool:
        """Return whether training must go back after ``step``; one bad one is enough if it was the last of the run."""
        return self._streak >= (self._section.patience if step < self._steps else 1)

    def rollback(self, step: int) -> Rollback:
        """Return the steps to leave out, given that training must go back after ``step``.

        Raises:
            StageFailed: training went back too often already, or no step would be left.
        """
        found = Rollback(self._beginning(step), step, self._recent[-1].why)
        if len(self._rollbacks) >= self._section.rollbacks or (found.first, found.last) == (1, self._steps):
            raise self._failure(found)
        return found

    def reach(self, step: int) -> int:
        """Return the newest step at which a checkpoint is of use if the steps after ``step`` are bad."""
        return self._beginning(step) - 1

    @property
    def _streak(self) -> int:
        """The bad steps that came last, one after the other."""
        return sum(1 for _ in takewhile(lambda outcome: outcome.bad, reversed(self._recent)))

    def _beginning(self, step: int) -> int:
        """Return the first step to leave out: ``lead`` trained ones before the bad ones that end with ``step``."""
        first, lead = step - self._streak + 1, self._section.lead
        while first > 1 and lead:
            first -= 1
            lead -= not self.leaves_out(first)
        return first

    def _failure(self, found: Rollback) -> StageFailed:
        before = "".join(f"; steps {past.first} to {past.last} left out: {past.why}" for past in self._rollbacks)
        done = f"{self._streak} bad in a row; rollbacks before: {len(self._rollbacks)}"
        return diverged(f"at step {found.last} {found.why}, {done}{before}")


def diverged(how: str) -> StageFailed:
    """Return the error that ends a run whose weights are of no use."""
    return StageFailed(
        f"training diverged: {how}",
        where="pretrain.schedule",
        remedy="set a smaller learning_rate or more warmup_steps; or a larger guard.lead or guard.rollbacks",
    )


def memory(section: GuardSection) -> int:
    """Return how many of the newest outcomes a guard needs to know."""
    return max(section.window, section.patience)


def read(folder: Path) -> list[Rollback]:
    """Return the rollbacks that the file in ``folder``, which is the checkpoints', knows of."""
    path = folder / FILE
    return [Rollback(**said) for said in json.loads(path.read_text())["rollbacks"]] if path.exists() else []


def order(folder: Path, rollback: Rollback) -> None:
    """Write down a rollback, such that it holds whatever happens next; ``settle`` carries it out."""
    _write(folder, [*read(folder), rollback], settled=False)


def ordered(folder: Path) -> bool:
    """Return whether a rollback waits to be carried out."""
    path = folder / FILE
    return path.exists() and not json.loads(path.read_text())["settled"]


def settle(folder: Path) -> None:
    """Carry out the rollback that waits, if any: remove the checkpoints that know of the steps now left out.

    To be called only while nobody writes into ``folder``.
    """
    if not ordered(folder):
        return
    rollbacks = read(folder)
    checkpoints.remove_since(folder, rollbacks[-1].first)
    _write(folder, rollbacks, settled=True)


def outcomes(metrics: Path, section: GuardSection) -> list[Outcome]:
    """Return the newest outcomes that a guard needs, from a checkpoint's metrics."""
    with metrics.open() as stream:
        lines = [json.loads(line) for line in deque(stream, maxlen=memory(section))]
    return [Outcome(line["loss"], line.get("why", "")) for line in lines]


def _write(folder: Path, rollbacks: Sequence[Rollback], *, settled: bool) -> None:
    said = {"rollbacks": [asdict(rollback) for rollback in rollbacks], "settled": settled}
    files.replace(folder / FILE, json.dumps(said, indent=1) + "\n")
    files.fsync(folder)
