"""Signals in the form in which RedPajama-v2 publishes them: JSON lines of ``[start, end, value]`` spans.

A document's signal is one span over all its characters, a line's one span per raw line. A text of newlines is
gigabytes of spans, so they are written piece by piece.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from pydantic_core import to_json

from hominis.config.corpus import AnnotateSection
from hominis.corpus.kernels.line_words import count_line_words
from hominis.corpus.kernels.lines import BULLETS, LINE, TERMINAL, scan_lines
from hominis.corpus.kernels.normalise import Normalised, normalised
from hominis.corpus.kernels.texts import texts_of
from hominis.corpus.language import with_languages
from hominis.corpus.readers.lines import string
from hominis.corpus.signals import rounded, signals

FIELDS = ("length", "original_length", "nlines", "original_nlines", "language_score", "perplexity")
"""Fields of a document that become signals ``ccnet_<field>``."""

_BUCKETS = {"head": 0.0, "middle": 1.0, "tail": 2.0}
_SHARD = re.compile(r"[^/]+/[^/]+/[a-z-]+_(head|middle|tail)\.json\.gz$")

_PIECE = 2**16
"""Lines that are handled at once."""

Span = tuple[int, int, Any]
I64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Document:
    """A document as it was read.

    Attributes:
        fields: of the record; what is missing is null in the signals.
    """

    id: str
    text: str
    fields: Mapping[str, Any]


def shard_of(path: Path) -> str:
    """Return what ids of a file's documents begin with: ``<snapshot>/<shard>/<name>`` as published, else its name."""
    found = _SHARD.search(path.absolute().as_posix())
    return found.group() if found else path.name


def published(documents: Sequence[Document], domains: Mapping[str, int]) -> Iterator[Iterator[bytes]]:
    """Yield each document's signals as a line of JSON, in pieces.

    Args:
        documents: of one file. Where one says no language it is identified, as in stage ``annotate``.
        domains: ``source_domain`` → the number of its combination of UT1 categories, as RedPajama-v2 gives them.
    """
    raw = texts_of(pa.array([document.text for document in documents], pa.large_string()))
    normal = normalised(raw)
    scanned = scan_lines(raw, normal.lines)
    spoken = _languages(documents)
    of_documents = {
        name: column.to_pylist() for name, column in signals(raw, normal, scanned, pa.array(spoken)).items()
    }
    of_lines = LineSignals.of(normal, scanned)
    for row, document in enumerate(documents):
        length = len(document.text)
        whole = _ccnet(document.fields)
        whole |= {name: values[row] for name, values in of_documents.items() if name.startswith("rps_")}
        whole["rps_doc_ut1_blacklist"] = domains.get(string(document.fields.get("source_domain")) or "")
        spans: dict[str, list[Span]] = {name: [(0, length, value)] for name, value in whole.items()}
        whole_line = {
            "id": document.id,
            "id_int": int.from_bytes(hashlib.sha1(document.id.encode(), usedforsecurity=False).digest()[:8], "little"),
            "metadata": _metadata(document, spoken[row]),
            "quality_signals": spans,
        }
        yield _written(whole_line, of_lines.spans(row, length))


def _written(line: dict[str, Any], more: Iterator[tuple[str, Iterator[list[Span]]]]) -> Iterator[bytes]:
    """Yield ``line`` with ``more`` signals, of each of which the spans come piece by piece."""
    yield to_json(line).removesuffix(b"}}")
    for name, pieces in more:
        yield b',"%s":[%s' % (name.encode(), to_json(next(pieces, []))[1:-1])
        yield from (b"," + to_json(piece)[1:-1] for piece in pieces)
        yield b"]"
    yield b"}}\n"


