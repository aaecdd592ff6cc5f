"""The raw lines of texts: where they begin and end, how, and which repeat an earlier one."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.hash64 import hash_bytes
from hominis.corpus.kernels.sets import U64, slot_of, slots_for
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts
from hominis.corpus.kernels.unicode import SPACE, UPPER, Tables, before, byte_at, decode, tables

LINE = ("length", "upper", "first", "last", "dots", "begin", "end", "begin_character", "end_character")
"""Rows of what ``scan_lines`` returns: characters with the newline; capitals among them; the code points of the first
and last visible character (0: none); dots that end it; where the visible part lies in its text, in bytes and in
characters."""

COUNTS = (
    "lines",
    "filled",
    "longest",
    "newlines",
    "ellipses",
    "terminal",
    "short",
    "bullets",
    "repeated",
    "repeated_characters",
    "visible_characters",
    "paragraphs",
    "repeated_paragraphs",
    "repeated_paragraph_characters",
    "paragraph_characters",
)
"""Columns of what ``count_lines`` returns."""

SHORT = 30
"""A line under so many characters is a short one (Penedo et al. 2024, arXiv:2406.17557)."""

BULLETS = np.array([0x2022, 0x2023, 0x25B6, 0x25C0, 0x25E6, 0x25A0, 0x25A1, 0x25AA, 0x25AB, 0x2013], np.int64)
"""What a line with a bullet begins with, in RedPajama-v2; Gopher's rule counts ``*`` and ``-`` too."""

TERMINAL = np.array([0x2E, 0x21, 0x3F, 0x201D], np.int64)
"""What a sentence ends with; FineWeb's rule counts the plain quotation mark too."""

_NONE, _ONE = np.uint64(0), np.uint64(1)
_NEWLINE, _ELLIPSIS, _QUOTE = 0x0A, 0x2026, 0x201D
_LENGTH, _UPPER, _FIRST, _LAST, _DOTS, _BEGIN, _END, _BEGIN_CHARACTER, _END_CHARACTER = range(len(LINE))

I64 = npt.NDArray[np.int64]
I32 = npt.NDArray[np.int32]


def scan_lines(texts: Texts, lines: Offsets) -> I32:
    """Return ``LINE`` of each raw line: shape (len(LINE), lines). No text may have 2**31 bytes.

    Args:
        lines: raw lines before each text, and in all.
    """
    found = np.empty((lines[-1], len(LINE)), np.int32)
    _scan(tables(), *texts, found)
    return found.T


def count_lines(texts: Texts, lines: Offsets, scanned: I32) -> dict[str, I64]:
    """Return ``COUNTS`` of each text: a filled line has a visible character, paragraphs lie between empty lines.

    What repeats is compared without the white space around it, with what comes before it in its text.
    """
    counts = np.zeros((len(COUNTS), texts.number), np.int64)
    room = slots_for(int(np.diff(lines).max(initial=0)))
    _summarise(*texts, lines, scanned.T, BULLETS, np.empty((2, room), np.uint64), counts)
    return dict(zip(COUNTS, counts, strict=True))


@kernel
def _scan(tables: Tables, data: Bytes, offsets: Offsets, found: I32) -> None:
    classes = tables.classes
    line = 0
    for text in range(offsets.size - 1):
        at, stop = offsets[text], offsets[text + 1]
        passed = 0
        while at < stop:
            start, length, upper = at, 0, 0
            first, begin, begin_character = np.int64(0), at, 0
            while at < stop:
                here, byte = at, byte_at(data, at)
                if byte < 0x80:
                    point, bits = np.int64(byte), classes[byte]
                    at += 1
                else:
                    point, at = decode(data, at)
                    bits = classes[point]
                length += 1
                upper += bits & UPPER != 0
                if first == 0 and not bits & SPACE:
                    first, begin, begin_character = point + (point == 0), here, length - 1
                if point == _NEWLINE:
                    break
            end, end_character = at, length
            last, dots = np.int64(0), 0
            while first and not last:
                here = before(data, end)
                point, _ = decode(data, here)
                if classes[point] & SPACE:
                    end, end_character = here, end_character - 1
                else:
                    last = point + (point == 0)
            while dots < 3 and end - dots > start and data[end - 1 - dots] == 0x2E:
                dots += 1
            row = found[line]
            row[_LENGTH], row[_UPPER], row[_FIRST], row[_LAST], row[_DOTS] = length, upper, first, last, dots
            row[_BEGIN], row[_END] = begin - offsets[text], end - offsets[text]
            row[_BEGIN_CHARACTER], row[_END_CHARACTER] = passed + begin_character, passed + end_character
            passed += length
            line += 1


