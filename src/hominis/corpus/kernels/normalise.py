"""RedPajama-v2's normalised text (Weber et al. 2024, arXiv:2411.12372), and where its words and raw lines lie in it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts, texts_from
from hominis.corpus.kernels.unicode import (
    DELETED,
    FINAL_SIGMA,
    GROWTH,
    SIGMA,
    SPACE,
    Tables,
    byte_at,
    decode,
    is_final_sigma,
    tables,
)

_SPACE, _NEWLINE = 0x20, 0x0A
_HEAVY = 256  # classes of combining marks


class Normalised(NamedTuple):
    """Normalised texts.

    Attributes:
        texts: words joined by single spaces.
        words: words before each text, and in all: shape (texts + 1,).
        lines: raw lines before each text, and in all: shape (texts + 1,). A line ends with U+000A or the text.
        line_words: words of its own and earlier texts before each raw line's end: shape (lines,).
        line_ends: where, in bytes of the column, the last of those words ends: shape (lines,).
    """

    texts: Texts
    words: Offsets
    lines: Offsets
    line_words: Offsets
    line_ends: Offsets


def normalise(texts: Texts) -> Texts:
    """Return the texts without ASCII punctuation, in lower case, words joined by single spaces, decomposed (NFD)."""
    return normalised(texts).texts


def normalised(texts: Texts) -> Normalised:
    """Return the normalised texts with the places of words and lines."""
    room, lines = _sizes(*texts)
    out = np.empty(room + 2, np.uint8)  # what is written before it is known to stay
    offsets, words = np.empty((2, texts.offsets.size), np.int64)
    line_words, line_ends = np.empty((2, lines[-1]), np.int64)
    _normalise(tables(), *texts, out, offsets, words, line_words, line_ends)
    return Normalised(texts_from(out[: offsets[-1]].copy(), offsets), words, lines, line_words, line_ends)


@kernel
def _sizes(data: Bytes, offsets: Offsets) -> tuple[int, Offsets]:
    """Return the most bytes that the normalised texts can have, and the raw lines before each text."""
    lines = np.zeros(offsets.size, np.int64)
    wide = 0
    for text in range(offsets.size - 1):
        count = 0
        for at in range(offsets[text], offsets[text + 1]):
            count += data[at] == _NEWLINE
            wide += data[at] >> 7
        open_ended = offsets[text] < offsets[text + 1] and data[offsets[text + 1] - 1] != _NEWLINE
        lines[text + 1] = lines[text] + count + open_ended
    return data.size + (GROWTH - 1) * wide, lines


@kernel
def _normalise(
    tables: Tables,
    data: Bytes,
    offsets: Offsets,
    out: Bytes,
    begins: Offsets,
    words: Offsets,
    line_words: Offsets,
    line_ends: Offsets,
) -> None:
    """Write the normalised texts to ``out``, and how many words there are before each text's and line's end.

    Of ASCII every byte is written, and overwritten by the next one unless it stays: branches cost more, for the
    processor guesses wrong at them. Combining marks are written as they come; a run of them that is out of canonical
    order is sorted where it ends.
    """
    size = count = line = 0
    begins[0] = words[0] = 0
    for text in range(offsets.size - 1):
        at, end, first = offsets[text], offsets[text + 1], size
        between = True  # in front of a word
        run, highest, disordered = 0, 0, False  # marks since the last character that is none
        while at < end:
            byte = byte_at(data, at)
            if byte < 0x80:
                small = tables.ascii[byte]
                at += 1
                if byte == _NEWLINE:
                    line_words[line], line_ends[line] = count, size
                    line += 1
                stays = (small != DELETED) & (small != _SPACE)
                if highest and stays:
                    if disordered:
                        _reorder(tables.combining, out, run, size)
                    highest, disordered = 0, False
                opens = stays & between
                out[np.uint64(size)] = _SPACE
                size += opens & (size > first)
                count += opens
                out[np.uint64(size)] = small
                size += stays
                between = (between & (not stays)) | (small == _SPACE)
                continue
            point, following = decode(data, at)
            if tables.classes[point] & SPACE:
                between = True
                at = following
                continue
            if between:
                if disordered:
                    _reorder(tables.combining, out, run, size)
                between, highest, disordered = False, 0, False
                count += 1
                if size > first:
                    out[size] = _SPACE
                    size += 1
            written = size
            if tables.place[point] < 0:
                for source in range(at, following):
                    out[size] = data[source]
                    size += 1
            elif point == SIGMA and is_final_sigma(tables, data, offsets[text], at, end):
                out[size] = 0xC0 | FINAL_SIGMA >> 6
                out[size + 1] = 0x80 | FINAL_SIGMA & 0x3F
                size += 2
            else:
                for source in range(tables.place[point], tables.place[point] + tables.length[point]):
                    out[size] = tables.pool[source]
                    size += 1
            at = following
            while written < size:
                point, following = decode(out, written)
                rank = tables.combining[point]
                if rank == 0:
                    if disordered:
                        _reorder(tables.combining, out, run, written)
                    highest, disordered = 0, False
                else:
                    if highest == 0:
                        run = written
                    disordered |= rank < highest
                    highest = rank
                written = following
        if disordered:
            _reorder(tables.combining, out, run, size)
        if offsets[text] < end and data[end - 1] != _NEWLINE:
            line_words[line], line_ends[line] = count, size
            line += 1
        begins[text + 1], words[text + 1] = size, count


@kernel
def _reorder(combining: npt.NDArray[np.uint8], out: Bytes, start: int, end: int) -> None:
    """Sort combining marks by their classes, equals in their order (The Unicode Standard, section 3.11, D109)."""
    marks = out[start:end].copy()
    places = np.zeros(_HEAVY + 1, np.int64)
    at = 0
    while at < marks.size:
        point, following = decode(marks, at)
        places[combining[point] + 1] += following - at
        at = following
    places = np.cumsum(places)
    at = 0
    while at < marks.size:
        point, following = decode(marks, at)
        rank = combining[point]
        for source in range(at, following):
            out[start + places[rank]] = marks[source]
            places[rank] += 1
        at = following
