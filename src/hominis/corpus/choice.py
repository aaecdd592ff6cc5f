"""Decide on annotated documents, then take the text of those that stay from the raw file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa

from hominis.config.corpus import SelectSection
from hominis.config.policy import Policy
from hominis.corpus.hashing import splitmix64
from hominis.corpus.policy import removed_by, rule_names
from hominis.corpus.readers.documents import Documents
from hominis.store.types import Artefact, Json

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
    annotations: Sequence[Path], duplicates: Path, policies: Mapping[str, Policy], section: SelectSection
) -> pl.DataFrame:
    """Return a corpus's documents with ``removed_by`` (null: stays) and ``split`` (of those that stay).

    Args:
        policies: source → the policy that its documents are judged by.
    """
    frames = [pl.scan_parquet(path).drop("signature") for path in annotations]
    copies = pl.scan_parquet(duplicates).select("id", "kind")
    joined = pl.concat(frames).join(copies, on="id", how="left", maintain_order="left")
    columns = (*_SAID, "bytes", "content_hash")
    decided = joined.with_columns(_judged(policies)).select(*columns, "removed_by").collect()
    return decided.with_columns(_split(decided, section))


def _judged(policies: Mapping[str, Policy]) -> pl.Expr:
    """Return ``removed_by`` of each document by its source's policy; sources of one policy are asked together."""
    alike: dict[Policy, list[str]] = {}
    for source, policy in policies.items():
        alike.setdefault(policy, []).append(source)
    asked = (pl.when(pl.col("source").is_in(names)).then(removed_by(policy)) for policy, names in alike.items())
    return pl.coalesce(*asked).alias("removed_by")


def _split(decided: pl.DataFrame, section: SelectSection) -> pl.Series:
    """Hold out by the hash of a document's words, so the choice outlives changes elsewhere in the corpus."""
    seed = splitmix64(np.array([section.heldout_seed], dtype=np.uint64))
    drawn = splitmix64(decided["content_hash"].fill_null(0).to_numpy() ^ seed)
    stays = decided["removed_by"].is_null().to_numpy()
    held = stays & (drawn < np.uint64(min(int(section.heldout * 2.0**64), 2**64 - 1)))
    if section.heldout and not held.any() and stays.sum() >= ENOUGH_TO_HOLD_OUT:
        held[np.flatnonzero(stays)[np.argmin(drawn[stays])]] = True
    split = np.where(held, _HELD, np.where(stays, _TRAIN, "")).tolist()
    return pl.Series("split", [name or None for name in split], dtype=pl.String)


def kept_batches(raw: Artefact, decided: pl.DataFrame, limit: int) -> Iterator[pa.Table]:
    """Yield the documents that stay, read again from the raw file, in its order.

    Args:
        limit: the longest document, in bytes, that was annotated.
    """
    documents = Documents.of(raw, limit)
    stays = decided.filter(pl.col("removed_by").is_null()).drop("removed_by", "bytes", "content_hash")
    if stays.is_empty():
        return
    for batch in documents:
        rows = pl.DataFrame(batch.select(["id", "text"]))
        found = rows.join(stays, on="id", how="inner", maintain_order="left")
        yield found.select(schema().names).to_arrow(compat_level=pl.CompatLevel.oldest()).cast(schema())


def figures(decided: pl.DataFrame, policy: Policy) -> dict[str, Json]:
    """Return ``read``, ``kept`` and ``funnel``: documents and bytes of text."""
    kept = decided.filter(pl.col("removed_by").is_null())
    held = _amount(kept.filter(split=_HELD))
    funnel = [{"rule": name, **_amount(decided.filter(removed_by=name))} for name in rule_names(policy)]
    aside = {f"heldout_{name}": value for name, value in held.items()}
    return {"read": _amount(decided), "kept": {**_amount(kept), **aside}, "funnel": funnel}


def _amount(rows: pl.DataFrame) -> dict[str, int]:
    return {"documents": rows.height, "bytes": int(rows["bytes"].sum())}
