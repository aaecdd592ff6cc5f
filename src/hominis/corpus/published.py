"""What RedPajama-v2 publishes about a file's documents, joined to what is measured here: by id, never by row.

Published values stand; what is missing or null is measured. A row about another document than the one that has its id
(another length, address or digest) is rejected, and the document stands as it was measured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from hominis.config.signals import INTEGERS, NUMBERS, PUBLISHED
from hominis.corpus.pipeline import batched
from hominis.corpus.published_signatures import REMEDY, Signatures
from hominis.corpus.readers.archives import BROKEN
from hominis.corpus.readers.lines import objects, string
from hominis.corpus.readers.rejects import Rejects
from hominis.errors import InputError

NAMES = tuple(name for name in NUMBERS if name.startswith(PUBLISHED))
"""Columns of the annotations that a file of signals may give."""

_LINE_BYTES = 256 * 2**20

_Signals = TypedDict("_Signals", dict.fromkeys(NAMES, Any), total=False)  # type: ignore[misc]


class _Line(TypedDict, total=False):
    id: Any
    metadata: Any
    quality_signals: _Signals


_validated = TypeAdapter(_Line).validator.validate_json
_OF_LINES = re.compile(rb'"rps_lines_\w+"\s*:\s*\[\[')


def _parse(line: bytes) -> Any:
    """Return what a line holds without the signals of its text's lines, which are most of it and aren't used."""
    kept, at = [], 0
    while found := _OF_LINES.search(line, at):
        begin = found.end()
        following = line.find(b'"', begin)  # what is left out is numbers, up to the name of the next signal
        end = line.rfind(b"]]", begin, following if following >= 0 else len(line))
        if end < 0:
            return _validated(line)
        kept.append(line[at : begin - 1])
        at = end + 1
    return _validated(b"".join((*kept, line[at:])))


class Published:
    """The signals, listed duplicates and signatures of one file of documents.

    Args:
        files: ``*.signals.json.gz``, ``*.duplicates.parquet`` and ``*.minhash.parquet``, each there or not.
        signatures: whether signatures are wanted.

    Attributes:
        rejects: what cannot be used.

    Raises:
        InputError: a file isn't what its ending says.
    """

    def __init__(self, files: Sequence[Path], signatures: bool = False) -> None:
        self.rejects = Rejects()
        self._signals: pl.DataFrame | None = None
        self._listed: pl.DataFrame | None = None
        self._minhash: Signatures | None = None
        for file in files:
            if file.name.endswith(".signals.json.gz"):
                self._signals = _signals(file, self.rejects)
            elif file.name.endswith(".duplicates.parquet"):
                self._listed = _duplicates(file)
            elif signatures:
                self._minhash = Signatures(file)

    def with_signatures(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return the documents ``batch`` with their signatures, if those of all are published."""
        found = self._minhash and self._minhash.of(batch.column("id").to_pylist())
        if found is None or self._about(batch).filter(_OTHER).height:
            return batch
        return batch.append_column("signature", found)

    def joined(self, rows: pa.Table, batch: pa.RecordBatch) -> pa.Table:
        """Return the annotations ``rows`` of a batch of documents with what is published about them."""
        filled: dict[str, pl.Series] = {}
        if self._signals is not None:
            found = self._about(batch)
            filled = found.select(pl.when(~_OTHER).then(name).alias(name) for name in NAMES).to_dict()
            self._count(found.filter(_OTHER))
        if self._listed is not None:
            asked = pl.DataFrame(batch.select(["id", "url", "digest"]))
            found = asked.join(self._listed, on="id", how="left", maintain_order="left", suffix="_published")
            listed = pl.col("digest_published").is_not_null() & ~_differs("digest")
            filled["listed_duplicate"] = found.select(listed.cast(pl.Int64)).to_series()
            self._count(found.filter(_differs("digest")))
        for name, values in filled.items():
            at = rows.schema.get_field_index(name)
            whole = values.zip_with(values.is_not_null(), pl.Series(rows.column(at)).cast(values.dtype))
            rows = rows.set_column(at, rows.schema.field(at), whole.to_arrow().cast(rows.schema.field(at).type))
        return rows

    def _about(self, batch: pa.RecordBatch) -> pl.DataFrame:
        """Return a row per document: ``id``, ``length`` and ``url``, its own and as published, and its signals."""
        given = pl.DataFrame(batch.select(["id", "text", "url"]))
        asked = given.with_columns(pl.col("text").str.len_chars().cast(pl.Int64).alias("length")).drop("text")
        signals = _EMPTY if self._signals is None else self._signals
        return asked.join(signals, on="id", how="left", maintain_order="left", suffix="_published")

    def _count(self, others: pl.DataFrame) -> None:
        for id_, url in others.select("id", "url").iter_rows():
            self.rejects.add("other_document", id_, url)