@kernel
def _summarise(
    data: Bytes,
    offsets: Offsets,
    lines: Offsets,
    found: I32,
    bullets: I64,
    keys: U64,
    counts: I64,
) -> None:
    for text in range(offsets.size - 1):
        start, slots = offsets[text], slots_for(lines[text + 1] - lines[text])
        keys[:, :slots] = _NONE
        filled = paragraphs = longest = newlines = ellipses = terminal = short = marked = 0
        repeated = repeated_characters = visible_characters = 0
        repeated_paragraphs = repeated_paragraph_characters = paragraph_characters = 0
        opening = closing = -1  # lines of the paragraph
        for line in range(lines[text], lines[text + 1] + 1):
            ended = line == lines[text + 1]
            if not ended:
                row = found[line]
                ended = row[_FIRST] == 0 and row[_LENGTH] == 1 and data[start + row[_BEGIN]] == _NEWLINE
            if ended and opening >= 0:
                size = found[closing, _END_CHARACTER] - found[opening, _BEGIN_CHARACTER]
                again = _seen(
                    hash_bytes(data, start + found[opening, _BEGIN], start + found[closing, _END]), keys[1], slots
                )
                paragraphs += 1
                paragraph_characters += size
                repeated_paragraphs += again
                repeated_paragraph_characters += size * again
                opening = -1
            if line == lines[text + 1]:
                break
            row = found[line]
            ends = line + 1 < lines[text + 1] or data[offsets[text + 1] - 1] == _NEWLINE
            newlines += ends
            longest = max(longest, row[_LENGTH] - ends)
            if row[_FIRST] == 0:
                continue
            if opening < 0:
                opening = line
            closing = line
            filled += 1
            last = row[_LAST]
            size = row[_END_CHARACTER] - row[_BEGIN_CHARACTER]
            ellipses += row[_DOTS] == 3 or last == _ELLIPSIS
            terminal += last == 0x2E or last == 0x21 or last == 0x3F or last == 0x22 or last == _QUOTE
            short += row[_LENGTH] - ends < SHORT
            first = row[_FIRST]
            marked += first == 0x2A or first == 0x2D or (first > 0x7F and (bullets == first).any())
            again = _seen(hash_bytes(data, start + row[_BEGIN], start + row[_END]), keys[0], slots)
            repeated += again
            repeated_characters += size * again
            visible_characters += size
        out = counts[:, text]
        out[0], out[1], out[2], out[3] = lines[text + 1] - lines[text], filled, longest, newlines
        out[4], out[5], out[6], out[7] = ellipses, terminal, short, marked
        out[8], out[9], out[10] = repeated, repeated_characters, visible_characters
        out[11], out[12], out[13] = paragraphs, repeated_paragraphs, repeated_paragraph_characters
        out[14] = paragraph_characters


@kernel
def _seen(key: Any, keys: U64, slots: int) -> bool:
    """Put a key into a table; return whether it was there."""
    key = max(key, _ONE)
    slot = slot_of(key, keys, slots)
    there = keys[slot] == key
    keys[slot] = key
    return there  # type: ignore[no-any-return]
