"""The results table and the held-out text: what was measured, beside what others published."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from hominis.carbon.costs import Account, Record
from hominis.errors import InputError
from hominis.report.model import HeldOut, Measured, Order, Provenance, Published, TableRow
from hominis.report.origin import Origin
from hominis.store.types import Artefact

BITS = "bits per byte"
GRAMS_PER_TONNE = 1e6
NOT_RUN = "no task of this run measures it"


class Reference(Record):
    """A row of the table of published scores."""

    model: str
    category: str
    benchmark: str
    unit: str
    value: str
    source: str
    note: str


Scored = tuple[dict[str, Any], Provenance]
"""A row of a scores.json, and what made it."""


def read_references(path: Path) -> list[Reference]:
    """Return the published scores.

    Raises:
        InputError: the file is absent, or has a row without a model, a category, a benchmark, a number or a source.
    """
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            rows = TypeAdapter(list[Reference]).validate_python(list(csv.DictReader(lines)))
        _ = [float(row.value) for row in rows]
    except FileNotFoundError:
        raise InputError(f"there is no table of published scores {path}", remedy="set report.references") from None
    except (ValidationError, ValueError) as error:
        raise InputError(f"{path} is not a table of published scores: {error}", where=path) from None
    return rows


def scored(origin: Origin) -> list[Scored]:
    """Return every row of every scores.json of the run."""
    return [(row, origin.part(artefact)) for artefact in origin.of("score") for row in _rows(artefact)]


def table(
    scores: Sequence[Scored], references: Sequence[Reference], account: Account, origin: Origin
) -> list[TableRow]:
    """Return the results table: the published benchmarks, then others that were measured, then carbon."""
    measured = {_name(row["benchmark"]): (row, made) for row, made in scores if row.get("metric") != BITS}
    listed = list(dict.fromkeys((r.category, r.benchmark, r.unit) for r in references if r.category != "carbon"))
    rows = [
        _row(category, benchmark, unit, references, measured.pop(_name(benchmark), None))
        for category, benchmark, unit in listed
    ]
    rows += [_row(row["category"], row["benchmark"], "", references, (row, made)) for row, made in measured.values()]
    return [*_by_category(rows), _carbon(references, account, origin)]


def held_out(scores: Sequence[Scored], origin: Origin) -> list[HeldOut]:
    """Return bits per byte by corpus, the model's and the n-grams', and all corpora together last."""
    model = {row["benchmark"]: (row, made) for row, made in scores if row.get("metric") == BITS}
    grams = dict(_ngrams(origin))
    corpora = sorted((grams | model).keys(), key=lambda corpus: (corpus == "all", corpus))
    return [_held_out(corpus, model.get(corpus), grams.get(corpus)) for corpus in corpora]


def _rows(artefact: Artefact) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((artefact.path / "scores.json").read_text(encoding="utf-8"))["rows"]
    return rows


def _row(category: str, benchmark: str, unit: str, references: Iterable[Reference], found: Scored | None) -> TableRow:
    row = found[0] if found else {}
    return TableRow(
        category=category,
        benchmark=benchmark,
        metric=str(row.get("metric", "")),
        unit=unit or str(row.get("unit", "")),
        published=_published(category, benchmark, references),
        measured=_measured(row, found[1]) if found else Measured(status="not run", reason=NOT_RUN),
    )


def _published(category: str, benchmark: str, references: Iterable[Reference]) -> dict[str, Published]:
    return {
        r.model: Published(value=float(r.value), text=r.value, source=r.source, note=r.note)
        for r in references
        if (r.category, r.benchmark) == (category, benchmark)
    }


def _measured(row: Mapping[str, Any], made: Provenance) -> Measured:
    names = ("status", "value", "low", "high", "items", "settings")
    known = {name: row[name] for name in names if row.get(name) is not None}
    return Measured(**known, reason=str(row.get("reason") or ""), provenance=[made])


def _carbon(references: Sequence[Reference], account: Account, origin: Origin) -> TableRow:
    grams = account.total.all.co2e_g
    tonnes = {name: getattr(grams, name) / GRAMS_PER_TONNE for name in ("value", "low", "high")}
    settings = {
        "scope": "dynamic",
        "intensity_kg_per_kwh": account.intensity_kg_per_kwh.value,
        "pue": account.pue.value,
        "attempts": account.total.all.attempts,
    }
    measured = Measured(status="run", **tonnes, settings=settings, provenance=[origin.ledger()])
    return TableRow(
        category="carbon",
        benchmark="tCO2e",
        metric="co2e",
        unit="t",
        published=_published("carbon", "tCO2e", references),
        measured=measured,
    )


def _held_out(corpus: str, scored: Scored | None, grams: tuple[dict[str, Any], Provenance] | None) -> HeldOut:
    row: Mapping[str, Any] = scored[0] if scored else {"reason": NOT_RUN}
    value = row.get("value")
    orders = {n: grams[0][f"order{n}"] for n in (1, 2, 3)} if grams else {}
    return HeldOut(
        corpus=corpus,
        value=value,
        low=row.get("low"),
        high=row.get("high"),
        reason=str(row.get("reason") or ""),
        bytes=(row.get("settings") or {}).get("bytes"),
        ngram_bytes=grams[0]["bytes"] if grams else None,
        orders=[_order(n, bits, row) for n, bits in orders.items()],
        provenance=[made for _, made in filter(None, (scored, grams))],
    )


def _order(order: int, bits: float, row: Mapping[str, Any]) -> Order:
    value, low, high = (row.get(name) for name in ("value", "low", "high"))
    beaten = value is not None and value < bits
    certain = low is not None and high is not None and (high < bits or low > bits)
    return Order(order=order, bits_per_byte=bits, beaten=beaten, certain=certain)


def _ngrams(origin: Origin) -> Iterator[tuple[str, tuple[dict[str, Any], Provenance]]]:
    for artefact in origin.of("ngram"):
        read = json.loads((artefact.path / "ngram.json").read_text(encoding="utf-8"))
        for corpus, figures in {**read["corpora"], "all": read["all"]}.items():
            yield corpus, (figures, origin.part(artefact))


def _by_category(rows: Sequence[TableRow]) -> list[TableRow]:
    order = list(dict.fromkeys(row.category for row in rows))
    return sorted(rows, key=lambda row: order.index(row.category))


def _name(benchmark: str) -> str:
    return re.sub(r"[^a-z0-9]|0.?shot", "", benchmark.lower())
