"""Counts over the characters and tokens of raw texts."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hominis.corpus.kernels.compiled import inlined, kernel
from hominis.corpus.kernels.hash64 import few, hash_bytes, hash_few
from hominis.corpus.kernels.sets import U64, holds
from hominis.corpus.kernels.texts import Bytes, Offsets, Texts
from hominis.corpus.kernels.unicode import LETTER, SMALL, SPACE, UPPER, WORD, Tables, byte_at, decode, tables

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
        stop_words: hashes of words, a row a list; what holds no word character is no word.
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
        words = tokens = with_letter = capitals = stops = sentences = symbols = 0
        listed, row = lists[text] >= 0, stop_words[max(lists[text], 0)]
        in_sentence = False
        while at < end:
            begin, bits, longer = at, np.uint8(0), 0
            while at < end:  # a run of word characters
                byte = byte_at(data, at)
                if byte < 0x80:
                    found, following = classes[byte], at + 1
                else:
                    point, following = decode(data, at)
                    found = classes[point]
                    longer += (following - at - 1) * (found & WORD != 0)
                if not found & WORD:
                    break
                bits |= found
                at = following
            if at > begin:
                sentences += not in_sentence
                in_sentence = True
                words += at - begin - longer
                tokens += 1
                with_letter += bits & LETTER != 0
                capitals += bits & UPPER != 0 and bits & SMALL == 0
                if listed and at - begin <= longest:
                    stops += holds(row, _hash(data, begin, at))
            begin, bits, dots = at, np.uint8(0), 0
            while at < end:  # white space, and a run of other characters after it
                byte = byte_at(data, at)
                if byte < 0x80:
                    point, following, found = np.int64(byte), at + 1, classes[byte]
                else:
                    point, following = decode(data, at)
                    found = classes[point]
                if found & WORD or (found & SPACE and at > begin):
                    break
                at = following
                if found & SPACE:
                    begin = at
                    continue
                bits |= found
                if point == 0x2E or point == 0x21 or point == 0x3F:
                    in_sentence = False
                    dots = dots + 1 if point == 0x2E else 0
                    if dots == 3:
                        symbols += 1
                        dots = 0
                else:
                    dots = 0
                    symbols += point == _ELLIPSIS
            if at > begin:
                tokens += 1
                capitals += bits & UPPER != 0 and bits & SMALL == 0
        characters, underscores, hashes, brackets = _plain(data, offsets[text], end)
        counts[0, text], counts[1, text], counts[2, text] = characters, words - underscores, tokens
        counts[3, text], counts[4, text], counts[5, text] = with_letter, capitals, stops
        counts[6, text], counts[7, text], counts[8, text] = sentences, symbols + hashes, brackets


@kernel
def _plain(data: Bytes, start: int, end: int) -> tuple[int, int, int, int]:
    """Return how many characters, underscores, hashes and curly brackets there are, in a loop without branches."""
    characters = underscores = hashes = brackets = 0
    for byte in data[start:end]:
        characters += byte & 0xC0 != 0x80
        underscores += byte == 0x5F
        hashes += byte == 0x23
        brackets += (byte == 0x7B) | (byte == 0x7D)
    return characters, underscores, hashes, brackets


@inlined
def _hash(data: Bytes, start: int, end: int) -> Any:
    """Return ``hash_bytes``, sooner for what is short."""
    return hash_few(few(data, start, end), end - start) if end - start < 8 else hash_bytes(data, start, end)
