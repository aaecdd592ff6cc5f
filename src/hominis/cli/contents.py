"""What a run consists of in the store, as the verbs that look at it need it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hominis.cli.common import site_of
from hominis.errors import CorruptArtefact
from hominis.stages import STAGES
from hominis.store import artefacts, ledger, whole
from hominis.store.site import Site

if TYPE_CHECKING:
    from hominis.config.run import RunConfig


@dataclass(frozen=True)
class Damage:
    """An artefact whose bytes are not what its receipt says."""

    stage: str
    part: str
    key: str
    problem: str


def standing_stages(run: RunConfig, site: Site) -> Iterator[tuple[str, list[whole.Ref]]]:
    """Yield each stage that the run has a receipt of, with its parts; a damaged list of parts is reported as damage."""
    for name in STAGES:
        path = run.receipts / f"{name}.json"
        if path.exists():
            receipt = whole.load(path)
            try:
                yield name, whole.refs(site, receipt)
            except CorruptArtefact:
                yield name, [whole.Ref("", receipt.key, "")]


def damaged(site: Site, stage: str, refs: Sequence[whole.Ref], deep: bool) -> list[Damage]:
    """Return those of a stage's parts that are damaged."""
    found = []
    for ref in refs:
        try:
            artefacts.open_artefact(site, stage, ref.key, ref.digest or None, deep=deep)
        except CorruptArtefact as error:
            found.append(Damage(stage, ref.part, ref.key, error.problem))
    return found


def attempts_of(run: RunConfig) -> list[ledger.Attempt]:
    """Return what a run is charged with: the attempts that it asked for, and those that made what it uses."""
    site = site_of(run)
    used = {ref.key for _, refs in standing_stages(run, site) for ref in refs}
    return [a for a in ledger.read(site.root) if a.run == run.run or a.key in used]
