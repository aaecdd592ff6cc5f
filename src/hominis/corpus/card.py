"""What documents are, counted as they pass: languages, licences, domains, and a few samples, for the data card."""

from __future__ import annotations

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from hominis.corpus.kernels.hash64 import content_hashes
from hominis.corpus.kernels.texts import texts_of
from hominis.store.types import Json

SHOWN = {"languages": 200, "licences": 200, "domains": 20}
"""So many names of each kind are given, the largest ones."""
ROOM = 500_000
"""So many names of each kind are told apart: some 200 MB at the worst."""
SAMPLES = 3
SAMPLE_CHARS = 300

_ROWS = 100_000


class Card:
    """Counts the rows of ``documents.parquet``, batch by batch; its memory doesn't grow with the number of documents.

    Args:
        room: how many languages, licences and domains are told apart. Of more, the smaller half is then counted only
            as others, so the figures of those that stay may be too low: the summary says so (``exact``).
    """

    def __init__(self, room: int = ROOM) -> None:
        self._tallies = {kind: _Tally(room) for kind in SHOWN}
        self._samples: list[tuple[int, str, str]] = []

    def add(self, rows: pa.Table) -> None:
        """Count ``rows``: columns ``id``, ``language``, ``licence``, ``domain``, ``text``."""
        size = pl.Series("bytes", pc.binary_length(rows["text"].cast(pa.large_string()))).cast(pl.Int64).fill_null(0)
        one = pl.Series("documents", np.ones(rows.num_rows, np.int64))
        for kind, tally in self._tallies.items():
            names = pl.Series("name", rows[kind.removesuffix("s")]).cast(pl.String).fill_null("")
            tally.add(pl.DataFrame([names, one, size]))
        self._sample(rows)

    def summary(self) -> dict[str, Json]:
        """Return ``languages``, ``licences`` and ``domains``, and ``samples``.

        Each of the three has the ``largest`` names with their ``documents`` and ``bytes`` of text (the name "" is of
        those without one), the sum over the ``others`` with their number of ``names`` (None: not known), and whether
        all of that is ``exact``. The samples, {``hash``, ``id``, ``text``: its beginning}, are the documents whose
        ids have the smallest hashes: a fair draw, the same on every day, also of the samples of many parts.
        """
        samples = [{"hash": f"{key:016x}", "id": name, "text": text} for key, name, text in self._samples]
        return {kind: tally.summary(SHOWN[kind]) for kind, tally in self._tallies.items()} | {"samples": samples}

    def _sample(self, rows: pa.Table) -> None:
        hashes = content_hashes(texts_of(rows["id"]))
        places = np.argsort(hashes, kind="stable")[:SAMPLES]
        chosen = rows.select(["id", "text"]).take(pa.array(places))
        begins = (str(text)[:SAMPLE_CHARS] for text in chosen["text"].to_pylist())
        drawn = zip(map(int, hashes[places]), chosen["id"].to_pylist(), begins, strict=True)
        self._samples = sorted([*self._samples, *drawn])[:SAMPLES]


class _Tally:
    """Documents and bytes by name. Many rows are summed at once, for it costs as much as there are names."""

    def __init__(self, room: int) -> None:
        self._room, self._exact = room, True
        self._table = pl.DataFrame(schema={"name": pl.String, "documents": pl.Int64, "bytes": pl.Int64})
        self._rest = {"documents": 0, "bytes": 0}
        self._waiting: list[pl.DataFrame] = []

    def add(self, counts: pl.DataFrame) -> None:
        self._waiting.append(counts)
        if sum(frame.height for frame in self._waiting) > _ROWS:
            self._settle()

    def summary(self, shown: int) -> dict[str, Json]:
        self._settle()
        largest, others = self._table.head(shown), self._table.slice(shown)
        named = {row.pop("name"): row for row in largest.to_dicts()}
        number = others.height if self._exact else None
        return {"largest": named, "others": {"names": number, **self._with(others)}, "exact": self._exact}

    def _settle(self) -> None:
        together = pl.concat([self._table, *self._waiting]).group_by("name").agg(pl.col("documents", "bytes").sum())
        self._table = together.sort(["bytes", "documents", "name"], descending=[True, True, False])
        self._waiting = []
        if self._table.height > self._room:
            self._rest, self._exact = self._with(self._table.slice(self._room // 2)), False
            self._table = self._table.head(self._room // 2)

    def _with(self, others: pl.DataFrame) -> dict[str, int]:
        return {name: before + int(others[name].sum()) for name, before in self._rest.items()}
