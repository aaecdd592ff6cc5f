"""Receipts, attempts, account and configuration → results: the last place where anything is reckoned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hominis.carbon.costs import Account, Spread, StageCost
from hominis.config.carbon import ReportSection
from hominis.report import cards, data, scores
from hominis.report.curves import Records, curves
from hominis.report.model import Results, Run, StageRow
from hominis.report.origin import Origin
from hominis.store import files
from hominis.store.ledger import Attempt
from hominis.store.types import Artefact


@dataclass(frozen=True)
class Evidence:
    """What a report is made from.

    Attributes:
        artefacts: stage → the artefacts of its parts; a stage that the run hasn't is left out.
        stage_receipts: stage → ``key``, ``digest`` and ``path`` of its receipt.
        attempts: all attempts at the keys of those artefacts, lost ones included.
        config: the whole configuration as JSON values. Its section ``site`` (paths) is left out of the results.
        source: ``commit`` and ``dirty`` of the checkout; empty outside one.
        records: gives the folder of what an attempt recorded; it need not exist.
    """

    artefacts: Mapping[str, Sequence[Artefact]]
    stage_receipts: Mapping[str, Mapping[str, Any]]
    attempts: Sequence[Attempt]
    account: Account
    config: Mapping[str, Any]
    source: Mapping[str, Any]
    records: Records


def collect(run: str, evidence: Evidence) -> Results:
    """Return everything that the report of ``run`` shows.

    Raises:
        InputError: the table of published scores can't be read.
    """
    account = evidence.account
    settings = ReportSection.model_validate(evidence.config.get("report", {}))
    shown = {name: value for name, value in evidence.config.items() if name != "site"}
    commit = str(evidence.source.get("commit") or "")
    origin = Origin(evidence.artefacts, evidence.stage_receipts, evidence.attempts, commit, files.digest(shown))
    references = scores.read_references(settings.references)
    rows, parts = scores.scored(origin), data.funnels(origin, evidence.config)
    sources = cards.cards(origin)
    return Results(
        run=_run(run, settings, origin, bool(evidence.source.get("dirty"))),
        models=list(dict.fromkeys(reference.model for reference in references)),
        table=scores.table(rows, references, account, origin),
        held_out=scores.held_out(rows, origin),
        training=data.training(origin),
        curves=curves(origin, evidence.records),
        funnel=data.funnel(parts, origin),
        funnels=parts,
        corpus_funnels=data.by_corpus(parts, origin),
        datasets=data.datasets(origin),
        cards=sources,
        corpus_cards=cards.by_corpus(sources, origin),
        tokens=data.tokens(origin),
        mix=cards.mix(origin),
        stages=_stages(origin, account),
        account=account,
        config=shown,
    )


def _run(name: str, settings: ReportSection, origin: Origin, dirty: bool) -> Run:
    end = max((attempt.last for attempt in origin.attempts), default=None)
    return Run(
        name=name,
        title=settings.title or name,
        abstract=settings.abstract,
        model=settings.model,
        finished="" if end is None else datetime.fromtimestamp(end, UTC).isoformat(timespec="seconds"),
        commit=origin.commit,
        dirty=dirty,
        config_digest=origin.config,
    )


def _stages(origin: Origin, account: Account) -> list[StageRow]:
    costs = {cost.stage: cost for cost in account.stages}
    return [_stage(stage, costs.get(stage), origin) for stage in origin.artefacts if origin.of(stage)]


def _stage(stage: str, cost: StageCost | None, origin: Origin) -> StageRow:
    everything, lost = (cost.all, cost.lost) if cost else (None, None)
    return StageRow(
        stage=stage,
        revision=origin.of(stage)[0].receipt.revision,
        parts=len(origin.of(stage)),
        attempts=everything.attempts if everything else 0,
        attempts_lost=lost.attempts if lost else 0,
        seconds=everything.seconds if everything else 0.0,
        energy_kwh=everything.energy_kwh if everything else 0.0,
        co2e_g=everything.co2e_g if everything else Spread(value=0, low=0, high=0),
        provenance=origin.stage(stage),
    )
