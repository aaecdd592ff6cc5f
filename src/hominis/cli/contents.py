"""What a run consists of in the store, as the verbs that look at it need it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hominis.cli.common import site_of
from hominis.errors import CorruptArtefact, InputError
from hominis.jobs.witness import Witness
from hominis.stages.standing import StageStanding, standing
from hominis.store import artefacts, ledger, whole

if TYPE_CHECKING:
    from hominis.config.run import RunConfig
    from hominis.store.site import Site


@dataclass(frozen=True)
class Damage:
    """Bytes that are not what a receipt says.

    Attributes:
        part: empty for a stage's own artefact, the list of its parts.
        key: empty if it is the run's copy of the stage's receipt that is damaged.
    """

    stage: str
    part: str
    key: str
    problem: str


def stages_of(run: RunConfig) -> list[StageStanding]:
    """Return the stages that a run has receipts of.

    Raises:
        InputError: it has none.
    """
    found = list(standing(run, site_of(run)))
    if not found:
        remedy = "start the run, or stand in the project's folder: paths are relative to it"
        raise InputError(f"the run {run.run} has no receipts yet", where=run.receipts.absolute(), remedy=remedy)
    return found


def damage(run: RunConfig, site: Site, stage: StageStanding, deep: bool) -> list[Damage]:
    """Return what of a stage is damaged: the stage's own artefact, or some of its parts."""
    try:
        receipt = whole.load(run.receipts / f"{stage.stage}.json")
        refs = whole.refs(site, receipt)
    except InputError as error:
        return [Damage(stage.stage, "", "", error.problem)]
    except CorruptArtefact as error:
        return [Damage(stage.stage, "", receipt.key, error.problem)]
    found = []
    for ref in refs:
        try:
            artefacts.open_artefact(site, stage.stage, ref.key, ref.digest, deep=deep)
        except CorruptArtefact as error:
            found.append(Damage(stage.stage, ref.part, ref.key, error.problem))
    return found


def attempts_of(run: RunConfig) -> list[ledger.Attempt]:
    """Return what a run is charged with: the attempts that it asked for, and those that made what it uses."""
    used = {ref.key for stage in stages_of(run) for ref in stage.refs}
    site = site_of(run)
    return [a for a in ledger.read(site.root, proof=Witness(site).proof) if a.run == run.run or a.key in used]
