"""Where numbers come from: the receipts, attempts, commit and configuration behind a stage or a part."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from hominis.report.model import Provenance
from hominis.store import files, receipts
from hominis.store.ledger import Attempt
from hominis.store.types import Artefact


@dataclass
class Origin:
    """Everything that provenance is made from.

    Attributes:
        receipts: stage → ``{"key", "digest", "path"}`` of the stage's receipt.
        attempts: all attempts at the parts of this run.
    """

    artefacts: Mapping[str, Sequence[Artefact]]
    receipts: Mapping[str, Mapping[str, Any]]
    attempts: Sequence[Attempt]
    commit: str
    config: str
    _by_key: dict[str, list[str]] = field(init=False)
    _commits: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._by_key = defaultdict(list)
        self._commits = {f"{a.key}/{a.n}": _commit(a) for a in self.attempts}
        for attempt in self.attempts:
            self._by_key[attempt.key].append(f"{attempt.key}/{attempt.n}")

    def of(self, stage: str) -> Sequence[Artefact]:
        """Return a stage's artefacts; none if the run has no such stage."""
        return self.artefacts.get(stage, ())

    def trained(self) -> Sequence[Artefact]:
        """Return what training made: of a run with a decay, that, for it is what is exported."""
        return self.of("decay") or self.of("pretrain")

    def part(self, artefact: Artefact) -> Provenance:
        """Return the provenance of a part's numbers."""
        receipt = artefact.receipt
        digest = receipts.digest(receipt)
        return self._made(receipt.stage, receipt.part, receipt.key, digest, self._by_key[receipt.key])

    def stage(self, stage: str) -> Provenance:
        """Return the provenance of numbers that are of all parts of a stage."""
        receipt = self.receipts.get(stage, {})
        attempts = [name for artefact in self.of(stage) for name in self._by_key[artefact.receipt.key]]
        return self._made(stage, "", str(receipt.get("key", "")), str(receipt.get("digest", "")), attempts)

    def ledger(self) -> Provenance:
        """Return the provenance of numbers that are of the whole ledger of this run."""
        names = [f"{attempt.key}/{attempt.n}" for attempt in self.attempts]
        digest = files.digest([asdict(attempt) for attempt in self.attempts])
        return self._made("account", "", "", digest, names)

    def _made(self, stage: str, part: str, key: str, digest: str, attempts: list[str]) -> Provenance:
        commits = sorted({self._commits[name] for name in attempts if self._commits.get(name)})
        return Provenance(
            stage=stage,
            part=part,
            key=key,
            digest=digest,
            attempts=attempts,
            commit=" ".join(commits),
            config=self.config,
        )


def _commit(attempt: Attempt) -> str:
    commit = str(attempt.source.get("commit", ""))
    return f"{commit}+changes" if commit and attempt.source.get("dirty") else commit
