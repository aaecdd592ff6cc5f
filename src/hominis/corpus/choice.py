"""Decide on annotated documents, then take the text of those that stay from the raw file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from hominis.config.corpus import SelectSection
from hominis.config.policy import CONTAMINATED, Policy
from hominis.corpus.hashing import U64, splitmix64
from hominis.corpus.policy import removed_by
from hominis.corpus.readers.documents import Documents
from hominis.errors import InputError
from hominis.store.types import Json

ENOUGH_TO_HOLD_OUT = 20
"""A corpus of this many documents holds out at least one, however small the fraction."""

_SAID = ("id", "source", "corpus", "language", "licence", "domain", "url")
"""What annotations say of a document that stays with its text."""

_HELD, _TRAIN = "heldout", "train"


def schema() -> pa.Schema:
    """Return the columns of ``documents.parquet``."""
    said = [(name, pa.string()) for name in _SAID]
    return pa.schema([*said, ("text", pa.large_string()), ("split", pa.string())])


def chosen(
    source: str,
    annotations: Mapping[str, Path],
    duplicates: Path,
    policies: Mapping[str, Policy],
    section: SelectSection,
) -> pl.DataFrame:
    """Return a source's documents with ``removed_by`` (null: stays) and ``split`` (of those that stay).

    Those of its corpus's other sources are looked at only if none of its own is drawn to be held out.

    Args:
        annotations: source of the corpus → its annotations.
        policies: source → the policy that its documents are judged by.
    """

    def judged(name: str, *columns: str) -> pl.DataFrame:
        copies = pl.scan_parquet(duplicates).select("id", "kind")
        table = pl.scan_parquet(annotations[name]).drop("signature")
        joined = table.join(copies, on="id", how="left", maintain_order="left")
        rows = joined.select(*columns, "content_hash", removed_by(policies[name])).collect()
        return rows.select(*columns, "removed_by", draw=_drawn(rows["content_hash"], section))

    own = judged(source, *_SAID, "path", "bytes")
    return _split(own, section, lambda: _without_a_draw(judged, annotations, section) == source)


def without(decided: pl.DataFrame, gone: pl.Series, section: SelectSection) -> pl.DataFrame:
    """Return a source's documents after those with the ids ``gone``, which are contaminated, were removed.

    A source that held out documents still does, while any stays: so its corpus does, too.
    """
    rule = pl.when(pl.col("id").is_in(gone.implode())).then(pl.lit(CONTAMINATED)).otherwise("removed_by")
    return _split(decided.with_columns(removed_by=rule), section, lambda: bool((decided["split"] == _HELD).any()))


def others_held(decided: pl.DataFrame, before: pl.DataFrame) -> bool:
    """Return whether a document is held out that wasn't ``before``."""
    return bool(((decided["split"] == _HELD) & (before["split"] == _TRAIN)).any())


def _drawn(hashes: pl.Series, section: SelectSection) -> pl.Series:
    """Draw by the hash of a document's words, so the choice outlives changes elsewhere in the corpus."""
    seed = splitmix64(np.array([section.heldout_seed], dtype=np.uint64))
    return pl.Series(splitmix64(hashes.fill_null(0).to_numpy() ^ seed))


def _split(decided: pl.DataFrame, section: SelectSection, at_least_one: Callable[[], bool]) -> pl.DataFrame:
    """Hold out the fraction whose draw is lowest; or the lowest draw alone, if none is low enough but one is needed."""
    stays, draws = decided["removed_by"].is_null().to_numpy(), decided["draw"].to_numpy()
    held = stays & (draws < _bound(section))
    if section.heldout and stays.any() and not held.any() and at_least_one():
        held[np.flatnonzero(stays)[np.argmin(draws[stays])]] = True
    split = np.where(held, _HELD, np.where(stays, _TRAIN, "")).tolist()
    return decided.with_columns(split=pl.Series([name or None for name in split], dtype=pl.String))


def _bound(section: SelectSection) -> np.uint64:
    return np.uint64(min(int(section.heldout * 2.0**64), 2**64 - 1))


def _without_a_draw(judged: Callable[[str], pl.DataFrame], sources: Mapping[str, Path], section: SelectSection) -> str:
    """Return the source that holds out its lowest draw though none is low enough; "" if one is, or too few stay."""
    staying = [judged(name).filter(pl.col("removed_by").is_null())["draw"].to_numpy() for name in sources]
    lowest: list[tuple[U64, int]] = [(draws.min(), place) for place, draws in enumerate(staying) if draws.size]
    if sum(map(len, staying)) < ENOUGH_TO_HOLD_OUT or min(lowest)[0] < _bound(section):
        return ""
    return list(sources)[min(lowest)[1]]


def kept_batches(documents: Documents, decided: pl.DataFrame) -> Iterator[pa.Table]:
    """Yield the documents that stay, which alone are read again from the raw file, in its order.

    Raises:
        InputError: the raw file hasn't the documents that were decided on.
    """
    stays = decided.filter(pl.col("removed_by").is_null())
    if stays.is_empty():
        return
    place = 0
    for batch in replace(documents, chosen=stays["path"]):
        rows = stays.slice(place, batch.num_rows)
        place += batch.num_rows
        if rows["id"].to_list() != batch.column("id").to_pylist():
            raise _another_reading(documents)
        said = rows.select(*_SAID, "split").to_arrow(compat_level=pl.CompatLevel.oldest())
        yield said.add_column(len(_SAID), "text", batch.column("text")).cast(schema())
    if place != stays.height:
        raise _another_reading(documents)


def _another_reading(documents: Documents) -> InputError:
    return InputError(
        f"source {documents.source!r} has other documents than those that were annotated",
        where=documents.path,
        remedy="annotate it again: its annotations are of another reading",
    )


def figures(decided: pl.DataFrame, rules: list[str]) -> dict[str, Json]:
    """Return ``read``, ``kept`` and ``funnel``, by the rules in their order: documents and bytes of text as read."""
    kept = decided.filter(pl.col("removed_by").is_null())
    held = _amount(kept.filter(split=_HELD))
    funnel = [{"rule": name, **_amount(decided.filter(removed_by=name))} for name in rules]
    aside = {f"heldout_{name}": value for name, value in held.items()}
    return {"read": _amount(decided), "kept": {**_amount(kept), **aside}, "funnel": funnel}


def _amount(rows: pl.DataFrame) -> dict[str, int]:
    return {"documents": rows.height, "bytes": int(rows["bytes"].sum())}
