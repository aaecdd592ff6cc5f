"""What the corpora went through: sources, curation funnel, tokens, and what was trained on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hominis.config.policy import CONTAMINATED
from hominis.report.model import Amount, Dataset, Funnel, Removed, Tokens, Training
from hominis.report.origin import Origin

_PAPERS = {CONTAMINATED: "GPT-3 (Brown et al. 2020, arXiv:2005.14165), appendix C"}
"""Of rules that are in no policy."""


def datasets(origin: Origin) -> list[Dataset]:
    """Return the sources as downloaded."""
    fields = ("source", "corpus", "kind", "licence", "revision", "locator", "bytes", "sha256")
    return [
        Dataset(**{name: artefact.summary[name] for name in fields}, provenance=origin.part(artefact))
        for artefact in origin.of("fetch")
    ]


def funnels(origin: Origin, config: Mapping[str, Any]) -> list[Funnel]:
    """Return, for every source, what curation read, removed by rule (whose paper the config names) and kept."""
    policies = config.get("select", {}).get("policies", {})
    return [_funnel(artefact.summary, origin, artefact, policies) for artefact in origin.of("select")]


def by_corpus(parts: Sequence[Funnel], origin: Origin) -> list[Funnel]:
    """Return the sum over the sources of each corpus."""
    corpora = sorted({part.corpus for part in parts})
    sums = [funnel([part for part in parts if part.corpus == corpus], origin, corpus) for corpus in corpora]
    return [one for one in sums if one]


def funnel(parts: Sequence[Funnel], origin: Origin, corpus: str = "") -> Funnel | None:
    """Return the sum over sources; None without any. Rules keep the order in which sources name them."""
    if not parts:
        return None
    rules = list(dict.fromkeys(removed.rule for part in parts for removed in part.removed))
    alike = {rule: [r for part in parts for r in part.removed if r.rule == rule] for rule in rules}
    papers = {rule: dict.fromkeys(r.paper for r in removed if r.paper) for rule, removed in alike.items()}
    return Funnel(
        source="",
        corpus=corpus,
        read=_sum(part.read for part in parts),
        removed=[
            Removed(rule=rule, paper="; ".join(papers[rule]), **_sum(removed).model_dump())
            for rule, removed in alike.items()
        ],
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
            bytes_per_token=_per(artefact.summary["train"]),
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


def _per(train: Mapping[str, int]) -> float | None:
    return train["bytes"] / train["tokens"] if train["tokens"] else None


def _funnel(summary: dict[str, Any], origin: Origin, artefact: Any, policies: Mapping[str, Any]) -> Funnel:
    kept = summary["kept"]
    policy = policies.get(summary["source"], policies.get(summary["corpus"], {}))
    papers = _PAPERS | {rule["name"]: rule.get("source", "") for rule in policy.get("rules", ())}
    return Funnel(
        source=summary["source"],
        corpus=summary["corpus"],
        read=Amount(**summary["read"]),
        removed=[Removed(**row, paper=papers.get(row["rule"], "")) for row in summary["funnel"]],
        kept=Amount(documents=kept["documents"], bytes=kept["bytes"]),
        heldout=Amount(documents=kept["heldout_documents"], bytes=kept["heldout_bytes"]),
        provenance=[origin.part(artefact)],
    )


def _sum(amounts: Iterable[Amount]) -> Amount:
    listed = list(amounts)
    return Amount(documents=sum(a.documents for a in listed), bytes=sum(a.bytes for a in listed))
