"""The data card: what is in the text of each source and corpus, and how much of each corpus training saw.

After the datasheets of Gebru et al. 2021 (arXiv:1803.09010) and the data cards of Pushkarna et al. 2022
(arXiv:2204.01075), as far as receipts can answer their questions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hominis.report.model import Asked, Blended, Card, Mix, Name, Names, Others, Sample
from hominis.report.origin import Origin
from hominis.store.types import Artefact
from hominis.train.blend import WORN

LARGEST = {"languages": 200, "licences": 200, "domains": 20}
"""So many names are kept of a corpus, the largest."""
SAMPLES = 5


def cards(origin: Origin) -> list[Card]:
    """Return a card per source."""
    measured = {artefact.part: artefact for artefact in origin.of("annotate")}
    return [_card(artefact, measured.get(artefact.part), origin) for artefact in origin.of("select")]


def by_corpus(parts: Sequence[Card], origin: Origin) -> list[Card]:
    """Return a card per corpus: its sources together."""
    return [
        Card(
            source="",
            corpus=corpus,
            **{field: _sum(getattr(card, field) for card in alike) for field in ("skipped", "noted", "pii")},
            contamination=_asked([card.contamination for card in alike]),
            **{kind: _together([getattr(card, kind) for card in alike], most) for kind, most in LARGEST.items()},
            samples=sorted((one for card in alike for one in card.samples), key=lambda one: one.hash)[:SAMPLES],
            provenance=[origin.stage(stage) for stage in ("annotate", "select") if origin.of(stage)],
        )
        for corpus, alike in _grouped(parts).items()
    ]


def mix(origin: Origin) -> Mix | None:
    """Return how training mixed the corpora; None if nothing was trained."""
    for artefact in origin.trained():
        blend = artefact.summary["blend"]
        rows = [
            Blended(corpus=corpus, share=share, epochs=blend["epochs"][corpus], worn=blend["epochs"][corpus] > WORN)
            for corpus, share in sorted(blend["shares"].items())
        ]
        return Mix(corpora=rows, dropped=blend["dropped"], enough=WORN, provenance=origin.part(artefact))
    return None


def _card(selected: Artefact, measured: Artefact | None, origin: Origin) -> Card:
    summary, read = selected.summary, measured.summary if measured else {}
    return Card(
        source=summary["source"],
        corpus=summary["corpus"],
        skipped=read.get("skipped", {}),
        noted=read.get("noted", {}),
        pii=summary["pii"],
        contamination={task: Asked(**told) for task, told in summary["contamination"].items()},
        **{kind: _names(summary[kind]) for kind in LARGEST},
        samples=[Sample(**sample) for sample in summary["samples"]],
        provenance=[origin.part(artefact) for artefact in (measured, selected) if artefact],
    )


def _names(told: Mapping[str, Any]) -> Names:
    largest = _ordered(Name(name=name, **amount) for name, amount in told["largest"].items())
    return Names(largest=largest, others=Others(**told["others"]), exact=told["exact"])


def _together(parts: Sequence[Names], most: int) -> Names:
    """Return the names of several sources. What is among the others of one may be among the largest of another."""
    if len(parts) == 1:
        return parts[0]
    number: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for name in (name for part in parts for name in part.largest):
        number[name.name] += name.documents
        size[name.name] += name.bytes
    ordered = _ordered(Name(name=name, documents=number[name], bytes=size[name]) for name in number)
    rest = [*ordered[most:], *(part.others for part in parts)]
    exact = not any(part.others.documents for part in parts)
    others = {"documents": sum(one.documents for one in rest), "bytes": sum(one.bytes for one in rest)}
    return Names(
        largest=ordered[:most], others=Others(names=len(ordered[most:]) if exact else None, **others), exact=exact
    )


def _ordered(names: Iterable[Name]) -> list[Name]:
    return sorted(names, key=lambda name: (-name.bytes, -name.documents, name.name))


def _asked(parts: Sequence[Mapping[str, Asked]]) -> dict[str, Asked]:
    """Return the tasks, which are the same for all parts, with the documents of all."""
    found = _sum({task: told.documents for task, told in part.items()} for part in parts)
    return {task: parts[0][task].model_copy(update={"documents": number}) for task, number in found.items()}


def _grouped(parts: Sequence[Card]) -> dict[str, list[Card]]:
    return {corpus: [card for card in parts if card.corpus == corpus] for corpus in sorted({c.corpus for c in parts})}


def _sum(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(sorted(total.items()))