_KINDS = {name: pl.Int64 if name in INTEGERS else pl.Float64 for name in NAMES}
_SIGNALS = {"id": pl.String, "length": pl.Int64, "url": pl.String, **_KINDS}
_EMPTY = pl.DataFrame(schema=_SIGNALS)


def _differs(name: str) -> pl.Expr:
    """Say whether what is published differs from what the document has; what isn't known doesn't."""
    return pl.col(name).ne(pl.col(f"{name}_published")).fill_null(False)


_OTHER = _differs("length") | _differs("url")
"""The row is about another document."""


def _signals(file: Path, rejects: Rejects) -> pl.DataFrame:
    try:
        held = batched(_rows(file, rejects), lambda _: 1)
        frame = pl.concat([_EMPTY, *(pl.DataFrame(rows, _SIGNALS, orient="row") for rows in held)])
    except BROKEN as error:
        raise InputError(f"{file.name} is damaged: {error}", where=file, remedy=REMEDY) from error
    return frame.fill_nan(None).unique("id", keep="first", maintain_order=True)


def _rows(file: Path, rejects: Rejects) -> Iterator[tuple[Any, ...]]:
    for line in objects(file, _LINE_BYTES, _parse):
        try:
            reason, row = line.reason, line.value and _row(line.value)
        except (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError):
            reason, row = "not_signals", None
        if row:
            yield row
        else:
            rejects.add(reason, f"{file.name}:{line.number}", line.beginning or str(line.value))


def _row(value: dict[str, Any]) -> tuple[Any, ...]:
    signals = value["quality_signals"]
    found = [signals.get(name) for name in NAMES]
    (length,) = {spans[0][1] for spans in found if spans}
    values = (spans[0][2] if spans else None for spans in found)
    numbers = [None if number is None else kind(number) for number, kind in zip(values, _AS, strict=True)]
    id_, url = string(value["id"]), value.get("metadata", {}).get("url")
    if id_ is None or url != string(url):
        raise ValueError(f"no id or address that UTF-8 can hold: {id_!r}, {url!r}")
    return id_, _int64(length), url, *numbers


def _int64(number: Any) -> int:
    if not -(2**63) <= int(number) < 2**63:
        raise OverflowError(f"{number} is no 64-bit integer")
    return int(number)


_AS = [_int64 if name in INTEGERS else float for name in NAMES]


def _duplicates(file: Path) -> pl.DataFrame:
    try:  # by Arrow: Polars panics over some damage
        frame = pl.DataFrame(pq.read_table(file, columns=["doc_id", "digest"])).cast(pl.String)
    except (OSError, ValueError, pl.exceptions.PolarsError, pa.ArrowException) as error:
        raise InputError(f"{file.name} holds no list of duplicates: {error}", where=file, remedy=REMEDY) from error
    named = frame.select(pl.col("doc_id").alias("id"), pl.concat_str(pl.lit("sha1:"), "digest").alias("digest"))
    return named.unique("id", keep="first", maintain_order=True)
