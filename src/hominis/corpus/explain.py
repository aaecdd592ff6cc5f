"""What each rule of a policy says of one document, and by how much."""

from __future__ import annotations

import bisect
import difflib
import gzip
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from hominis.config.corpus import AnnotateSection
from hominis.config.policy import Policy, Rule
from hominis.config.signals import NUMBERS
from hominis.corpus.policy import passes, removed_by
from hominis.errors import InputError

_COMPARED = 2000
"""Ids around an unknown one, in their order, among which the nearest are sought."""


@dataclass(frozen=True)
class Answer:
    """What a rule says of a document.

    Attributes:
        value: of the rule's signal; None if the document has none.
        margin: how far inside its bounds the value lies, in the signal's unit; below 0: outside; None: no bounds.
    """

    rule: Rule
    value: Any
    passes: bool
    margin: float | None


@dataclass(frozen=True)
class Copies:
    """What a document is a copy of: ``kind`` (exact or near), the copy that stays, and the others that go."""

    kind: str
    kept: str
    others: list[str]


@dataclass(frozen=True)
class Held:
    """The evaluation item that a document holds, and the words that both have."""

    task: str
    item: str
    words: str


def answers(policy: Policy, row: pl.DataFrame) -> list[Answer]:
    """Return what every rule says of the document whose annotations are in ``row``, in the policy's order."""
    held = row.select(passes(rule).alias(rule.name) for rule in policy.rules)
    values = {rule.signal: row[rule.signal].item() for rule in policy.rules}
    return [Answer(r, values[r.signal], held[r.name].item(), _margin(r, values[r.signal])) for r in policy.rules]


def verdict(policy: Policy, row: pl.DataFrame, copies: Copies | None) -> str | None:
    """Return the name of the rule that the funnel counts the document under; None if it stays."""
    kind = pl.lit(copies.kind if copies else None, dtype=pl.String).alias("kind")
    name: str | None = row.with_columns(kind).select(removed_by(policy)).item()
    return name


def _margin(rule: Rule, value: Any) -> float | None:
    if value is None or (rule.min, rule.max) == (None, None):
        return None
    below = [value - rule.min] if rule.min is not None else []
    above = [rule.max - value] if rule.max is not None else []
    return float(min(below + above))


def document(annotations: Sequence[Path], name: str) -> pl.DataFrame:
    """Return the annotations of the document whose id is ``name``, one row.

    Raises:
        InputError: no document has this id (the reason, or the nearest ids, are named), or signals are missing.
    """
    table = pl.scan_parquet(list(annotations))
    if absent := sorted(NUMBERS.keys() - table.collect_schema().names()):
        problem = f"the annotations are of another version: they lack {', '.join(absent)}"
        raise InputError(problem, where=annotations[0], remedy="annotate again: hominis annotate")
    found = table.filter(pl.col("id") == name).collect()
    if found.height:
        return found.head(1)
    if reason := _rejected(annotations, name):
        problem = f"{name!r} was rejected when it was read: {reason}"
        raise InputError(problem, where=annotations[0].parent, remedy="rejects.jsonl.gz there shows how it begins")
    ids = table.select("id").collect()["id"].sort().to_list()
    middle = bisect.bisect(ids, name)
    around = ids[max(middle - _COMPARED // 2, 0) : middle + _COMPARED // 2]
    near = difflib.get_close_matches(name, around, 3, 0.0)
    raise InputError(f"no document {name!r} in this run", where="DOC", remedy=f"the nearest ids are {', '.join(near)}")


def _rejected(annotations: Sequence[Path], name: str) -> str:
    """Return why a reader rejected the record of this id; empty if it didn't, or if the samples don't show it."""
    for path in annotations:
        samples = path.with_name("rejects.jsonl.gz")
        if samples.exists():
            for line in gzip.decompress(samples.read_bytes()).splitlines():
                sample = json.loads(line)
                if sample["path"] in (name, name.partition("/")[2]):  # published ids name no source
                    return str(sample["reason"])
    return ""


def copies_of(duplicates: Path, name: str) -> Copies | None:
    """Return what the document ``name`` is a copy of; None if it is none, or the one that stays."""
    table = pl.scan_parquet(duplicates)
    own = table.filter(pl.col("id") == name).collect()
    if own.is_empty():
        return None
    kept = own["kept"].item()
    others = table.filter(pl.col("kept") == kept, pl.col("id") != name).select("id").collect()["id"].to_list()
    return Copies(own["kind"].item(), kept, others)


def held_by(contaminated: Path, name: str) -> Held | None:
    """Return the evaluation item for which the document ``name`` left; None if it didn't."""
    found = pl.scan_parquet(contaminated).filter(pl.col("id") == name).select("task", "item", "words").collect()
    return Held(*found.row(0)) if found.height else None


def measured(path: Path) -> pl.DataFrame:
    """Return the annotations of a file's text, as the stage ``annotate`` with its defaults would, one row.

    Raises:
        InputError: the file can't be read or is no text.
    """
    import pyarrow as pa

    from hominis.corpus.annotations import annotated
    from hominis.corpus.readers.documents import schema
    from hominis.corpus.readers.markup import text_of

    try:
        text = text_of(str(path), path.read_bytes())
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read a text: {error}", where=path, remedy="name a file of UTF-8 text") from error
    given = {"id": str(path), "path": str(path), "text": text, "licence": ""}
    batch = pa.RecordBatch.from_pydict({name: [given.get(name)] for name in schema().names}, schema())
    rows = annotated(batch, {"source": "file", "corpus": ""}, AnnotateSection())
    return pl.DataFrame(rows.drop_columns(["signature"]))
