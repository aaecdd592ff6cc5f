"""Personal data in texts: spans are found and replaced by typed placeholders; ``docs/curation.md`` says which.

Each kind is one function ``(text, at) -> (start, end) or None`` over the UTF-8 bytes of one text, asked only where the
kernel saw that something may begin. No pattern and no context that it looks at has ``<`` or ``>``: so what is replaced
neither makes nor hides anything, and replaced text replaced again stays as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import NamedTuple, get_args

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from hominis.config.corpus import PersonalData
from hominis.corpus.kernels.pii import EMAIL, IBAN, IP_ADDRESS, KEY, PHONE, Anchors, anchors, candidates
from hominis.corpus.kernels.texts import Texts, arrow_of, texts_from, texts_of
from hominis.corpus.pii import addresses, emails, ibans, keys, phones

KINDS = get_args(PersonalData)
"""In order of precedence: where two overlap, the earlier kind wins; within a kind, what begins first."""

PLACEHOLDERS = {kind: f"<{kind.upper()}>" for kind in KINDS}

SCHEMA = {"row": pl.Int64, "kind": pl.String, "start": pl.Int64, "end": pl.Int64}
"""Columns of the spans that ``replaced`` returns."""

_VERIFY = {
    KEY: keys.key,
    EMAIL: emails.email,
    IBAN: ibans.iban,
    IP_ADDRESS: addresses.address,
    PHONE: phones.phone,
}


class Span(NamedTuple):
    """What was found; bytes of the column's data, half-open."""

    row: int
    start: int
    end: int
    kind: str


def replaced(texts: pa.LargeStringArray, kinds: Collection[str] = KINDS) -> tuple[pa.LargeStringArray, pl.DataFrame]:
    """Return the texts with personal data replaced, and a row per replaced span.

    Args:
        texts: null stays null.
        kinds: which of ``KINDS`` are sought.

    Returns:
        The texts, each span its kind's placeholder (``<EMAIL>``), and ``row`` (index into the texts), ``kind``, and
        ``start`` and ``end``: code points of the text as it was, half-open; by row and start.
    """
    column = texts_of(texts)
    spans = find(column, kinds)
    if not spans:
        return texts, pl.DataFrame(schema=SCHEMA)
    array = arrow_of(_substituted(column, spans))
    if texts.null_count:
        array = pc.if_else(texts.is_valid(), array, None)
    return array, _table(column, spans)


def find(column: Texts, kinds: Collection[str] = KINDS) -> list[Span]:
    """Return the spans of the kinds, by place; none overlap.

    What is found is blanked out, so later kinds don't see it; texts in which anything was found are searched until
    nothing more is, for what remains of a thing that overlapped may be another.
    """
    rows = np.arange(column.number, dtype=np.int64)
    places = candidates(column, rows, _anchors())
    if not len(places):
        return []
    data = np.array(column.data)
    view = data.data
    blanked = texts_from(data, column.offsets)
    spans: list[Span] = []
    while len(places):
        touched = set()
        places = places[np.argsort(places[:, 1], kind="stable")]
        bounds = column.offsets[places[:, 0]].tolist(), column.offsets[places[:, 0] + 1].tolist()
        for (row, kind, at), start, stop in zip(places.tolist(), *bounds, strict=True):
            if KINDS[kind] in kinds and (found := _VERIFY[kind](view[start:stop], at - start)):
                begin, end = start + found[0], start + found[1]
                view[begin:end] = b"<" * (end - begin)
                spans.append(Span(row, begin, end, KINDS[kind]))
                touched.add(row)
        places = candidates(blanked, np.array(sorted(touched), np.int64), _anchors())
    return sorted(spans)


def _substituted(column: Texts, spans: list[Span]) -> Texts:
    view, done = column.data.data, 0
    pieces: list[memoryview | bytes] = []
    growth = np.zeros(column.number + 1, np.int64)
    for row, start, end, kind in spans:
        placeholder = PLACEHOLDERS[kind].encode()
        pieces += view[done:start], placeholder
        growth[row + 1] += len(placeholder) - (end - start)
        done = end
    data = b"".join([*pieces, view[done:]])
    return texts_from(np.frombuffer(data, np.uint8), column.offsets + np.cumsum(growth))


def _table(column: Texts, spans: list[Span]) -> pl.DataFrame:
    view = column.data.data
    rows: list[tuple[int, str, int, int]] = []
    last, passed, characters = -1, 0, 0  # where the text was counted up to, in bytes and in characters
    for row, start, end, kind in spans:
        if row != last:
            last, passed, characters = row, int(column.offsets[row]), 0
        begins = characters + len(str(view[passed:start], "utf-8"))
        passed, characters = end, begins + len(str(view[start:end], "utf-8"))
        rows.append((row, kind, begins, characters))
    return pl.DataFrame(rows, SCHEMA, orient="row")


@cache
def _anchors() -> Anchors:
    return anchors(keys.prefixes(), ibans.lengths(), phones.labels())