@dataclass(frozen=True)
class LineSignals:
    """The line signals of a column of texts.

    Attributes:
        first: raw lines before each text, and in all.
        lengths: characters of each line, the newline included.
        values: of each line, by name.
    """

    first: I64
    lengths: npt.NDArray[np.int32]
    values: dict[str, npt.NDArray[Any]]

    @classmethod
    def of(cls, normal: Normalised, scanned: npt.NDArray[np.int32]) -> LineSignals:
        """Measure the lines of texts, from which ``normal`` and ``scanned`` (by ``scan_lines``) were made."""
        rows = dict(zip(LINE, scanned, strict=True))
        counts = count_line_words(normal)
        values: dict[str, npt.NDArray[Any]] = {
            "ending_with_terminal_punctution_mark": _one_of(rows["last"], TERMINAL),
            "javascript_counts": counts["javascript"].astype(np.float32),
            "num_words": counts["words"],
            "numerical_chars_fraction": _fractions(counts["numeric"], counts["characters"]),
            "start_with_bulletpoint": _one_of(rows["first"], BULLETS),
            "uppercase_letter_fraction": _fractions(rows["upper"], rows["length"]),
        }
        return cls(normal.lines, rows["length"], {f"rps_lines_{name}": column for name, column in values.items()})

    def spans(self, row: int, length: int) -> Iterator[tuple[str, Iterator[list[Span]]]]:
        """Yield by name a span per line of a text of ``length`` characters, piece by piece."""
        begin, end = self.first[row : row + 2]
        bounds = np.concatenate([[0], np.cumsum(self.lengths[begin:end], dtype=np.int64)])
        for name, values in self.values.items():
            none = begin == end and name == "rps_lines_start_with_bulletpoint"
            yield name, iter([[(0, length, None)]]) if none else _spans(bounds, values[begin:end])


def _spans(bounds: I64, values: npt.NDArray[Any]) -> Iterator[list[Span]]:
    for at in _pieces(values.size):
        some = values[at]
        starts, ends = (bounds[at.start + shift : at.start + shift + some.size].tolist() for shift in (0, 1))
        yield list(zip(starts, ends, some.tolist(), strict=True))


def _one_of(characters: npt.NDArray[np.int32], among: I64) -> npt.NDArray[np.float32]:
    found = np.empty(characters.size, np.float32)
    for at in _pieces(found.size):
        found[at] = np.isin(characters[at], among)
    return found


def _fractions(part: npt.NDArray[np.int32], whole: npt.NDArray[np.int32]) -> npt.NDArray[np.float64]:
    found = np.empty(part.size, np.float64)
    for at in _pieces(found.size):
        found[at] = rounded(part[at] / np.maximum(whole[at], 1))
    return found


def _pieces(lines: int) -> Iterator[slice]:
    return (slice(begin, begin + _PIECE) for begin in range(0, lines, _PIECE))


def _languages(documents: Sequence[Document]) -> list[str]:
    prefix = AnnotateSection().language_prefix_chars
    rows = [(document.text[:prefix], string(document.fields.get("language")) or None, None) for document in documents]
    kinds = {"text": pl.String, "language": pl.String, "language_score": pl.Float64}
    return with_languages(pl.DataFrame(rows, kinds, orient="row"), prefix)["language"].to_list()


def _ccnet(fields: Mapping[str, Any]) -> dict[str, float | None]:
    found = {f"ccnet_{name}": _number(fields.get(name)) for name in FIELDS}
    return found | {"ccnet_bucket": _BUCKETS.get(str(fields.get("bucket")))}


def _number(value: Any) -> float | None:
    try:
        found = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def _metadata(document: Document, language: str) -> dict[str, Any]:
    shard = document.id.rpartition("/")[0]
    cc_segment, url, domain = (string(document.fields.get(name)) for name in ("cc_segment", "url", "source_domain"))
    return {
        "cc_segment": cc_segment,
        "cc_net_source": shard,
        "url": url,
        "source_domain": domain,
        "language": language,
        "snapshot_id": shard.partition("/")[0] if _SHARD.fullmatch(shard) else None,
    }
