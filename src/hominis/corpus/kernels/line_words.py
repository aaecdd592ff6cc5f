"""Counts over the words of each raw line."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.normalise import Normalised
from hominis.corpus.kernels.texts import Bytes
from hominis.corpus.kernels.unicode import NUMERIC, Tables, decode, tables

COUNTS = ("words", "characters", "numeric", "javascript")
"""Rows of what ``count_line_words`` returns: words of the normalised line, its characters with single spaces, how many
of them ``str.isnumeric`` is true of, words that are ``javascript``."""

_JAVASCRIPT = np.frombuffer(b"javascript", np.uint8)

I32 = npt.NDArray[np.int32]


def count_line_words(normal: Normalised) -> dict[str, I32]:
    """Return ``COUNTS`` of each raw line of all texts."""
    counts = np.zeros((len(COUNTS), normal.line_words.size), np.int32)
    _count(tables(), normal, counts)
    return dict(zip(COUNTS, counts, strict=True))


@kernel
def _count(tables: Tables, normal: Normalised, counts: I32) -> None:
    classes, (data, offsets), lines = tables.classes, normal.texts, normal.lines
    line_words, line_ends = normal.line_words, normal.line_ends
    for text in range(offsets.size - 1):
        at, word = offsets[text], normal.words[text]
        for line in range(lines[text], lines[text + 1]):
            if line_words[line] == word:
                continue
            begin = at = at + (at > offsets[text])  # after the space
            characters = numeric = javascript = 0
            while at < line_ends[line]:
                if data[at] < 0x80:
                    numeric += 0x30 <= data[at] <= 0x39
                    if data[at] == _JAVASCRIPT[0] and (at == begin or data[at - 1] == 0x20):
                        javascript += _is_javascript(data, at, line_ends[line])
                    at += 1
                else:
                    point, at = decode(data, at)
                    numeric += classes[point] & NUMERIC != 0
                characters += 1
            counts[0, line], counts[1, line] = line_words[line] - word, characters
            counts[2, line], counts[3, line] = numeric, javascript
            word = line_words[line]


@kernel
def _is_javascript(data: Bytes, at: int, end: int) -> bool:
    after = at + _JAVASCRIPT.size
    if after > end or (after < end and data[after] != 0x20):
        return False
    for place in range(_JAVASCRIPT.size):
        if data[at + place] != _JAVASCRIPT[place]:
            return False
    return True
