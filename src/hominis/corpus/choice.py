"""Decide which of a source's annotated documents stay, and which of these are held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow.parquet as pq

from hominis.config.corpus import SelectSection
from hominis.config.policy import CONTAMINATED, DUPLICATE_RULES, Policy
from hominis.corpus.hashing import splitmix64
from hominis.corpus.policy import removed_by, rule_names
from hominis.store.types import Json

ENOUGH_TO_HOLD_OUT = 20
"""A corpus of this many documents holds out at least one, however small the fraction."""

_HELD, _TRAIN = "heldout", "train"
_KIND, _SPLIT = pl.Enum(list(DUPLICATE_RULES)), pl.Enum([_TRAIN, _HELD])


def chosen(
    source: str,
    annotations: Mapping[str, Path],
    duplicates: Path,
    policies: Mapping[str, Policy],
    section: SelectSection,
) -> pl.DataFrame:
    """Return what becomes of each of a source's documents, in their order, in 18 bytes each: all are held at once.

    Those of its corpus's other sources are looked at only if none of its own is drawn to be held out.

    Args:
        annotations: source of the corpus → its annotations.
        policies: source → the policy that its documents are judged by.

    Returns:
        Columns ``bytes``, ``removed_by`` (null: stays), ``draw``, and ``split`` (of those that stay).
    """

    def judged(name: str) -> pl.DataFrame:
        return _judged(annotations[name], _kinds(annotations[name], duplicates, name), policies[name], section)

    return _split(judged(source), section, lambda: _without_a_draw(judged, annotations, section) == source)


def without(decided: pl.DataFrame, gone: pl.Series, section: SelectSection) -> pl.DataFrame:
    """Return what becomes of a source's documents after some, of which ``gone`` is true, were found contaminated.

    A source that held out documents still does, while any stays: so its corpus does, too.
    """
    rule = pl.when(gone).then(pl.lit(CONTAMINATED, decided.schema["removed_by"])).otherwise("removed_by")
    return _split(decided.with_columns(removed_by=rule), section, lambda: bool((decided["split"] == _HELD).any()))


def others_held(decided: pl.DataFrame, before: pl.DataFrame) -> bool:
    """Return whether a document is held out that wasn't ``before``."""
    return bool(((decided["split"] == _HELD) & (before["split"] == _TRAIN)).any())


def slices(annotations: Path) -> Iterator[tuple[slice, pl.LazyFrame]]:
    """Yield annotations, so many at a time as were written together, and which of the documents they are."""
    table, begin = pq.read_metadata(annotations), 0
    for group in range(table.num_row_groups):
        rows = table.row_group(group).num_rows
        yield slice(begin, begin + rows), pl.scan_parquet(annotations).slice(begin, rows)
        begin += rows


def having(annotations: Path, ids: pl.Series) -> pl.Series:
    """Return of each document whether its id is one of ``ids``."""
    among = pl.col("id").is_in(ids.implode())
    return pl.concat([rows.select(among).collect().to_series() for _, rows in slices(annotations)])


def _judged(annotations: Path, kinds: pl.Series, policy: Policy, section: SelectSection) -> pl.DataFrame:
    rule = removed_by(policy).cast(pl.Enum([*rule_names(policy), CONTAMINATED]))
    found = []
    for place, rows in slices(annotations):
        table = rows.with_columns(kinds[place].cast(pl.String).alias("kind")).select("bytes", "content_hash", rule)
        judged = table.collect()
        found.append(judged.select("bytes", "removed_by", draw=_drawn(judged["content_hash"], section)))
    return pl.concat(found)


def _kinds(annotations: Path, duplicates: Path, source: str) -> pl.Series:
    """Return what kind of copy each of a source's documents is, null for one that is none."""
    copies = pl.scan_parquet(duplicates).filter(source=source).select("row", pl.col("kind").cast(_KIND)).collect()
    none = pl.repeat(None, pq.read_metadata(annotations).num_rows, dtype=_KIND, eager=True)
    return none.scatter(copies["row"], copies["kind"])


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
    train = pl.when(pl.Series(stays)).then(pl.lit(_TRAIN, _SPLIT))
    return decided.with_columns(split=pl.when(pl.Series(held)).then(pl.lit(_HELD, _SPLIT)).otherwise(train))


def _bound(section: SelectSection) -> np.uint64:
    return np.uint64(min(int(section.heldout * 2.0**64), 2**64 - 1))


def _without_a_draw(judged: Callable[[str], pl.DataFrame], sources: Iterable[str], section: SelectSection) -> str:
    """Return the source that holds out its lowest draw though none is low enough; "" if one is, or too few stay."""
    number, lowest = 0, dict[str, int]()
    for name in sources:
        draws = judged(name).filter(pl.col("removed_by").is_null())["draw"].to_numpy()
        number += draws.size
        if draws.size:
            lowest[name] = draws.min()
    if number < ENOUGH_TO_HOLD_OUT or min(lowest.values()) < _bound(section):
        return ""
    return min(lowest, key=lowest.__getitem__)


def figures(decided: pl.DataFrame, rules: list[str]) -> dict[str, Json]:
    """Return ``read``, ``kept`` and ``funnel``, by the rules in their order: documents and bytes of text as read."""
    kept = decided.filter(pl.col("removed_by").is_null())
    held = _amount(kept.filter(split=_HELD))
    funnel = [{"rule": name, **_amount(decided.filter(removed_by=name))} for name in rules]
    aside = {f"heldout_{name}": value for name, value in held.items()}
    return {"read": _amount(decided), "kept": {**_amount(kept), **aside}, "funnel": funnel}


def _amount(rows: pl.DataFrame) -> dict[str, int]:
    return {"documents": rows.height, "bytes": int(rows["bytes"].sum())}
