"""What a driver asks of the place where jobs run: Slurm, or this machine."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hominis.jobs.states import Decision, Rule
from hominis.store.owner import Owner


class Unclear(Exception):
    """There was no answer that one may act on: wait, never submit. ``words``: what was said, if anything."""

    def __init__(self, problem: str, words: str = "") -> None:
        super().__init__(problem)
        self.words = words


@dataclass(frozen=True)
class Job:
    """How a part's newest job stands.

    Attributes:
        state: such as RUNNING, in the backend's words.
        rule: what follows from it.
        where: the nodes it is or was on.
        reason: why it waits, in the backend's words.
        since: unix time before which it was not submitted.
    """

    state: str
    rule: Rule
    where: tuple[str, ...] = ()
    reason: str = ""
    since: float = 0.0

    @property
    def alive(self) -> bool:
        """Whether it is under way."""
        return self.rule.decision is Decision.ATTACH


class Backend(Protocol):
    """Runs parts as jobs that don't end with their driver."""

    def look(self, missing: Sequence[str]) -> Mapping[str, Job]:
        """Return the newest job of each missing part that has one.

        Raises:
            Unclear: it can't be known now.
        """

    def submit(self, parts: Sequence[str], avoid: Collection[str], busy: int) -> Sequence[str]:
        """Start as many of ``parts`` as there is room for beside ``busy`` others; returns those.

        Raises:
            Unclear: nobody knows whether they were started; ``look`` will find out.
        """

    def proof(self, owner: Owner) -> str | None:
        """Return the proof that the owner of an attempt is dead, or None."""

    def log(self, part: str) -> Path:
        """Return the file with the output of a part's newest job."""

    def taken_over(self, owner: Owner) -> None:
        """End what a dead owner may have left running."""

    def settle(self) -> None:
        """See the last jobs end, all parts being there."""
