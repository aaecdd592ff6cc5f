"""Counts over the characters and tokens of raw texts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import kernel
from hominis.corpus.kernels.hash64 import hash_bytes
from hominis.corpus.kernels.sets import U64, holds
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts
from hominis.corpus.kernels.unicode import LETTER, SMALL, SPACE, UPPER, WORD, Tables, decode, tables

COUNTS = (
    "characters",
    "alphanumeric",
    "tokens",
    "tokens_with_letter",
    "capitals",
    "stop_words",
    "sentences",
    "symbols",
    "brackets",
)
"""Columns of what ``count_tokens`` returns."""

_ELLIPSIS = 0x2026

I32 = npt.NDArray[np.int32]


def count_tokens(texts: Texts, lists: I32, stop_words: U64, longest: int) -> dict[str, Offsets]:
    """Return ``COUNTS`` of each text.

    A token is a run of word characters (``\\w`` of Python's ``re``), or of those that are neither these nor white
    space; ``capitals`` are tokens of which ``str.isupper`` is true; a sentence is a run of characters other than
    ``.!?`` that holds a word character.

    Args:
        lists: by text, the row of ``stop_words`` to look into; -1: none, and the count is 0.
        stop_words: hashes of words, a row a list.
        longest: bytes of the longest stop word.
    """
    counts = np.empty((len(COUNTS), texts.number), np.int64)
    _count(tables(), *texts, lists, stop_words, longest, counts)
    return dict(zip(COUNTS, counts, strict=True))


@kernel
def _count(
    tables: Tables,
    data: Bytes,
    offsets: Offsets,
    lists: I32,
    stop_words: U64,
    longest: int,
    counts: npt.NDArray[np.int64],
) -> None:
    classes = tables.classes
    for text in range(offsets.size - 1):
        at, end = offsets[text], offsets[text + 1]
        characters = alphanumeric = tokens = with_letter = capitals = stops = sentences = symbols = brackets = 0
        row = lists[text]
        kind, bits, begin, dots = (
            0,
            np.int64(0),
            at,
            0,
        )  # of the token: WORD, another (1) or none (0), its characters' classes
        in_sentence = False
        while True:
            here = at
            point, found = np.int64(0x20), np.int64(SPACE)  # a last token ends as if at white space
            if at < end:
                if data[at] < 0x80:
                    point = np.int64(data[at])
                    at += 1
                else:
                    point, at = decode(data, at)
                found = np.int64(classes[point])
                characters += 1
            following = WORD if found & WORD else 0 if found & SPACE else 1
            if following != kind:
                if kind:
                    tokens += 1
                    with_letter += bits & LETTER != 0
                    capitals += bits & UPPER != 0 and bits & SMALL == 0
                    if row >= 0 and here - begin <= longest:
                        stops += holds(stop_words, row, hash_bytes(data, begin, here))
                if following == WORD and not in_sentence:
                    sentences += 1
                    in_sentence = True
                kind, bits, begin, dots = following, np.int64(0), here, 0
            bits |= found
            if kind == WORD:
                alphanumeric += point != 0x5F
            elif kind:
                if point == 0x2E or point == 0x21 or point == 0x3F:
                    in_sentence = False
                    dots = dots + 1 if point == 0x2E else 0
                    if dots == 3:
                        symbols += 1
                        dots = 0
                else:
                    dots = 0
                    symbols += point == 0x23 or point == _ELLIPSIS
                    brackets += point == 0x7B or point == 0x7D
            elif here >= end:
                break
        counts[0, text], counts[1, text], counts[2, text] = characters, alphanumeric, tokens
        counts[3, text], counts[4, text], counts[5, text] = with_letter, capitals, stops
        counts[6, text], counts[7, text], counts[8, text] = sentences, symbols, brackets
