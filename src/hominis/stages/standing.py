"""How the stages of a run stand: which receipts may be used, which say something else than the run asks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hominis import stages
from hominis.errors import CorruptArtefact, InputError
from hominis.store import whole
from hominis.store.site import Site
from hominis.store.types import Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hominis.config.run import RunConfig


@dataclass(frozen=True)
class StageStanding:
    """A stage of which the run has a receipt.

    Attributes:
        refs: its parts; empty if the stage's own artefact is damaged.
        present: how many of them are in the store.
        problem: why the receipt may not be used: it is damaged, or of other settings, or parts are gone. Else empty.
    """

    stage: str
    refs: tuple[whole.Ref, ...]
    present: int
    problem: str


def standing(run: RunConfig, site: Site) -> Iterator[StageStanding]:
    """Yield each stage that the run has a receipt of. Looks at names and lists, not at the bytes of the parts."""
    for name, stage in stages.of(run).items():
        if (run.receipts / f"{name}.json").exists():
            yield _standing(run, site, stage)


def _standing(run: RunConfig, site: Site, stage: Stage) -> StageStanding:
    name = stage.name
    try:
        receipt = whole.load(run.receipts / f"{name}.json")
        refs = tuple(whole.refs(site, receipt))
    except (CorruptArtefact, InputError) as error:
        return StageStanding(name, (), 0, error.problem)
    present = len({ref.key for ref in refs} & site.present(name))
    problem = ""
    if dict(receipt.section) != getattr(run, name).keyed():
        problem = "made with other settings"
    elif set(receipt.inputs) != set(stage.inputs):
        problem = f"made from {_listed(receipt.inputs)}, to be made from {_listed(stage.inputs)}"
    elif present < len(refs):
        problem = f"{len(refs) - present} of {len(refs)} parts are gone"
    return StageStanding(name, refs, present, problem)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def withdraw_stale(run: RunConfig) -> list[str]:
    """Remove from the run's folder the receipts that may not be used, what follows from them, and the report.

    Snakemake then asks for them again; it doesn't make what is missing in the middle of a graph whose end is there.
    Receipts are copies: what they name stays in the store, and what is still right is found there. Without this, a part
    that was lost, or a setting that changed while Snakemake's own records were lost, would go unnoticed.

    Returns:
        Which stages, and why.
    """
    stale = {stage.stage: stage.problem for stage in standing(run, Site.at(run.site.root)) if stage.problem}
    below = set(stale)
    for stage in stages.of(run).values():
        if below & set(stage.inputs):
            below.add(stage.name)
    if stale:
        run.page.unlink(missing_ok=True)
    for name in below:
        (run.receipts / f"{name}.json").unlink(missing_ok=True)
    return [f"{name}: {problem}" for name, problem in stale.items()]
