"""Counts over the words of each raw line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.normalise import Normalised
from hominis.corpus.kernels.unicode import NUMERIC, Tables, decode, tables

COUNTS = ("words", "characters", "numeric", "javascript")
"""Rows of what ``count_line_words`` returns: words of the normalised line, its characters with single spaces, how many
of them ``str.isnumeric`` is true of, words that are ``javascript``."""

_JAVASCRIPT = np.frombuffer(b"javascript", np.uint8)

I64 = npt.NDArray[np.int64]


def count_line_words(normal: Normalised) -> dict[str, I64]:
    """Return ``COUNTS`` of each raw line of all texts."""
    counts = np.zeros((len(COUNTS), normal.line_words.size), np.int64)
    _count(tables(), normal, counts)
    return dict(zip(COUNTS, counts, strict=True))


@kernel
def _count(tables: Tables, normal: Normalised, counts: I64) -> None:
    classes, (data, offsets), lines, line_words = tables.classes, normal.texts, normal.lines, normal.line_words
    for text in range(offsets.size - 1):
        at, end, word = offsets[text], offsets[text + 1], normal.words[text]
        for line in range(lines[text], lines[text + 1]):
            out = counts[:, line]
            out[0] = line_words[line] - word
            out[1] = max(out[0] - 1, 0)
            while word < line_words[line]:
                alike = 0
                while at < end and data[at] != 0x20:
                    matches = 0 <= alike < _JAVASCRIPT.size and data[at] == _JAVASCRIPT[alike]
                    alike = alike + 1 if matches else -1
                    point, at = decode(data, at)
                    out[1] += 1
                    out[2] += classes[point] & NUMERIC != 0
                out[3] += alike == _JAVASCRIPT.size
                at += 1
                word += 1
