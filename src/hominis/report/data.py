"""What the corpora went through: sources, curation funnel, tokens, and what was trained on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from hominis.report.model import (
    Amount,
    Dataset,
    Funnel,
    Removed,
    Tokens,
    Training,
)
from hominis.report.origin import Origin


def datasets(origin: Origin) -> list[Dataset]:
    """Return the sources as downloaded."""
    fields = ("source", "corpus", "kind", "licence", "revision", "locator", "bytes", "sha256")
    return [
        Dataset(**{name: artefact.summary[name] for name in fields}, provenance=origin.part(artefact))
        for artefact in origin.of("fetch")
    ]


def funnels(origin: Origin) -> list[Funnel]:
    """Return, for every source, what curation read, removed by rule and kept."""
    return [_funnel(artefact.summary, origin, artefact) for artefact in origin.of("select")]


def funnel(parts: Sequence[Funnel], origin: Origin) -> Funnel | None:
    """Return the sum over sources; None without any. Rules keep the order in which sources name them."""
    if not parts:
        return None
    rules = list(dict.fromkeys(removed.rule for part in parts for removed in part.removed))
    by_rule = {rule: _sum(r for part in parts for r in part.removed if r.rule == rule) for rule in rules}
    return Funnel(
        source="",
        corpus="",
        read=_sum(part.read for part in parts),
        removed=[Removed(rule=rule, **amount.model_dump()) for rule, amount in by_rule.items()],
        kept=_sum(part.kept for part in parts),
        heldout=_sum(part.heldout for part in parts),
        provenance=[origin.stage("select")],
    )


def tokens(origin: Origin) -> list[Tokens]:
    """Return the tokenised corpora."""
    names = [(split, what) for split in ("train", "heldout") for what in ("documents", "tokens", "bytes")]
    return [
        Tokens(
            corpus=artefact.summary["corpus"],
            **{f"{split}_{what}": artefact.summary[split][what] for split, what in names},
            provenance=origin.part(artefact),
        )
        for artefact in origin.of("tokenise")
    ]


def training(origin: Origin) -> Training | None:
    """Return what was pretrained; None if nothing was."""
    fields = ("parameters", "steps", "tokens", "loss_first", "loss_last", "precision", "kernels")
    for artefact in origin.trained():
        known = {name: artefact.summary.get(name) for name in fields}
        layout = artefact.summary.get("layout", {})
        return Training(**known, layout=layout, provenance=origin.part(artefact))
    return None


def _funnel(summary: dict[str, Any], origin: Origin, artefact: Any) -> Funnel:
    kept = summary["kept"]
    return Funnel(
        source=summary["source"],
        corpus=summary["corpus"],
        read=Amount(**summary["read"]),
        removed=[Removed(**row) for row in summary["funnel"]],
        kept=Amount(documents=kept["documents"], bytes=kept["bytes"]),
        heldout=Amount(documents=kept["heldout_documents"], bytes=kept["heldout_bytes"]),
        provenance=[origin.part(artefact)],
    )


def _sum(amounts: Iterable[Amount]) -> Amount:
    listed = list(amounts)
    return Amount(documents=sum(a.documents for a in listed), bytes=sum(a.bytes for a in listed))
